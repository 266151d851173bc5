"""Weather: snow, frost, fog and brightness.

Each function takes float32 pixels (N,3,H,W) in [0,1], a severity of 1-5 and a seed, and returns
pixels of the same shape and device that `apply` clamps to [0,1].
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor

from advprop_core.pictures.corruptions.crystals import frost_textures
from advprop_core.pictures.corruptions.plasma import plasma
from advprop_core.pictures.draws import Seed, normal, streams, uniform, whole
from advprop_core.pictures.filters import luma, streak, zoom_in


class Snowfall(NamedTuple):
    """How much it snows, and how.

    Attributes:
        mean: Of the normal draw that flakes are the peaks of.
        spread: Its standard deviation.
        size: How much flakes are enlarged, pixels.
        threshold: What a flake must exceed.
        radius: Half the length of a flake's path, pixels.
        sigma: Standard deviation along the path, pixels.
        kept: Weight of the photo against its whitened self.
    """

    mean: float
    spread: float
    size: float
    threshold: float
    radius: int
    sigma: float
    kept: float


SNOW: Final = (
    Snowfall(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    Snowfall(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    Snowfall(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    Snowfall(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    Snowfall(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
FROST: Final = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
"""Weights of the photo and of the frost."""
FOG: Final = ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))
"""Strength of the fog, where a photo's white is 1, and decay of its clouds."""
BRIGHTNESS: Final = (0.1, 0.2, 0.3, 0.4, 0.5)
"""What is added to the largest channel."""

_FOG_SIDE = 256


def snow(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Whitens the photo and lets blurred flakes fall, mostly downwards, over it."""
    fall = SNOW[severity - 1]
    white = torch.maximum(pixels, 1.5 * luma(pixels) + 0.5)
    flakes = _flakes(pixels, fall, seed)
    return fall.kept * pixels + (1 - fall.kept) * white + flakes + flakes.rot90(2, (2, 3))


def _flakes(pixels: Tensor, fall: Snowfall, seed: Seed) -> Tensor:
    """(N,1,H,W) in [0,1]: how much white the flakes add."""
    draws = streams(seed, len(pixels))
    field = fall.mean + fall.spread * normal(draws, 1, *pixels.shape[2:])
    angles = -90 + 45 * uniform(draws, 1).flatten()
    layer = zoom_in(field.to(pixels.device), fall.size)
    layer = torch.where(layer < fall.threshold, 0.0, layer.clamp(max=1))
    return streak(layer, fall.radius, fall.sigma, angles.tolist())


def frost(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Lays frost over the photo: a random part of one of the textures drawn in `crystals`."""
    photo, ice = FROST[severity - 1]
    textures = frost_textures()
    draws = streams(seed, len(pixels))
    chosen = whole(draws, 0, len(textures), 1).flatten().tolist()
    corners = whole(draws, 0, textures.shape[-1], 2).tolist()
    height, width = pixels.shape[2:]
    parts = [
        _part(textures[index], top, left, height, width)
        for index, (top, left) in zip(chosen, corners, strict=True)
    ]
    return photo * pixels + ice * torch.stack(parts).to(pixels.device)


def _part(texture: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """(3,height,width) of a seamless texture, of which a part may reach beyond the rim."""
    rows = (top + torch.arange(height)) % texture.shape[1]
    columns = (left + torch.arange(width)) % texture.shape[2]
    return texture[:, rows[:, None], columns]


def fog(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Adds clouds and scales back, so that the photo's brightest value stays."""
    strength, decay = FOG[severity - 1]
    height, width = pixels.shape[2:]
    side = max(_FOG_SIDE, 1 << (max(height, width) - 1).bit_length())
    wobbles = uniform(streams(seed, len(pixels)), side, side).to(pixels.device)
    clouds = plasma(wobbles, decay)[:, None, :height, :width]
    brightest = pixels.amax((1, 2, 3), keepdim=True)
    return (pixels + strength * clouds) * (brightest / (brightest + strength))


def brightness(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Raises the value of HSV and leaves hue and saturation as they are."""
    value = pixels.amax(1, keepdim=True)
    raised = (value + BRIGHTNESS[severity - 1]).clamp(max=1)
    # black has no hue, and becomes grey
    return torch.where(value > 0, pixels * (raised / value), raised)
