"""Spatter: drops of water (severities 1-3) or splashes of mud (4 and 5)."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.draws import Seed, normal, streams
from advprop_core.pictures.filters import smooth

DROPS: Final = (
    (0.65, 0.3, 4, 0.69),
    (0.65, 0.3, 3, 0.68),
    (0.65, 0.3, 2, 0.68),
    (0.65, 0.3, 1, 0.65),
    (0.67, 0.4, 1, 0.65),
)
"""Mean and standard deviation of the normal draw that drops are the peaks of, standard deviation
of the Gaussian that joins peaks to drops in pixels, and what a drop must exceed."""
BRIGHTNESS: Final = (0.6, 0.6, 0.5)
"""Of water, at severities 1-3; above, it is mud."""
MUD_RIM: Final = 1.5
"""How soft the rim of mud is, pixels."""
WATER: Final = (175 / 255, 238 / 255, 238 / 255)
"""Pale turquoise."""
MUD: Final = (63 / 255, 42 / 255, 20 / 255)
"""Brown."""

_FARTHEST = 20  # pixels; farther from a rim all depths count the same
_ONES: Final = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
_RELIEF: Final = ((-2, -1, 0), (-1, 1, 1), (0, 1, 2))  # slopes towards one corner are lit


def spatter(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Spatters the lens."""
    mean, spread, sigma, threshold = DROPS[severity - 1]
    draw = normal(streams(seed, len(pixels)), 1, *pixels.shape[2:]).to(pixels.device)
    wet = smooth(mean + spread * draw, sigma)
    is_water = severity <= len(BRIGHTNESS)
    colour = torch.tensor(WATER if is_water else MUD, device=pixels.device)[:, None, None]
    if is_water:
        return pixels + _sheen(wet, threshold, BRIGHTNESS[severity - 1]) * colour
    cover = smooth((wet > threshold).to(wet), MUD_RIM)
    cover = torch.where(cover < 0.8, 0.0, cover)
    return torch.lerp(pixels, colour, cover)


def _sheen(wet: Tensor, threshold: float, brightness: float) -> Tensor:
    """(N,1,H,W): how much light the drops throw back, lit from one corner."""
    inside = wet >= threshold
    layer = torch.where(inside, (wet * 255).floor().clamp(max=255), 0.0)
    depth = equalised(_box(rim_distance(inside)).floor())
    lit = _slide(depth, _RELIEF).clamp(0, 255)
    sheen = layer * _box(lit).round()
    return brightness * sheen / sheen.amax((2, 3), keepdim=True).clamp(min=1e-12)


def _slide(pictures: Tensor, kernel: tuple[tuple[int, ...], ...]) -> Tensor:
    """Correlates (N,1,H,W) with a 3×3 kernel; mirrored beyond the rim."""
    height, width = pictures.shape[2:]
    padded = F.pad(pictures, [1] * 4, mode="reflect")
    total = torch.zeros_like(pictures)
    # not conv2d, whose last bits may depend on N: levels and roundings would multiply them
    for down, row in enumerate(kernel):
        for along, weight in enumerate(row):
            total += weight * padded[..., down : down + height, along : along + width]
    return total


def _box(pictures: Tensor) -> Tensor:
    return _slide(pictures, _ONES) / 9


def rim_distance(inside: Tensor) -> Tensor:
    """(N,1,H,W) pixels, at most 20, from each pixel to the nearest rim of an area.

    The rim are the pixels inside that touch one outside by a side.
    """
    outside = F.pad((~inside).float(), [1] * 4)
    beside = outside[..., 1:-1, 2:] + outside[..., 1:-1, :-2]
    above_or_below = outside[..., 2:, 1:-1] + outside[..., :-2, 1:-1]
    on_rim = inside & (beside + above_or_below > 0)
    squared = torch.where(on_rim, 0.0, float(_FARTHEST**2))
    return _lowest_parabola(_lowest_parabola(squared).mT.contiguous()).mT.sqrt()


def _lowest_parabola(squared: Tensor) -> Tensor:
    """The smallest of squared + shift² along rows: a step of a squared distance transform."""
    width = squared.shape[-1]
    padded = F.pad(squared, [_FARTHEST, _FARTHEST], value=float(_FARTHEST**2))
    lowest = squared
    for shift in range(-_FARTHEST, _FARTHEST + 1):
        start = _FARTHEST + shift
        lowest = torch.minimum(lowest, padded[..., start : start + width] + shift**2)
    return lowest


def equalised(levels: Tensor) -> Tensor:
    """Spreads whole levels 0-20 over 0-255, so that each takes up room as it is frequent."""
    flat = levels.flatten(1).long()
    counts = torch.zeros(len(flat), _FARTHEST + 1, device=flat.device)
    counts.scatter_add_(1, flat, torch.ones_like(flat, dtype=counts.dtype))
    running = counts.cumsum(1)
    lowest = counts.gather(1, flat.amin(1, keepdim=True))
    table = 255 * (running - lowest).clamp(min=0) / (running[:, -1:] - lowest).clamp(min=1)
    return table.round().gather(1, flat).view_as(levels)
