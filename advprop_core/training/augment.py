"""Augmentation of whole batches on their device; every image draws its own."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.filters import luma
from advprop_core.pictures.noise import NOISES, draw_noise
from advprop_core.training.recipe import Augmentation


def augment(images: Tensor, size: int, recipe: Augmentation, generator: torch.Generator) -> Tensor:
    """Crops, flips, moves, colours and noises of the recipe, in that order.

    (N, 3, S, S) uint8 become (N, 3, size, size) float32 in [0, 1], channels-last. The generator is
    on their device. RandAugment, MixUp and CutMix are done elsewhere.
    """
    pixels = crop(images, size, recipe, generator)
    return recolor(move(pixels, recipe, generator), recipe, generator)


def recolor(pixels: Tensor, recipe: Augmentation, generator: torch.Generator) -> Tensor:
    """Colours and noises of the recipe, on (N, 3, H, W) in [0, 1]; channels-last."""
    if recipe.color_jitter:
        pixels = jitter_colors(pixels, recipe.color_jitter, generator)
    for kind in NOISES:
        if most := getattr(recipe, kind.replace("-", "_")):  # each image draws its own up to it
            severity = most * torch.rand(len(pixels), generator=generator, device=pixels.device)
            pixels = draw_noise(pixels, kind, severity, generator)
    return pixels.contiguous(memory_format=torch.channels_last)


def crop(images: Tensor, size: int, recipe: Augmentation, generator: torch.Generator) -> Tensor:
    """Random resized crop and horizontal flip in one resampling; see :func:`augment`."""
    count = len(images)
    draws = torch.rand(5, count, generator=generator, device=images.device)
    area, ratio, x, y, flip = draws
    area = recipe.crop_scale + (1 - recipe.crop_scale) * area
    # A side cannot be longer than the photo, so large crops are nearly square.
    log_ratio = ((ratio * 2 - 1) * math.log(4 / 3)).clamp(area.log(), -area.log())
    width = (area.sqrt() * (log_ratio / 2).exp()).clamp_max(1)
    height = (area.sqrt() * (-log_ratio / 2).exp()).clamp_max(1)
    mirrored = flip < (0.5 if recipe.flip else 0.0)
    theta = torch.zeros(count, 2, 3, device=images.device)
    theta[:, 0, 0] = width * torch.where(mirrored, -1.0, 1.0)
    theta[:, 1, 1] = height
    theta[:, 0, 2] = (x * 2 - 1) * (1 - width)
    theta[:, 1, 2] = (y * 2 - 1) * (1 - height)
    grid = F.affine_grid(theta, [count, 3, size, size], align_corners=False)
    pixels = F.grid_sample(
        images.float() / 255, grid, padding_mode="reflection", align_corners=False
    )
    return pixels.clamp(0, 1)


def move(pixels: Tensor, recipe: Augmentation, generator: torch.Generator) -> Tensor:
    """Shift and rotation of (N, 3, S, S) in [0, 1]; as they came where the recipe has neither."""
    if not (recipe.shift or recipe.rotation):
        return pixels
    count, _, size, _ = pixels.shape
    draws = torch.rand(3, count, generator=generator, device=pixels.device) * 2 - 1
    angle = draws[0] * math.radians(recipe.rotation)
    # Whole pixels, so that a shift alone does not blur; the axes of the grid run from -1 to 1.
    x, y = ((recipe.shift + 0.5) * draws[1:]).round().clamp(-recipe.shift, recipe.shift) * 2 / size
    cosine, sine = angle.cos(), angle.sin()
    theta = torch.stack([cosine, -sine, x, sine, cosine, y], 1).view(count, 2, 3)
    grid = F.affine_grid(theta, [*pixels.shape], align_corners=False)
    return F.grid_sample(pixels, grid, align_corners=False)


def jitter_colors(pixels: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation of (N, 3, H, W) in [0, 1], in that order.

    Each image has factors of its own, drawn from [1 - strength, 1 + strength].
    """
    draws = torch.rand(3, len(pixels), 1, 1, 1, generator=generator, device=pixels.device)
    brightness, contrast, saturation = 1 + strength * (draws * 2 - 1)
    pixels = (pixels * brightness).clamp(0, 1)
    mean = luma(pixels).mean((2, 3), keepdim=True)
    pixels = torch.lerp(mean.expand_as(pixels), pixels, contrast).clamp(0, 1)
    return torch.lerp(luma(pixels).expand_as(pixels), pixels, saturation).clamp(0, 1)
