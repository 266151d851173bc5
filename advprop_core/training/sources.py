"""Training photos as augmented batches: kept on the device, or read from disk as they are used.

A batch depends on the recipe's seed, the number of its step and the process, and on nothing that
came before it, so that a run can be taken up at any step.
"""

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from timm.data import Mixup, create_transform
from timm.utils import random_seed
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from advprop_core.datasets.listed import ImageList, Unreadable
from advprop_core.datasets.memory import local_count
from advprop_core.errors import InputError
from advprop_core.pictures.formats import ImageError
from advprop_core.training.augment import augment, move, recolor
from advprop_core.training.batch import Batch, mixed_seed, world
from advprop_core.training.recipe import Recipe

_MEASURED = re.compile(r"[a-z]+\d+(\.\d+)?")
"""A part of timm's descriptions; what does not look so, timm passes over."""
_ORDER, _STEP, _COMMON, _AUGMENTATION = range(4)  # what a seed is for
_DAMAGED_IN_A_ROW = 10
_MOST_WORKERS = 16  # for each process


@dataclass(frozen=True, eq=False)
class InMemory:
    """Photos as one uint8 tensor, augmented in batches where they are.

    Attributes:
        images: (N, 3, S, S) uint8, on the device where batches are wanted.
        labels: (N,) int64.
        recipe: Sizes and augmentation.
        classes: Number of classes.
    """

    images: Tensor
    labels: Tensor
    recipe: Recipe
    classes: int

    def __len__(self) -> int:
        """Number of photos, on all processes."""
        return len(self.labels)

    def epoch(self, epoch: int, start: int, device: torch.device) -> Iterator[Batch]:
        """This process's batches of one epoch from step ``start`` on; partial ones are left out."""
        order = epoch_order(len(self), self.recipe, epoch).to(self.images.device)
        for number, indices in _deal(order, self.recipe, epoch, start):
            generator = _generator(self.recipe, number, self.images.device)
            pixels = augment(
                self.images[indices], self.recipe.size, self.recipe.augmentation, generator
            )
            yield _mixed(pixels, self.labels[indices], self.recipe, self.classes, number)


@dataclass(eq=False)
class OnDisk(Dataset[tuple[Tensor, int]]):
    """Photos that are decoded and augmented one by one in worker processes, through timm.

    Attributes:
        photos: Which photos; workers get the list as a pickle.
        recipe: Sizes and augmentation.
    """

    photos: ImageList
    recipe: Recipe

    def __post_init__(self) -> None:
        self.transform = _transform(self.recipe)

    def __len__(self) -> int:
        """Number of photos, on all processes."""
        return len(self.photos)

    def epoch(self, epoch: int, start: int, device: torch.device) -> Iterator[Batch]:
        """See :meth:`InMemory.epoch`."""
        # The loader keeps the order of its keys, whichever worker is first.
        dealt = list(_deal(epoch_order(len(self), self.recipe, epoch), self.recipe, epoch, start))
        keys = [[(epoch, int(i)) for i in chosen] for _, chosen in dealt]
        spare = (os.cpu_count() or 1) // local_count() - 1  # a core is the process's own
        loader = DataLoader(
            self,
            batch_sampler=keys,
            num_workers=max(1, min(_MOST_WORKERS, spare)),
            pin_memory=device.type == "cuda",
        )
        for (number, _), (images, labels) in zip(dealt, loader, strict=True):
            images, labels = (x.to(device, non_blocking=True) for x in (images, labels))
            generator = _generator(self.recipe, number, device)
            pixels = move(images.float() / 255, self.recipe.augmentation, generator)
            pixels = recolor(pixels, self.recipe.augmentation, generator)
            yield _mixed(pixels, labels, self.recipe, len(self.photos.classes), number)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        """(3, S, S) uint8 and label, drawn from (seed, epoch, photo) whichever worker runs it."""
        epoch, index = key
        image, label = self._readable(index)
        random_seed(mixed_seed(self.recipe.seed, epoch, index))  # which timm draws from
        return torch.as_tensor(self.transform(image)), label

    def _readable(self, index: int) -> tuple[Image.Image, int]:
        """The photo, or the next that can be read: one damaged file must not end a long run."""
        for row in range(index, index + _DAMAGED_IN_A_ROW):
            row %= len(self)
            photo = self.photos.open(self.photos.places[row], None)
            if not isinstance(photo, Unreadable):
                return photo, int(self.photos.labels[row])
            reason = f"{photo.path}: {photo.reason}"
            warnings.warn(f"{reason}; the next photo is used in its place", stacklevel=2)
        raise ImageError(reason)


Source = InMemory | OnDisk


def _transform(recipe: Recipe) -> Any:
    """Timm's training transform."""
    augmentation = recipe.augmentation
    refused = f"randaugment {augmentation.randaugment!r} is not timm's"
    for word in augmentation.randaugment.split("-")[1:]:
        if not _MEASURED.fullmatch(word):
            raise InputError(f"{refused}: {word!r} is not letters and a number, such as m9")
    try:
        return create_transform(
            recipe.size,
            is_training=True,
            use_prefetcher=True,  # leaves uint8, before mean and deviation
            scale=(augmentation.crop_scale, 1.0),
            hflip=0.5 if augmentation.flip else 0.0,
            color_jitter=0.0,  # done in batches, with the noises
            auto_augment=augmentation.randaugment or None,
            interpolation="bilinear",
        )
    except AssertionError as error:
        raise InputError(f"{refused}: {error}") from None


def _seed(recipe: Recipe, purpose: int, number: int) -> int:
    """Seed of one step for one purpose, on this process."""
    rank, _ = world()
    return mixed_seed(recipe.seed, purpose, number, rank)


def _generator(recipe: Recipe, number: int, device: torch.device) -> torch.Generator:
    return torch.Generator(device).manual_seed(_seed(recipe, _AUGMENTATION, number))


def epoch_order(count: int, recipe: Recipe, epoch: int) -> Tensor:
    """(count,) indices of the photos, in the order that an epoch shows them in."""
    generator = torch.Generator().manual_seed(mixed_seed(recipe.seed, _ORDER, epoch))
    return torch.randperm(count, generator=generator)


def _deal(order: Tensor, recipe: Recipe, epoch: int, start: int) -> Iterator[tuple[int, Tensor]]:
    """(step, this process's photos) of an epoch; its batch is every n-th of the global one."""
    rank, processes = world()
    steps = len(order) // recipe.batch_size
    for index in range(start, steps):
        whole = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
        yield epoch * steps + index, whole[rank::processes]


def _mixed(pixels: Tensor, labels: Tensor, recipe: Recipe, classes: int, number: int) -> Batch:
    """The batch, after MixUp or CutMix where the recipe has them."""
    seed = _seed(recipe, _STEP, number)
    targets = labels
    if recipe.augmentation.mixes:
        alphas = recipe.augmentation.mixup, recipe.augmentation.cutmix
        np.random.seed(seed)  # timm draws from the global generator
        pixels, targets = Mixup(*alphas, label_smoothing=0.0, num_classes=classes)(pixels, labels)
    return Batch(pixels, targets, seed, mixed_seed(recipe.seed, _COMMON, number))
