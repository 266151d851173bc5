"""From a kind's name to what it does to a batch."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

from advprop_core.pictures.corruptions import blur, digital, elastic, glass, noise, spatter, weather
from advprop_core.pictures.corruptions.kinds import CorruptionConfig
from advprop_core.pictures.draws import Seed
from advprop_core.pictures.pixels import checked_pixels

Corruption = Callable[[Tensor, int, Seed], Tensor]
"""Takes float32 pixels (N,3,H,W), severity and seed or seeds; gives pixels before clamping."""

SMALLEST: Final = 32
"""Fewest pixels per side: below it the widest kernels would see nothing but mirror images."""

APPLIERS: Final[Mapping[str, Corruption]] = MappingProxyType(
    {
        "gaussian_noise": noise.gaussian_noise,
        "shot_noise": noise.shot_noise,
        "impulse_noise": noise.impulse_noise,
        "defocus_blur": blur.defocus_blur,
        "glass_blur": glass.glass_blur,
        "motion_blur": blur.motion_blur,
        "zoom_blur": blur.zoom_blur,
        "snow": weather.snow,
        "frost": weather.frost,
        "fog": weather.fog,
        "brightness": weather.brightness,
        "contrast": digital.contrast,
        "elastic_transform": elastic.elastic_transform,
        "pixelate": digital.pixelate,
        "jpeg_compression": digital.jpeg_compression,
        "speckle_noise": noise.speckle_noise,
        "gaussian_blur": blur.gaussian_blur,
        "spatter": spatter.spatter,
        "saturate": digital.saturate,
    }
)
"""What carries out each kind."""


@torch.no_grad()
def apply(pixels: Tensor, config: CorruptionConfig, seeds: Sequence[int] | None = None) -> Tensor:
    """Corrupts pixels; see `advprop_core.pictures.corruptions.corrupt`, which is the way in.

    Args:
        pixels: Floats (N,3,H,W) in [0,1], H and W at least `SMALLEST`.
        config: Kind, severity and seed.
        seeds: One per sample instead of the configuration's.

    Returns:
        A new tensor of the same shape, type and device, in [0,1], without gradient.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or range, or are too small, or `seeds` are not
            one per sample.
    """
    clean = checked_pixels(pixels)
    _require_size(pixels)
    if seeds is not None and len(seeds) != len(pixels):
        raise ValueError(f"seeds must be one per sample, got {len(seeds)} for {len(pixels)}.")
    if not len(clean):
        return clean
    corrupted = APPLIERS[config.kind](
        clean.float(), config.severity, config.seed if seeds is None else seeds
    )
    return corrupted.clamp(0, 1).to(clean)


def _require_size(pixels: Tensor) -> None:
    if min(pixels.shape[2:]) < SMALLEST:
        raise ValueError(
            f"pixels must be at least {SMALLEST} high and wide, got {tuple(pixels.shape)}: enlarge "
            "them first, best to 224."
        )
