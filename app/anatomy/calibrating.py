"""Gives a network with one set of norm layers a calibrated branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from advprop_core.types import Comparison
    from app.shell.cache import Lens
    from app.shell.calibrated import CalibratedLenses, Calibration
    from app.shell.jobs import Job
    from app.shell.requests import ComparisonRequest

PICTURES = 256  # that an auxiliary branch is made from
_BATCH = 32


def compare_calibrated(
    request: ComparisonRequest,
    calibration: Calibration,
    lens: Lens,
    store: CalibratedLenses,
    pixels: Tensor,
    job: Job,
) -> Comparison:
    """A comparison with a calibrated branch, which is made first where the store has none."""
    from app.shell import requests

    calibrated = store.get(calibration)
    if calibrated is None:
        calibrated = _calibrate(calibration, lens, job)
        store.put(calibration, calibrated)
    return requests.run(request, calibrated.branches, pixels, job)


def _calibrate(request: Calibration, lens: Lens, job: Job) -> Lens:
    from advprop_core.datasets.named import load_images
    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.training.calibrate import calibrate
    from app.shell.cache import make_lens

    source, info = request.source, lens.info
    images = load_images(
        source.name, info.input_size, split="train", classes=info.classes, limit=source.limit
    )
    checkpoint = calibrate(
        Checkpoint(lens.model, info),
        images.pixels,
        images.labels,
        request.attack,
        batch_size=_BATCH,
        progress=lambda done, total: job.report(done / total),
    )
    return make_lens(checkpoint, lens.network)
