"""The class textures of TextureShapes: pure functions from surface coordinates to tone.

A painter receives ``u`` and ``v``, which grow by one per repeat of the pattern, ``noise``, smooth
and even over [0, 1], which lends a hand-made look, and ``blur``, the width of a pixel in the same
units, over which edges are softened. It returns tones in about [0, 1], to be coloured by ``ramp``.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]  # float32 throughout
Painter = Callable[[Field, Field, Field, float], Field]

_NOISE_SIZE = 256


@lru_cache(maxsize=8)
def pixel_centres(size: int, reach: float = 1.0) -> tuple[Field, Field]:
    """(size, size) places x and y of the pixels of a square that covers [-reach, reach]."""
    centres = (((np.arange(size) + 0.5) / size * 2 - 1) * reach).astype(np.float32)
    x, y = np.meshgrid(centres, centres)
    return x, y


def sample(bank: Field, x: Field, y: Field) -> Field:
    """(C, H, W) values of maps (C, h, w) at (H, W) places, linearly between their samples.

    The maps cover [-1, 1] in both directions and are mirrored beyond.
    """
    height, width = bank.shape[1:]
    top, bottom, down = _neighbours(y, height)
    left, right, along = _neighbours(x, width)
    flat = bank.reshape(len(bank), -1)
    top, bottom = top * width, bottom * width
    upper, lower = flat.take(top + left, 1), flat.take(bottom + left, 1)
    upper += along * (flat.take(top + right, 1) - upper)
    lower += along * (flat.take(bottom + right, 1) - lower)
    values: Field = upper + down * (lower - upper)
    return values


def _neighbours(place: Field, count: int) -> tuple[NDArray[np.int32], NDArray[np.int32], Field]:
    """The two samples a place lies between, mirrored into the map, and how far along it is."""
    exact = (place + 1) * (count / 2) - 0.5
    before = np.floor(exact)
    first = before.astype(np.int32)
    return _mirror(first, count), _mirror(first + 1, count), exact - before


def _mirror(index: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    index = index % (2 * count)
    return np.minimum(index, 2 * count - 1 - index)


def _even_noise(rng: np.random.Generator, falloff: float, longest: int) -> Field:
    """Periodic noise, even over [0, 1], whose power falls as f ** -falloff.

    ``longest`` is the lowest frequency kept, in waves per map.
    """
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(_NOISE_SIZE, 1 / _NOISE_SIZE)] * 2))
    amplitude = np.where(frequency >= longest, np.maximum(frequency, 1) ** (-falloff / 2), 0)
    waves = np.fft.fft2(rng.standard_normal((_NOISE_SIZE, _NOISE_SIZE))) * amplitude
    ranks = np.fft.ifft2(waves).real.ravel().argsort().argsort()
    return (ranks.reshape(_NOISE_SIZE, -1) / (ranks.size - 1)).astype(np.float32)


@lru_cache(maxsize=1)
def noise_bank() -> Field:
    """Draws, once, two noise maps (2, h, w): smooth swells, and clouds with finer detail."""
    rng = np.random.default_rng(20191121)
    return np.stack([_even_noise(rng, 6.0, 4), _even_noise(rng, 3.4, 3)])


def ramp(tone: Field, colours: Field) -> Field:
    """(3, H, W) RGB of (H, W) tones, whose colours at 0, 0.5 and 1 are the rows of ``colours``."""
    low, middle, high = colours[:, :, None, None]
    doubled = 2 * tone
    lower, upper = np.clip(doubled, 0, 1), np.clip(doubled - 1, 0, 1)
    rgb: Field = low + lower * (middle - low) + upper * (high - middle)
    return rgb


def smooth_step(distance: Field, blur: float) -> Field:
    """0 well below zero, 1 well above, and a straight edge of width ``blur`` between."""
    step: Field = np.clip(distance * (1 / blur) + 0.5, 0, 1)
    return step


def _wave(x: Field) -> Field:
    """A triangle wave of period 1: 0 at whole numbers, 0.5 half-way."""
    return np.abs(x - np.rint(x))


def _speckle(column: Field, row: Field) -> Field:
    """A number in [0, 1) for every cell of a grid, by the usual fractional-sine hash."""
    scrambled: Field = np.sin(12.9898 * column + 78.233 * row + 0.5) * 437.585
    return scrambled - np.floor(scrambled)


def _stripes(u: Field, _v: Field, _noise: Field, blur: float) -> Field:
    band = smooth_step(_wave(u) - 0.25, blur)
    pinstripe = smooth_step(0.07 - _wave(u), blur)
    tone: Field = np.maximum(band, 0.5 * pinstripe)
    return tone


def _checks(u: Field, v: Field, _noise: Field, blur: float) -> Field:
    across = smooth_step(_wave(u * 0.7) - 0.25, 0.7 * blur)
    down = smooth_step(_wave(v * 0.7) - 0.25, 0.7 * blur)
    return across + down - 2 * across * down


def _dots(u: Field, v: Field, _noise: Field, blur: float) -> Field:
    row = np.rint(v * 1.1)
    x = _wave(u + 0.5 * row)
    y = (v * 1.1 - row) / 1.1
    return smooth_step(0.29 - np.hypot(x, y), blur)


def _bricks(u: Field, v: Field, _noise: Field, blur: float) -> Field:
    row = np.floor(v * 1.5)
    along = u * 0.72 + 0.5 * row
    to_end = _wave(along) / 0.72
    to_bed = _wave(v * 1.5) / 1.5
    brick = smooth_step(np.minimum(to_end, to_bed) - 0.07, blur)
    return brick * (0.5 + 0.5 * _speckle(np.floor(along), row))


def _zigzag(u: Field, v: Field, _noise: Field, blur: float) -> Field:
    height = v + 0.9 * _wave(u * 0.8)
    return smooth_step(_wave(height) - 0.25, 1.2 * blur)


def _scales(u: Field, v: Field, _noise: Field, blur: float) -> Field:
    # each pixel shows the topmost row whose scale of radius 0.56 reaches it
    u, v, blur = 0.8 * u, 0.8 * v, 0.8 * blur
    first = np.floor(v * 2) - 1
    tone = np.zeros_like(u)
    for step in (0, 1, 2):
        row = first + step
        radius = np.hypot(_wave(u + 0.5 * row), v - 0.5 * row)  # to the nearest scale's centre
        cover = smooth_step(0.56 - radius, blur)
        rim = smooth_step(radius - 0.47, blur)
        tone += cover * ((1 - 0.9 * radius) * (1 - rim) - tone)
    return tone


def _marble(u: Field, v: Field, noise: Field, blur: float) -> Field:
    vein = smooth_step(0.07 - _wave(0.35 * u + 0.1 * v + 2.4 * noise), 0.10 + blur)
    thread = smooth_step(0.02 - _wave(0.4 * v + 3.5 * noise), 0.10 + blur)
    lines: Field = np.maximum(vein, 0.6 * thread)
    return 0.95 - 0.3 * noise - 0.7 * lines


def _weave(u: Field, v: Field, _noise: Field, blur: float) -> Field:
    x, y = u * 1.1, v * 1.1
    warp_over = np.mod(np.floor(x) + np.floor(y), 2) > 0
    to_warp, to_weft = 0.5 - _wave(x), 0.5 - _wave(y)  # from the middle of each ribbon
    to_over = np.where(warp_over, to_warp, to_weft)
    to_under = np.where(warp_over, to_weft, to_warp)
    over = smooth_step(0.34 - to_over, blur)
    under = smooth_step(0.34 - to_under, blur) * smooth_step(to_over - 0.43, blur)
    over_tone = np.where(warp_over, np.float32(1.0), np.float32(0.62)) - 0.5 * to_under
    under_tone = np.where(warp_over, np.float32(0.40), np.float32(0.72))
    return over * over_tone + (1 - over) * under * under_tone


def _honeycomb(u: Field, v: Field, _noise: Field, blur: float) -> Field:
    height = math.sqrt(3)
    best_x, best_y = u - np.rint(u), v - height * np.rint(v / height)
    other_x = u - np.floor(u) - 0.5
    other_y = v - height * (np.floor(v / height) + 0.5)
    nearer = other_x**2 + other_y**2 < best_x**2 + best_y**2
    x = np.where(nearer, other_x, best_x)
    y = np.where(nearer, other_y, best_y)
    ax, ay = np.abs(x), np.abs(y)
    to_wall = 0.5 - np.maximum(ax, 0.5 * ax + height / 2 * ay)
    return smooth_step(to_wall - 0.085, blur) * (0.45 + 0.55 * _speckle(u - x, v - y))


def _wood(u: Field, v: Field, noise: Field, blur: float) -> Field:
    rings = 1.5 * np.hypot(u - 0.4, 0.2 * v - 0.5) + 1.4 * noise
    year = rings - np.floor(rings)  # each year darkens slowly and ends at once
    shade: Field = np.minimum(year, (1 - year) / (0.15 + blur))
    return 0.05 + 0.95 * shade - 0.16 * _wave(4.1 * u + 3 * noise)


PAINTERS: dict[str, Painter] = {
    "stripes": _stripes,
    "dots": _dots,
    "marble": _marble,
    "wood": _wood,
    "bricks": _bricks,
    "weave": _weave,
    "zigzag": _zigzag,
    "honeycomb": _honeycomb,
    "scales": _scales,
    "checks": _checks,
}
