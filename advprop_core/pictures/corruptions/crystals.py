"""Frost on a window, drawn: ferns of ice over a haze.

A fern is a bent stem with branches on both sides, which carry twigs, at angles near the 60° of
ice. All points of a texture are computed at once and counted into a canvas that repeats
seamlessly. Points and directions are complex numbers, right and down.
"""

import math
from functools import lru_cache
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.corruptions.plasma import plasma
from advprop_core.pictures.filters import smooth

SIDE: Final = 512
"""Pixels per side of a texture."""


WINDOWS: Final = (
    (22, 330, 0.42, 0.9, 0.45, (0.44, 0.55, 0.68)),
    (50, 190, 0.50, 0.6, 0.55, (0.55, 0.62, 0.70)),
    (14, 440, 0.30, 1.6, 0.35, (0.38, 0.50, 0.66)),
    (110, 120, 0.60, 0.4, 0.65, (0.60, 0.66, 0.72)),
    (34, 260, 0.36, 2.4, 0.50, (0.45, 0.56, 0.68)),
)
"""Of each texture: how many ferns it has, the length of the longest stem in pixels, that of the
lowest branches as a share of the stem's, how far a stem turns at most in radians, the weight of the
clouds of fine ice between the ferns, and the RGB of thin ice; thick ice is white."""

_GAP = 6  # points from branch to branch and from twig to twig: pixels, on the longest lines
_SIXTY = torch.polar(torch.ones(2), torch.tensor([math.pi / 3, -math.pi / 3]))  # to either side


@lru_cache(maxsize=1)
def frost_textures() -> Tensor:
    """Draws the textures, once.

    Returns:
        Float32 (5,3,512,512) in [0,1], on the CPU; opposite rims fit together. Do not write to it.
    """
    return torch.stack([_texture(*window, seed) for seed, window in enumerate(WINDOWS)])


def _texture(
    ferns: int,
    length: int,
    branch: float,
    bend: float,
    haze: float,
    tint: tuple[float, float, float],
    seed: int,
) -> Tensor:
    """(3,SIDE,SIDE): ferns, the glow around them and a grainy haze, coloured."""
    generator = torch.Generator().manual_seed(seed)
    wobbles = 2 * torch.rand(2, SIDE, SIDE, generator=generator) - 1
    clouds = plasma(wobbles[:1], 1.6)[0]
    stems = _stems(ferns, length, bend, generator)
    branches = _offshoots(stems, branch, generator)
    twigs = _offshoots(branches, 0.5 * branch, generator)
    traced = _traced(stems) + _traced(branches) + 0.4 * _traced(twigs)  # twigs are hair-thin
    needles = 1 - torch.exp(-0.5 * traced)
    crisp, glow = _seamless(needles, 0.5), _seamless(needles, 8)
    grain = 1 + 0.3 * wobbles[1]
    ice = (0.4 + 0.6 * clouds) * crisp + 0.35 * glow + haze * clouds.square() * grain
    ice = 1 - torch.exp(-1.9 * ice)
    colour = torch.tensor(tint)[:, None, None]  # of half thick ice: none is black, thick is white
    thin, thick = (2 * ice).clamp(0, 1), (2 * ice - 1).clamp(0, 1)
    return thin * colour + thick * (1 - colour)


def _seamless(picture: Tensor, sigma: float) -> Tensor:
    """Smooths a picture (H,W) that repeats."""
    margin = math.ceil(4 * sigma)
    padded = F.pad(picture[None, None], [margin] * 4, mode="circular")
    return smooth(padded, sigma)[0, 0, margin:-margin, margin:-margin]


class Lines(NamedTuple):
    """Lines of ice, each sampled at equally many points.

    Attributes:
        points: Complex (L,P), pixels.
        courses: Complex (L,P) of absolute value 1: where each line is heading.
        lengths: (L,) pixels.
    """

    points: Tensor
    courses: Tensor
    lengths: Tensor


def _stems(count: int, length: int, bend: float, generator: torch.Generator) -> Lines:
    x, y, heading, turn, size = torch.rand(5, count, 1, generator=generator)
    along = torch.linspace(0, 1, length)
    angles = 2 * math.pi * heading + bend * (2 * turn - 1) * along
    courses = torch.polar(torch.ones_like(angles), angles)
    lengths = length * (0.4 + 0.6 * size)
    points = SIDE * torch.complex(x, y) + courses.cumsum(1) * (lengths / length)
    return Lines(points, courses, lengths.flatten())


def _offshoots(lines: Lines, share: float, generator: torch.Generator) -> Lines:
    """Grows a line to either side of each, every few pixels, ever shorter towards its tip."""
    count = lines.points.shape[1]
    roots = torch.arange(_GAP, count, _GAP)
    bases = lines.points[:, roots, None]
    courses = (lines.courses[:, roots, None] * _SIXTY).flatten()[:, None]
    taper = share * (1 - roots / count)[:, None]
    vigour = 0.5 + 0.5 * torch.rand(len(lines.points), len(roots), 2, generator=generator)
    lengths = (lines.lengths[:, None, None] * taper * vigour).flatten()
    along = torch.linspace(0, 1, math.ceil(lengths.max().item()))
    points = bases.expand(-1, -1, 2).reshape(-1, 1) + courses * lengths[:, None] * along
    return Lines(points, courses.expand_as(points), lengths)


def _traced(lines: Lines) -> Tensor:
    """(SIDE,SIDE): what length of line lies in each pixel; what leaves the canvas comes back."""
    columns, rows = (part.floor().long() % SIDE for part in (lines.points.real, lines.points.imag))
    shares = (lines.lengths / lines.points.shape[1])[:, None].expand_as(rows)
    places = (rows * SIDE + columns).flatten()
    return torch.bincount(places, shares.flatten(), SIDE * SIDE).view(SIDE, SIDE)
