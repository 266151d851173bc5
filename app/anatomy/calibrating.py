"""Gives a network with one set of norm layers a calibrated branch."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from advprop_core.types import AttackConfig, Comparison
from app.shell.cache import Lens
from app.shell.jobs import Report
from app.shell.samples import Source
from app.shell.store import BoundedStore

if TYPE_CHECKING:
    from torch import Tensor


PICTURES = 256  # that an auxiliary branch is made from
ATTACK = AttackConfig.pgd(4 / 255, steps=5)  # what these pictures are attacked with
_BATCH = 32


def compare_calibrated(
    lens: Lens,
    source: Source,
    store: BoundedStore[Hashable, Lens],
    pixels: Tensor,
    *,
    progress: Report,
    **options: Any,
) -> Comparison:
    """A comparison with a calibrated branch, which is made first where the store has none."""
    from advprop_core.compare.compare import compare

    calibrated = store.get((lens.network, source))
    if calibrated is None:
        calibrated = _calibrate(lens, source, progress)
        store.put((lens.network, source), calibrated)
    return compare(calibrated.branches, pixels, progress=progress, **options)


def _calibrate(lens: Lens, source: Source, progress: Report) -> Lens:
    from advprop_core.datasets.named import load_images
    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.training.calibrate import calibrate
    from app.shell.cache import make_lens

    info = lens.info
    images = load_images(
        source.name, info.input_size, split="train", classes=info.classes, limit=source.limit
    )
    checkpoint = calibrate(
        Checkpoint(lens.model, info),
        images.pixels,
        images.labels,
        ATTACK,
        batch_size=_BATCH,
        progress=progress,
    )
    return make_lens(checkpoint, lens.network)
