"""From a kind's name to what it does to a batch."""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from advprop_core.pictures.corruptions import (
    CorruptionConfig,
    blur,
    digital,
    noise,
    spatter,
    weather,
)
from advprop_core.pictures.draws import Seed
from advprop_core.pictures.pixels import checked_pixels

Corruption = Callable[[Tensor, int, Seed], Tensor]
"""Takes float32 pixels (N,3,H,W), severity and seed or seeds; gives pixels before clamping."""

SMALLEST: Final = 32
"""Fewest pixels per side: below it the widest kernels would see nothing but mirror images."""

APPLIERS: Final[dict[str, Corruption]] = {
    function.__name__: function
    for function in (
        *(noise.gaussian_noise, noise.shot_noise, noise.impulse_noise),
        *(blur.defocus_blur, blur.glass_blur, blur.motion_blur, blur.zoom_blur),
        *(weather.snow, weather.frost, weather.fog, weather.brightness),
        *(digital.contrast, digital.elastic_transform, digital.pixelate, digital.jpeg_compression),
        *(noise.speckle_noise, blur.gaussian_blur, spatter.spatter, digital.saturate),
    )
}
"""What carries out each kind."""


@torch.no_grad()
def corrupt(
    pixels: Tensor, config: CorruptionConfig, *, seeds: Sequence[int] | None = None
) -> Tensor:
    """Corrupts pixels as ImageNet-C does (Hendrycks and Dietterich, arXiv 1903.12261).

    The result for a sample depends on the seed, its place in the batch, its size and its own
    pixels; not on the other samples, their number or any global generator. Give every batch of a
    data set its own seed, or all of them repeat the same draws. Work is done in float32 on the
    device of the pixels, except that random numbers are drawn, and JPEG is coded, on the CPU.

    Args:
        pixels: Floats (N,3,H,W) in [0,1], H and W at least 32. The severities are those of the
            paper at 224×224.
        config: Kind, severity and seed.
        seeds: One per sample, instead of the configuration's: a sample then comes out as it would
            alone under its own seed, wherever it lies and however a data set is cut into batches.

    Returns:
        A new tensor of the same shape, type and device, in [0,1], without gradient.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or range, or are too small, or a kind with chance
            is not given one of `seeds` per sample.
    """
    clean = checked_pixels(pixels)
    if min(pixels.shape[2:]) < SMALLEST:
        raise ValueError(
            f"pixels must be at least {SMALLEST} high and wide, got {tuple(pixels.shape)}: enlarge "
            "them first, best to 224."
        )
    if not len(clean):
        return clean
    seed = config.seed if seeds is None else seeds
    return APPLIERS[config.kind](clean.float(), config.severity, seed).clamp(0, 1).to(clean)
