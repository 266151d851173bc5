"""Training images as one uint8 tensor, and their augmentation in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.datasets.named import BUILTIN, load_images
from advprop_core.training.recipe import Recipe

_MARGIN = 4 / 3  # stored side over training side, so that a crop keeps some detail


@dataclass(frozen=True)
class Split:
    """Images of one split, whole in memory.

    Attributes:
        images: (N, 3, S, S) uint8.
        labels: (N,) int64.
        classes: (id, name) of each class.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[tuple[str, str], ...]


def load_split(
    data: str,
    split: str,
    size: int,
    *,
    margin: bool = False,
    classes: Sequence[tuple[str, str]] | None = None,
) -> Split:
    """Read a data set's ``train`` or ``val`` split.

    Args:
        data: A built-in name, or a folder that holds ``train/`` and ``val/``.
        split: ``train`` or ``val``.
        size: Side the network sees.
        margin: Keep photos a third larger, for random crops.
        classes: The (id, name) pairs that labels count; by default those of this split.

    Raises:
        ValueError: If there is no such data, or its classes do not match.
    """
    builtin = data in BUILTIN
    stored = round(size * _MARGIN) if margin and not builtin else size
    source = data if builtin else str(Path(data) / split)
    images = load_images(source, stored, split=split, classes=classes)
    return Split(images.pixels, images.labels, images.classes)


def batches(
    split: Split, recipe: Recipe, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of augmented (pixels, labels) batches; the last partial batch is left out."""
    order = torch.randperm(len(split.labels), generator=generator)
    for start in range(0, len(order) - recipe.batch_size + 1, recipe.batch_size):
        chosen = order[start : start + recipe.batch_size]
        yield augment(split.images[chosen], recipe, generator), split.labels[chosen]


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Random resized crop and horizontal flip, each image its own, in one resampling.

    Args:
        images: (N, 3, S, S) uint8.
        recipe: Gives the side and the smallest crop.
        generator: Draws the crops.

    Returns:
        (N, 3, size, size) float32 in [0, 1].
    """
    count = len(images)
    area, ratio, x, y, flip = torch.rand(5, count, generator=generator)
    area = recipe.crop_scale + (1 - recipe.crop_scale) * area
    log_ratio = (ratio * 2 - 1) * math.log(4 / 3)
    width = (area.sqrt() * (log_ratio / 2).exp()).clamp_max(1)
    height = (area.sqrt() * (-log_ratio / 2).exp()).clamp_max(1)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = width * torch.where(flip < 0.5, -1.0, 1.0)
    theta[:, 1, 1] = height
    theta[:, 0, 2] = (x * 2 - 1) * (1 - width)
    theta[:, 1, 2] = (y * 2 - 1) * (1 - height)
    grid = F.affine_grid(theta, [count, 3, recipe.size, recipe.size], align_corners=False)
    pixels = F.grid_sample(
        images.float() / 255, grid, padding_mode="reflection", align_corners=False
    )
    return pixels.clamp(0, 1).contiguous(memory_format=torch.channels_last)
