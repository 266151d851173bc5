"""CIFAR-10-C: for each corruption an array of the 10,000 test images at five severities."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advprop_core.datasets.class_folders import draw_evenly, match_folders
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes
from advprop_core.pictures.corruptions import ALL_CORRUPTIONS, SEVERITIES, CorruptionConfig
from advprop_core.pictures.digests import image_digests

SIDE = 32  # of the images, in pixels
CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                 "truck")  # fmt: skip
"""The classes, by label."""


@dataclass(frozen=True, eq=False)
class CorruptedArrays:
    """The images of CIFAR-10-C that a model is asked about; read from the files in batches.

    Attributes:
        folder: Holds ``KIND.npy`` and ``labels.npy``.
        labels: (N,) int64, the model's classes.
        rows: (N,) which of the test images.
        count: How many test images there are.
        ignored_classes: Those that the model does not know.
    """

    folder: Path
    labels: Tensor
    rows: Tensor
    count: int
    ignored_classes: tuple[str, ...] = ()

    @classmethod
    def open(
        cls, folder: Path, classes: Classes, *, limit: int | None = None, strict: bool = False
    ) -> Self:
        """Choose the images of the model's classes, spread evenly over them.

        Raises:
            ClassMismatch: If no class is the model's, or with ``strict`` one is not.
            InputError: If files are missing, or are no such arrays.
        """
        all_labels = _labels(folder)
        rows, labels, ignored = draw_rows(CIFAR10_NAMES, all_labels, classes, limit, strict=strict)
        return cls(folder, labels, rows, len(all_labels), ignored)

    def read(self, corruption: CorruptionConfig, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The images of (n,) rows: (n, 3, 32, 32) uint8, and (n,) bool: all can be read."""
        path = self.folder / f"{corruption.kind}.npy"
        array, expected = _load(path), (self.count * len(SEVERITIES), SIDE, SIDE, 3)
        if array.dtype != np.uint8 or array.shape != expected:
            raise InputError(
                f"{path} must be uint8 of shape {expected}, got {array.dtype} of shape "
                f"{array.shape}: unpack the archive again"
            )
        images = array[self.rows[rows].numpy() + (corruption.severity - 1) * self.count]
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return pixels, torch.ones(len(pixels), dtype=torch.bool)

    def digests(self, corruption: CorruptionConfig) -> list[bytes]:
        """Of each image with its label."""
        pixels, _ = self.read(corruption, torch.arange(len(self.labels)))
        return image_digests(pixels, self.labels)


def draw_rows(
    names: Sequence[str],
    labels: NDArray[np.int64],
    classes: Classes,
    limit: int | None,
    *,
    strict: bool,
) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Choose images of a model's classes, spread evenly over them.

    Args:
        names: The set's class names, by label.
        labels: (N,) of its images.
        classes: The model's (id, name) pairs.
        limit: At most so many images.
        strict: Whether a class that the model does not know is an error.

    Returns:
        (n,) rows of the images, (n,) the model's labels, and the set's classes it does not know.
    """
    label_of = match_folders(names, classes, strict=strict)
    by_class = [
        [(int(row), label) for row in np.flatnonzero(labels == names.index(name))]
        for name, label in label_of.items()
    ]
    rows, model_labels = torch.tensor(sorted(draw_evenly(by_class, limit))).unbind(1)
    return rows, model_labels, tuple(name for name in names if name not in label_of)


def is_cifar10_c(folder: Path) -> bool:
    """Whether there are labels and at least one corruption beside them."""
    return (folder / "labels.npy").is_file() and bool(_kinds_in(folder))


def corruptions_in(folder: Path) -> tuple[tuple[str, int], ...]:
    """Kind and severity of every corruption that is there, in the article's order.

    Raises:
        InputError: If there are no labels, or no corruption.
    """
    _labels(folder)
    return tuple((kind, severity) for kind in _kinds_in(folder) for severity in SEVERITIES)


def _kinds_in(folder: Path) -> list[str]:
    return [kind for kind in ALL_CORRUPTIONS if (folder / f"{kind}.npy").is_file()]


def _labels(folder: Path) -> NDArray[np.int64]:
    """Of the test images, once: the file repeats them for each severity."""
    if not is_cifar10_c(folder):
        raise InputError(
            f"cifar10-c has labels.npy and files such as fog.npy, and {folder} has not: give the "
            "folder that the archive unpacks to, CIFAR-10-C"
        )
    path = folder / "labels.npy"
    labels = _load(path)
    first = labels.reshape(-1)[: labels.size // len(SEVERITIES)]
    repeated = first.size and np.array_equal(labels, np.tile(first, len(SEVERITIES)))
    if not repeated or labels.dtype.kind not in "iu" or not set(first.tolist()) <= {*range(10)}:
        raise InputError(
            f"{path} must repeat whole numbers from 0 to 9 for each of the five severities: unpack "
            "the archive again"
        )
    return first.astype(np.int64)


def _load(path: Path) -> NDArray[Any]:
    """An array that stays on disk; a pickle is refused, for it could run code."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is no NumPy array: {error}; unpack the archive again") from error
    return array
