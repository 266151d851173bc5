"""Corrupted images that are read from files, a batch at a time."""

from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.evaluation.results import Answers
from advprop_core.pictures.corruptions import CorruptionConfig

_BATCH = 64
NOT_SHOWN = -1
"""Stands for the predicted class of an image that could not be read."""


class Stored(Protocol):
    """The same images under every corruption of a published set."""

    @property
    def labels(self) -> Tensor:
        """(N,) int64."""
        ...

    def read(self, corruption: CorruptionConfig, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, H, W) uint8 of the images at (n,) places, and (n,) bool: which can be read."""
        ...

    def digests(self, corruption: CorruptionConfig) -> list[bytes]:
        """For each image what changes when it or its label does under a corruption."""
        ...


def marked(answers: Answers, shown: Tensor) -> Answers:
    """Answers that say which images, (N,) bool, were shown: the others predict `NOT_SHOWN`."""
    return replace(answers, predicted=answers.predicted.where(shown, NOT_SHOWN))


def resized(pixels: Tensor, size: int) -> Tensor:
    """Pixels (N, 3, H, W) in [0, 1] at a network's size; the same tensor where they have it."""
    if pixels.shape[-1] == size:
        return pixels
    fitted = F.interpolate(pixels, (size, size), mode="bicubic", antialias=True)
    return fitted.clamp(0, 1)


def as_small_as(images: Tensor, size: int) -> Tensor:
    """Images (N, 3, H, W) uint8 at a network's size; the same tensor where they have it."""
    if images.shape[-1] == size:
        return images
    small = torch.empty((len(images), 3, size, size), dtype=torch.uint8)
    for start in range(0, len(images), _BATCH):
        pixels = images[start : start + _BATCH].float() / 255
        small[start : start + _BATCH] = (resized(pixels, size) * 255).round().byte()
    return small


def empty_images(size: int) -> Tensor:
    """What a subject holds that is asked about stored corruptions alone: no image of its size."""
    return torch.empty((0, 3, size, size), dtype=torch.uint8)
