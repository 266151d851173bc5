"""The new task: its images, and which of them a network is shown."""

from collections.abc import Sequence
from itertools import chain, zip_longest

import torch
from torch import Tensor

from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.datasets.listed import ImageList
from advprop_core.datasets.memory import require_memory
from advprop_core.errors import InputError
from advprop_core.text import listing
from advprop_core.training.data import classes_without_images, list_split, list_val


def open_target(data: str) -> tuple[ImageList, ImageList]:
    """The task: images to draw from, and images to measure on, with the same classes.

    ``data`` is a folder with ``train`` and ``val`` or ``test``, a published or a built-in set.

    Raises:
        InputError: If there is no such data, it has one class alone, or its splits have other
            classes.
    """
    train = list_split(data, "train")
    test = list_val(data, train.classes)
    if test.ignored_classes:
        raise ClassMismatch(
            "train and val must hold the same classes. val alone has "
            f"{listing(test.ignored_classes)}"
        )
    if len(train.classes) < 2:
        raise InputError(
            f"{data} has one class only, {train.classes[0][1]}: a network has nothing to tell "
            "apart, give two or more"
        )
    for split, images in (("train", train), ("val", test)):
        if lacking := classes_without_images(images):
            raise InputError(f"{data} has no image of {listing(lacking)} in {split}")
    return train, test


def require_enough(train: ImageList, num_images: Sequence[int]) -> None:
    """Refuse, by an InputError, more images than there are, and fewer than classes."""
    if (most := max(num_images)) > len(train):
        raise InputError(
            f"num_images is {most}, but {train.name} has {len(train)} training images: lower it"
        )
    classes = len(train.classes)
    if (fewest := min(num_images)) < classes:
        raise InputError(
            f"num_images is {fewest}, but {train.name} has {classes} classes: some would have no "
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


class Drawn:
    """Every image that some cell of a grid needs, each once: the training images, then the test's.

    Args:
        train: What training images are drawn from.
        test: What test images are drawn from.
        most: How many training images of each seed.
        seeds: How many there are.
        test_images: At most how many test images.

    Attributes:
        train, test: The images.
        positions: Seed to the positions of its images among all of them, in the order in which
            larger sets add to smaller ones.
        test_positions: Positions of the test images.
        labels: (M,) int64 class indices of all images.
    """

    def __init__(
        self, train: ImageList, test: ImageList, most: int, seeds: int, test_images: int
    ) -> None:
        draws = [draw(train.labels, most, seed) for seed in range(seeds)]
        rows = sorted({*chain.from_iterable(draws)})
        position_of = {row: position for position, row in enumerate(rows)}
        self.positions = [[position_of[row] for row in drawn] for drawn in draws]
        self.train = train.select(rows)
        self.test = test.select(sorted(draw(test.labels, test_images, 0)))
        self.test_positions = range(len(rows), len(rows) + len(self.test))
        self.labels = torch.cat([self.train.labels, self.test.labels])

    def read(self, size: int) -> Tensor:
        """All images: (M, 3, size, size) uint8.

        Raises:
            ImageError: If one cannot be read; the message names its file.
            InputError: If the memory does not hold them.
        """
        require_memory(len(self.labels), size)
        return torch.cat([part.load(size, strict=True).pixels for part in (self.train, self.test)])
