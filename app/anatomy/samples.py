"""Many pictures for a network at once, and auxiliary branches made from them; loads no torch."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advprop_core.datasets.splits import split_folder
from advprop_core.models.class_names import classes_by_name, plain
from advprop_core.types import AttackConfig, ModelInfo
from app.shell.pictures import own_folder

if TYPE_CHECKING:
    from torch import Tensor

    from advprop_core.types import Comparison
    from app.shell.cache import Lens
    from app.shell.jobs import Job
    from app.shell.requests import ComparisonRequest

MEASURED = 100  # pictures that the gap is measured over
CALIBRATED = 256  # pictures that an auxiliary branch is made from
ATTACK = AttackConfig.pgd(4 / 255, steps=5)  # what these are attacked with
_KEPT_LENSES = 2
_BATCH = 32


@dataclass(frozen=True)
class Source:
    """Pictures of known class.

    Attributes:
        name: As the library reads it: a built-in name or a folder.
        title: What a person reads after a number: ``drawn scenes``.
        limit: At most this many of them, spread over the classes.
    """

    name: str
    title: str
    limit: int


def source_for(info: ModelInfo, limit: int) -> Source | None:
    """Built-in scenes for a network that learnt them, else the person's own folder if it fits."""
    from advprop_core.datasets.texture_shapes.scenes import SHAPES

    if tuple(info.class_ids) == SHAPES:
        return Source("shapes", "drawn scenes", limit)
    if not folder_fits(info):
        return None
    return Source(str(own_folder()), "photos of your folder", limit)


def folder_fits(info: ModelInfo) -> bool:
    """Whether the person's own folder has a folder for a class of this network."""
    known = classes_by_name(info.classes)
    return any(plain(name) in known for name in class_folders())


def class_folders() -> list[str]:
    """What the class folders of the person's own folder are called, those of val of splits."""
    folder = own_folder()
    if folder is None or not folder.is_dir():
        return []
    return sorted(one.name for one in split_folder(folder, "val").iterdir() if one.is_dir())


@dataclass(frozen=True)
class Calibration:
    """All that decides a calibrated auxiliary branch.

    Attributes:
        model: Name of the network.
        source: What it is made from.
        attack: What these pictures are attacked with.
    """

    model: str
    source: Source
    attack: AttackConfig = ATTACK


class CalibratedLenses:
    """Networks with a calibrated branch by request, the oldest dropped first; for all sessions."""

    def __init__(self, capacity: int = _KEPT_LENSES) -> None:
        self._capacity = capacity
        self._items: OrderedDict[Calibration, Lens] = OrderedDict()
        self._drops: Counter[Calibration] = Counter()
        self._lock = threading.Lock()

    def get(self, request: Calibration) -> Lens | None:
        """The network, or None when it was dropped or never made."""
        with self._lock:
            if request in self._items:
                self._items.move_to_end(request)
            return self._items.get(request)

    def put(self, request: Calibration, lens: Lens) -> None:
        """Keep a network."""
        with self._lock:
            self._items[request] = lens
            self._items.move_to_end(request)
            while len(self._items) > self._capacity:
                dropped, _ = self._items.popitem(last=False)
                self._drops[dropped] += 1

    def key(self, request: Calibration) -> Hashable:
        """Of the job that makes it: another one after it was dropped, so that it is made again."""
        with self._lock:
            return request, self._drops[request]


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

    own = store.get(calibration)
    if own is None:
        own = _calibrate(calibration, lens, job)
        store.put(calibration, own)
    return requests.run(request, own.branches, pixels, job)


def _calibrate(request: Calibration, lens: Lens, job: Job) -> Lens:
    from advprop_core.datasets.named import load_images
    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.training.calibrate import calibrate
    from app.shell.cache import make_lens

    source, info = request.source, lens.info
    images = load_images(
        source.name, info.input_size, split="train", classes=info.classes, limit=source.limit
    )
    made = calibrate(
        Checkpoint(lens.model, info),
        images.pixels,
        images.labels,
        request.attack,
        batch_size=_BATCH,
        progress=lambda done, total: job.report(done / total),
    )
    return make_lens(made, lens.network)
