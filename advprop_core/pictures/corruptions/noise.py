"""Noise: Gaussian, shot, impulse and speckle. Channels are drawn on their own."""

from typing import Final

import torch
from torch import Tensor

from advprop_core.pictures.draws import Seed, normal, poisson, streams, uniform

GAUSSIAN: Final = (0.08, 0.12, 0.18, 0.26, 0.38)
"""Standard deviation, pixel units."""
PHOTONS: Final = (60, 25, 12, 5, 3)
"""Photons counted where a channel is 1."""
IMPULSES: Final = (0.03, 0.06, 0.09, 0.17, 0.27)
"""Fraction of values replaced by 0 or 1."""
SPECKLE: Final = (0.15, 0.2, 0.35, 0.45, 0.6)
"""Standard deviation as a fraction of the value."""


def gaussian_noise(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Adds noise of the same strength everywhere, as in dim light."""
    return pixels + GAUSSIAN[severity - 1] * _normal(pixels, seed)


def shot_noise(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Counts few photons: Poisson noise, absent where a channel is 0."""
    photons = PHOTONS[severity - 1]
    counts = poisson(streams(seed, len(pixels)), pixels * photons)
    return (counts / photons).to(pixels.device)


def impulse_noise(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Replaces values by 0 or 1, equally often: salt and pepper per channel."""
    lot = uniform(streams(seed, len(pixels)), *pixels.shape[1:]).to(pixels.device)
    # lots are even over [-1,1): their outer ends hold the fraction to replace
    edge = 1 - IMPULSES[severity - 1]
    return torch.where(lot < -edge, 0.0, torch.where(lot >= edge, 1.0, pixels))


def speckle_noise(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Adds noise that grows with the value."""
    return pixels * (1 + SPECKLE[severity - 1] * _normal(pixels, seed))


def _normal(pixels: Tensor, seed: Seed) -> Tensor:
    return normal(streams(seed, len(pixels)), *pixels.shape[1:]).to(pixels.device)
