"""Corrupted images that are read from files, a batch at a time."""

from dataclasses import replace

import torch
from torch import Tensor

from advprop_core.datasets.cifar import CorruptedArrays
from advprop_core.datasets.imagenet_c import CorruptedPhotos
from advprop_core.evaluation.results import Answers
from advprop_core.pictures.pixels import resized

_BATCH = 64
NOT_SHOWN = -1
"""Stands for the predicted class of an image that could not be read."""


Stored = CorruptedArrays | CorruptedPhotos
"""The same images under every corruption of a published set."""


def marked(answers: Answers, shown: Tensor) -> Answers:
    """Answers that say which images, (N,) bool, were shown: the others predict `NOT_SHOWN`."""
    return replace(answers, predicted=answers.predicted.where(shown, NOT_SHOWN))


def as_small_as(images: Tensor, size: int) -> Tensor:
    """Images (N, 3, H, W) uint8 at a network's size; the same tensor where they have it."""
    if images.shape[-1] == size:
        return images
    small = torch.empty((len(images), 3, size, size), dtype=torch.uint8)
    for start in range(0, len(images), _BATCH):
        pixels = images[start : start + _BATCH].float() / 255
        small[start : start + _BATCH] = (resized(pixels, size) * 255).round().byte()
    return small
