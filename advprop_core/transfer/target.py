"""The new task: its images, and which of them a network is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Self

import torch
from torch import Tensor

from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.datasets.layouts import CORRUPTED, find_place
from advprop_core.datasets.listed import ImageList, list_images
from advprop_core.datasets.memory import require_memory
from advprop_core.datasets.named import BUILTIN
from advprop_core.errors import InputError
from advprop_core.text import listing
from advprop_core.training.data import folder_of, require_splits, root_of
from advprop_core.training.network import Classes


@dataclass(frozen=True, eq=False)
class Target:
    """A task to learn.

    Attributes:
        name: Of the data, as it was given.
        classes: (id, name) by label.
        train: Images to draw from.
        test: Images to measure on.
    """

    name: str
    classes: Classes
    train: ImageList
    test: ImageList


def open_target(data: str) -> Target:
    """The images of a folder with ``train`` and ``val`` or ``test``, a published or built-in set.

    Raises:
        InputError: If there is no such data, it has one class alone, or its splits have other
            classes.
    """
    place = None if data in BUILTIN else find_place(data)
    if place is not None and place.kind in CORRUPTED:
        raise InputError(f"{data} holds corruptions of {place.title}'s images: nothing to train on")
    if data in BUILTIN or (place is not None and place.is_arrays):
        train_name = test_name = data
    else:
        root = root_of(data)
        require_splits(root, data)
        train_name, test_name = (str(folder_of(root, split)) for split in ("train", "val"))
    train = list_images(train_name, split="train")
    try:
        test = list_images(test_name, split="val", classes=train.classes)
    except ClassMismatch as error:
        raise ClassMismatch(f"train and val must hold the same classes. {error}") from None
    if test.ignored_classes:
        raise ClassMismatch(
            "train and val must hold the same classes. val alone has "
            f"{listing(test.ignored_classes)}"
        )
    target = Target(data, train.classes, train, test)
    _require_classes(target)
    return target


def _require_classes(target: Target) -> None:
    """There must be something to tell apart, and to measure it on."""
    if len(target.classes) < 2:
        raise InputError(
            f"{target.name} has one class only, {target.classes[0][1]}: a network has nothing to "
            "tell apart, give two or more"
        )
    for split, part in (("train", target.train), ("val", target.test)):
        seen = set(part.labels.tolist())
        if lacking := [name for label, (_, name) in enumerate(target.classes) if label not in seen]:
            raise InputError(f"{target.name} has no image of {listing(lacking)} in {split}")


def require_enough(target: Target, num_images: Sequence[int]) -> None:
    """Refuse, by an InputError, more images than there are, and fewer than classes."""
    count, classes = len(target.train.labels), len(target.classes)
    if (most := max(num_images)) > count:
        raise InputError(
            f"num_images is {most}, but {target.name} has {count} training images: lower it"
        )
    if (fewest := min(num_images)) < classes:
        raise InputError(
            f"num_images is {fewest}, but {target.name} has {classes} classes: some would have no "
            f"image, give {classes} or more"
        )


def draw(labels: Tensor, count: int, seed: int) -> list[int]:
    """Rows of images, from the classes in turn; the first of them are what a smaller count draws.

    Args:
        labels: (N,) class indices.
        count: How many images.
        seed: Another gives other images.
    """
    generator = torch.Generator().manual_seed(seed)
    by_class = [
        rows[torch.randperm(len(rows), generator=generator)].tolist()
        for rows in ((labels == label).nonzero().flatten() for label in labels.unique())
    ]
    in_turn = chain.from_iterable(zip_longest(*by_class))
    return [row for row in in_turn if row is not None][:count]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Every image that some cell of a grid needs, each once.

    Attributes:
        target: Whose images they are.
        train_rows: Rows of ``target.train``.
        test_rows: Rows of ``target.test``.
        positions: Seed to the positions of its images among all of them, in the order in which
            larger sets add to smaller ones. Test images follow behind the training images.
    """

    target: Target
    train_rows: tuple[int, ...]
    test_rows: tuple[int, ...]
    positions: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, target: Target, most: int, seeds: int, test_images: int) -> Self:
        """The first ``most`` images of each seed, and the test images."""
        draws = [draw(target.train.labels, most, seed) for seed in range(seeds)]
        rows = sorted({row for drawn in draws for row in drawn})
        position_of = {row: position for position, row in enumerate(rows)}
        positions = tuple(tuple(position_of[row] for row in drawn) for drawn in draws)
        test_rows = sorted(draw(target.test.labels, test_images, 0))
        return cls(target, tuple(rows), tuple(test_rows), positions)

    def __len__(self) -> int:
        """How many images, of both splits."""
        return len(self.train_rows) + len(self.test_rows)

    @property
    def test_positions(self) -> range:
        """Positions of the test images."""
        return range(len(self.train_rows), len(self))

    @property
    def labels(self) -> Tensor:
        """(M,) int64 class indices of all images."""
        train, test = self.target.train.labels, self.target.test.labels
        return torch.cat([train[list(self.train_rows)], test[list(self.test_rows)]])

    def read(self, size: int) -> Tensor:
        """All images: (M, 3, size, size) uint8."""
        require_memory(len(self), size)
        parts = [
            self.target.train.read(self.train_rows, size),
            self.target.test.read(self.test_rows, size),
        ]
        return torch.cat(parts)
