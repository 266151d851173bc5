"""Blurs: defocus, motion, zoom and Gaussian; `glass_blur` has a file of its own."""

from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.draws import Seed, streams, uniform
from advprop_core.pictures.filters import smooth, streak, zoom_in

GAUSSIAN: Final = (1, 2, 3, 4, 6)
"""Standard deviation, pixels."""
DISCS: Final = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
"""Radius of the disc and standard deviation of what softens its rim, pixels."""
MOTION: Final = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))
"""Half the length of the line and standard deviation along it, pixels."""
ZOOMS: Final = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
"""End and step of the factors, which start at 1, as `numpy.arange` takes them."""


def gaussian_blur(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Blurs evenly in all directions."""
    return smooth(pixels, GAUSSIAN[severity - 1])


def defocus_blur(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Blurs by a disc, as a lens that is out of focus; the picture is mirrored at its rim."""
    kernel = disc(*DISCS[severity - 1]).to(pixels)
    reach = len(kernel) // 2
    padded = F.pad(pixels, [reach] * 4, mode="reflect")
    # sample by sample: with several threads, the last bits of a transform may depend on N
    return torch.stack([_correlated(sample, kernel) for sample in padded])


def _correlated(sample: Tensor, kernel: Tensor) -> Tensor:
    """Correlates (3,H,W) with a symmetric kernel where it fits, as a product of spectra."""
    height, width = sample.shape[1:]
    size = [-16 * (-side // 16) for side in (height, width)]  # small factors are fast
    spectrum = torch.fft.rfft2(sample, s=size) * torch.fft.rfft2(kernel, s=size)
    blurred: Tensor = torch.fft.irfft2(spectrum, s=size)
    return blurred[:, len(kernel) - 1 : height, len(kernel) - 1 : width]


def disc(radius: int, softness: float) -> Tensor:
    """(K,K) float64, K odd: a disc whose rim is softened by a Gaussian.

    Softening mirrors the kernel at its own rim, which radius 8 and 10 reach: their sums are 1.013
    and 1.011, as published; those of the others are 1.
    """
    reach, soft = (8, 1) if radius <= 8 else (radius, 2)
    squared = torch.arange(-reach, reach + 1, dtype=torch.float64).square()
    hard = (squared[:, None] + squared <= radius**2).double()
    taps = torch.exp(-0.5 * (torch.arange(-soft, soft + 1).double() / softness).square())
    softener = torch.outer(taps, taps) / taps.sum().square()
    padded = F.pad((hard / hard.sum())[None, None], [soft] * 4, mode="reflect")
    return F.conv2d(padded, softener[None, None])[0, 0]


def motion_blur(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Blurs along a line, at an angle of up to 45° to the horizontal that differs by sample."""
    radius, sigma = MOTION[severity - 1]
    angles = 45 * uniform(streams(seed, len(pixels)), 1).flatten()
    return streak(pixels, radius, sigma, angles.tolist())


def zoom_blur(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Averages the photo with ever larger versions of it, as when zooming during exposure."""
    # numpy.arange, since its own rounding decides at severity 1 that the end is among the factors
    factors = np.arange(1, *ZOOMS[severity - 1]).tolist()
    total = pixels.clone()
    for factor in factors:
        total += zoom_in(pixels, factor)
    return total / (len(factors) + 1)
