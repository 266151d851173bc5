"""The class outlines of TextureShapes, as signed distance fields of equal area."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from advprop_core.datasets.texture_shapes.textures import Field, pixel_centres

Loop = NDArray[np.float64]  # (N, 2) corners of one closed polygon, x right and y down

FIELD_SIZE = 256  # samples along each side of a distance field
FIELD_REACH = 2.25  # a field covers [-FIELD_REACH, FIELD_REACH] in both directions
_CORNER_RADIUS = 0.05


def _polar(radii: Sequence[float] | Loop) -> Loop:
    angles = -math.pi / 2 + 2 * math.pi * np.arange(len(radii)) / len(radii)
    loop: Loop = np.stack((np.cos(angles), np.sin(angles)), axis=1) * np.asarray(radii)[:, None]
    return loop


def _arc(centre: float, radius: float, first: float, last: float, count: int) -> Loop:
    angles = np.linspace(first, last, count)
    return np.stack((centre + radius * np.cos(angles), radius * np.sin(angles)), axis=1)


def _heart() -> Loop:
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = 15 * np.sin(t) ** 3 + 2 * np.sin(t)
    y = -13 * np.cos(t) + 5 * np.cos(2 * t) + 2 * np.cos(3 * t)
    return np.stack((x, y), axis=1)


def _crescent() -> Loop:
    bite_centre, bite_radius = 0.52, 0.74
    tip_x = (1 - bite_radius**2 + bite_centre**2) / (2 * bite_centre)
    tip = math.acos(tip_x)
    inner_tip = math.acos((tip_x - bite_centre) / bite_radius)
    outer = _arc(0.0, 1.0, tip, 2 * math.pi - tip, 48)
    inner = _arc(bite_centre, bite_radius, 2 * math.pi - inner_tip, inner_tip, 32)
    return np.concatenate((outer, inner[1:-1]))


def _cross() -> Loop:
    arm, half = 1.0, 0.34
    corner = np.array([(arm, -half), (arm, half), (half, half)])
    turns = [np.array([[c, s], [-s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    return np.concatenate([corner @ turn for turn in turns])


def _fish() -> Loop:
    t = np.linspace(0.0, 1.0, 25)  # from the nose to where the tail begins
    x, half_height = 1.0 - 1.65 * t, 0.64 * np.sin(np.pi * t**0.8) ** 0.8 + 0.10 * t
    back, belly = np.stack((x, -half_height), 1), np.stack((x, half_height), 1)[::-1]
    tail = np.array([(-1.08, -0.58), (-0.90, 0.0), (-1.08, 0.58)])
    return np.concatenate((back, tail, belly[:-1]))


OUTLINES: dict[str, list[Loop]] = {
    "star": [_polar([1.0, 0.47] * 5)],
    "heart": [_heart()],
    "crescent": [_crescent()],
    "arrow": [np.array([
        (-1.0, -0.32), (0.05, -0.32), (0.05, -0.85), (1.0, 0.0),
        (0.05, 0.85), (0.05, 0.32), (-1.0, 0.32),
    ])],
    "cross": [_cross()],
    "ring": [_polar([1.0] * 48), _polar([0.5] * 36)],
    "bolt": [np.array([
        (-0.20, -0.90), (-0.71, 0.19), (-0.14, 0.19),
        (-0.35, 0.89), (0.76, -0.23), (0.20, -0.23), (0.56, -0.90),
    ])],
    "flower": [_polar(0.55 + 0.45 * np.abs(np.cos(3 * (2 * np.pi * np.arange(120) / 120))) ** 0.7)],
    "fish": [_fish()],
    "triangle": [_polar([1.0, 1.0, 1.0])],
}  # fmt: skip
"""Each class's outline; a second loop cuts a hole into the first."""


def _signed_distance(loops: list[Loop], x: Field, y: Field) -> Field:
    squared = np.full(x.shape, np.inf, np.float32)
    inside = np.zeros(x.shape, bool)
    for loop in loops:
        for (ax, ay), (bx, by) in zip(loop.tolist(), np.roll(loop, -1, 0).tolist(), strict=True):
            dx, dy = bx - ax, by - ay
            along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
            gap = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
            squared = np.minimum(squared, gap)
            if ay != by:  # even-odd rule, so a second loop cuts a hole
                inside ^= ((y < ay) != (y < by)) & (x < ax + (y - ay) * dx / dy)
    return np.where(inside, -1, 1).astype(np.float32) * np.sqrt(squared) - _CORNER_RADIUS


def _normalised(loops: list[Loop]) -> list[Loop]:
    """Moves the centroid to the origin and scales the (rounded) area to pi."""
    loops = [loop / np.abs(loops[0]).max() for loop in loops]
    x, y = pixel_centres(FIELD_SIZE // 2, FIELD_REACH)
    for _ in range(3):  # rounding corners changes both a little, so approach them
        inside = _signed_distance(loops, x, y) < 0
        area = inside.mean() * (2 * FIELD_REACH) ** 2
        centroid = np.array([x[inside].mean(), y[inside].mean()])
        loops = [(loop - centroid) * math.sqrt(math.pi / area) for loop in loops]
    return loops


@lru_cache(maxsize=1)
def outline_bank() -> tuple[Field, float]:
    """The fields of all outlines, in the order of ``OUTLINES``; takes about a second, once.

    Returns:
        Distances (n, FIELD_SIZE, FIELD_SIZE), negative inside, of outlines centred on their
        centroids and scaled to area pi; and the radius of the smallest centred circle that holds
        all of them.
    """
    x, y = pixel_centres(FIELD_SIZE, FIELD_REACH)
    fields = [_signed_distance(_normalised(loops), x, y) for loops in OUTLINES.values()]
    distances = np.stack(fields)
    return distances, float(np.hypot(x, y)[(distances < 0).any(0)].max())
