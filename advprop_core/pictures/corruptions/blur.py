"""Blurs: defocus, glass, motion, zoom and Gaussian."""

from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.draws import Seed, streams, uniform, whole
from advprop_core.pictures.filters import smooth, streak, zoom_in

GAUSSIAN: Final = (1, 2, 3, 4, 6)
"""Standard deviation, pixels."""
DISCS: Final = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
"""Radius of the disc and standard deviation of what softens its rim, pixels."""
GLASS: Final = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
"""Standard deviation of the blur, farthest exchange in pixels, and number of rounds."""
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


def glass_blur(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Blurs as ribbed glass does: smooths, scatters pixels over their surroundings, smooths again.

    The authors' script visits pixels from the last to the first and means to swap each with a
    random near one. As NumPy carries it out, the visited pixel takes the other's colour and the
    other keeps it; and since colours taken earlier may be passed on, they can travel far. The
    same is done here, exactly, by following all chains at once. No rounding to 8 bits is done
    before the scattering.
    """
    sigma, reach, rounds = GLASS[severity - 1]
    height, width = pixels.shape[2:]
    steps = whole(streams(seed, len(pixels)), -reach, reach, rounds, 2, height, width)
    source = torch.arange(height * width, device=pixels.device).expand(len(pixels), -1)
    for turn in steps.to(pixels.device).unbind(1):
        source = source.gather(1, scatter_sources(turn[:, 0], turn[:, 1], reach))
    colours = smooth(pixels, sigma).flatten(2)
    scattered = colours.gather(2, source[:, None].expand(-1, 3, -1))
    return smooth(scattered.view_as(pixels), sigma)


def scatter_sources(down: Tensor, along: Tensor, reach: int) -> Tensor:
    """Where every pixel's colour comes from after a round: (N,H*W) indices into the picture.

    Pixels are visited from the last to the first, except a rim of `reach` pixels (one more at the
    top and left), and each takes the colour that its partner has at that moment. The partner lies
    (N,H,W) pixels below and to the right, whole numbers in -reach … reach-1.
    """
    height, width = down.shape[1:]
    indices = torch.arange(height * width, device=down.device)
    visited = torch.zeros(height, width, dtype=torch.bool, device=down.device)
    visited[reach + 1 : height - reach + 1, reach + 1 : width - reach + 1] = True
    source = indices + ((down * width + along) * visited).flatten(1)
    # A partner farther on was visited before: it passes on what it has taken itself.
    passed_on = (source > indices) & visited.flatten()[source]
    while passed_on.any():  # every turn doubles how far chains have been followed
        further = source.gather(1, source)
        still = passed_on.gather(1, source)
        source = torch.where(passed_on, further, source)
        passed_on = passed_on & still
    return source


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
