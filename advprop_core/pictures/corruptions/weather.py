"""Weather: snow, frost, fog and brightness."""

from typing import Final

import torch
from torch import Tensor

from advprop_core.pictures.corruptions.crystals import frost_textures
from advprop_core.pictures.corruptions.plasma import plasma
from advprop_core.pictures.draws import Seed, normal, streams, uniform, whole
from advprop_core.pictures.filters import luma, streak, zoom_in

SNOW: Final = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
"""Mean and standard deviation of the normal draw that flakes are the peaks of, how much they are
enlarged, what they must exceed, half the length of their path and the standard deviation along it
in pixels, and the weight of the photo against its whitened self."""
FROST: Final = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
"""Weights of the photo and of the frost."""
FOG: Final = ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))
"""Strength of the fog, where a photo's white is 1, and decay of its clouds."""
BRIGHTNESS: Final = (0.1, 0.2, 0.3, 0.4, 0.5)
"""What is added to the largest channel."""

_FOG_SIDE = 256


def snow(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Whitens the photo and lets blurred flakes fall, mostly downwards, over it."""
    mean, spread, size, threshold, radius, sigma, photo = SNOW[severity - 1]
    draws = streams(seed, len(pixels))
    field = mean + spread * normal(draws, 1, *pixels.shape[2:])
    angles = -90 + 45 * uniform(draws, 1).flatten()
    layer = zoom_in(field.to(pixels.device), size)
    layer = torch.where(layer < threshold, 0.0, layer.clamp(max=1))
    flakes = streak(layer, radius, sigma, angles.tolist())
    white = torch.maximum(pixels, 1.5 * luma(pixels) + 0.5)
    # The flakes fall twice, the second time turned upside down, as in the published script.
    return photo * pixels + (1 - photo) * white + flakes + flakes.rot90(2, (2, 3))


def frost(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Lays frost over the photo: a random part of one of the textures drawn in `crystals`."""
    photo, ice = FROST[severity - 1]
    textures = frost_textures()
    draws = streams(seed, len(pixels))
    chosen = whole(draws, 0, len(textures), 1).flatten().tolist()
    corners = whole(draws, 0, textures.shape[-1], 2).tolist()
    height, width = pixels.shape[2:]
    parts = []
    for index, (top, left) in zip(chosen, corners, strict=True):  # textures repeat seamlessly
        rows = (top + torch.arange(height)) % textures.shape[2]
        columns = (left + torch.arange(width)) % textures.shape[3]
        parts.append(textures[index][:, rows[:, None], columns])
    return photo * pixels + ice * torch.stack(parts).to(pixels.device)


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
