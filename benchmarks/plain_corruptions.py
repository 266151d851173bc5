"""The 15 corruptions of ImageNet-C, one photo at a time with NumPy, SciPy and scikit-image.

Written from the definitions and severities of Hendrycks and Dietterich, arXiv 1903.12261, for
`benchmarks.evaluation` to measure against. Each takes and gives (H, W, 3) float64 in [0, 1].
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import color, filters

from advprop_core.pictures.corruptions.crystals import frost_textures

Photo = np.ndarray
_DEFOCUS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
_GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
_MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))
_ZOOM = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
_SNOW = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
_FROST = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
_FOG = ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))
_ELASTIC = ((488, 170.8, 24.4), (488, 19.52, 48.8), (12.2, 2.44, 4.88), (17.08, 2.44, 4.88),
            (29.28, 2.44, 4.88))  # fmt: skip


def gaussian_noise(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    return x + draw.normal(scale=(0.08, 0.12, 0.18, 0.26, 0.38)[level], size=x.shape)


def shot_noise(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    photons = (60, 25, 12, 5, 3)[level]
    return draw.poisson(x * photons) / photons


def impulse_noise(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    lots, share = draw.random(x.shape), (0.03, 0.06, 0.09, 0.17, 0.27)[level]
    return np.where(lots < share / 2, 0.0, np.where(lots > 1 - share / 2, 1.0, x))


def defocus_blur(x: Photo, level: int, _: np.random.Generator) -> Photo:
    radius, softness = _DEFOCUS[level]
    reach = np.arange(-max(8, radius), max(8, radius) + 1)
    disc = (reach[:, None] ** 2 + reach[None] ** 2 <= radius**2).astype(float)
    kernel = ndimage.gaussian_filter(disc / disc.sum(), softness, truncate=3)
    return np.stack([ndimage.convolve(x[..., c], kernel, mode="mirror") for c in range(3)], -1)


def glass_blur(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    sigma, reach, times = _GLASS[level]
    y = filters.gaussian(x, sigma=sigma, channel_axis=-1)
    height, width = y.shape[:2]
    for _ in range(times):
        moves = draw.integers(-reach, reach, size=(height, width, 2))
        for row in range(height - reach, reach, -1):
            for column in range(width - reach, reach, -1):
                down, along = moves[row - 1, column - 1]
                here, there = (row - 1, column - 1), (row - 1 + down, column - 1 + along)
                y[here], y[there] = y[there].copy(), y[here].copy()
    return filters.gaussian(y, sigma=sigma, channel_axis=-1)


def motion_blur(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    return _streaked(x, *_MOTION[level], draw.uniform(-45, 45))


def zoom_blur(x: Photo, level: int, _: np.random.Generator) -> Photo:
    end, step = _ZOOM[level]
    factors = np.arange(1, end, step)
    return (x + sum(_zoomed(x, factor) for factor in factors)) / (len(factors) + 1)


def snow(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    mean, deviation, zoom, threshold, radius, sigma, keep = _SNOW[level]
    flakes = _zoomed(draw.normal(mean, deviation, x.shape[:2])[..., None], zoom)
    flakes = np.where(flakes < threshold, 0, flakes).clip(0, 1)
    fallen = _streaked(flakes, radius, sigma, draw.uniform(-135, -45))
    grey = np.maximum(x, color.rgb2gray(x)[..., None] * 1.5 + 0.5)
    return keep * x + (1 - keep) * grey + fallen + np.rot90(fallen, 2)


def frost(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    photo, ice = _FROST[level]
    pictures = _FROST_PICTURES
    picture = pictures[draw.integers(len(pictures))]
    top = draw.integers(picture.shape[0] - x.shape[0] + 1)
    left = draw.integers(picture.shape[1] - x.shape[1] + 1)
    return photo * x + ice * picture[top : top + x.shape[0], left : left + x.shape[1]]


def fog(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    amount, decay = _FOG[level]
    mist = _plasma(256, decay, draw)[: x.shape[0], : x.shape[1], None]
    return (x + amount * mist) * x.max() / (x.max() + amount)


def brightness(x: Photo, level: int, _: np.random.Generator) -> Photo:
    hsv = color.rgb2hsv(x)
    hsv[..., 2] = (hsv[..., 2] + 0.1 * (level + 1)).clip(0, 1)
    return color.hsv2rgb(hsv)


def contrast(x: Photo, level: int, _: np.random.Generator) -> Photo:
    mean = x.mean((0, 1), keepdims=True)
    return (x - mean) * (0.4, 0.3, 0.2, 0.1, 0.05)[level] + mean


def elastic_transform(x: Photo, level: int, draw: np.random.Generator) -> Photo:
    strength, sigma, reach = _ELASTIC[level]
    height, width = x.shape[:2]
    third = min(height, width) // 3
    corners = np.array([[1, 1], [1, -1], [-1, -1]]) * third + np.array([height, width]) // 2
    moved = corners + draw.uniform(-reach, reach, corners.shape)
    ones = np.ones((3, 1))
    affine = np.linalg.solve(np.hstack([moved, ones]), corners).T  # from the result to the photo
    y = np.stack(
        [ndimage.affine_transform(x[..., c], affine, order=1, mode="mirror") for c in range(3)], -1
    )
    shifts = [
        strength * ndimage.gaussian_filter(draw.uniform(-1, 1, (height, width)), sigma, truncate=3)
        for _ in range(2)
    ]
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    places = [rows + shifts[0], columns + shifts[1]]
    channels = [
        ndimage.map_coordinates(y[..., c], places, order=1, mode="reflect") for c in range(3)
    ]
    return np.stack(channels, -1)


def pixelate(x: Photo, level: int, _: np.random.Generator) -> Photo:
    share, size = (0.6, 0.5, 0.4, 0.3, 0.25)[level], x.shape[1::-1]
    small = tuple(int(side * share) for side in size)
    photo = _as_picture(x).resize(small, Image.Resampling.BOX)
    return np.asarray(photo.resize(size, Image.Resampling.NEAREST)) / 255


def jpeg_compression(x: Photo, level: int, _: np.random.Generator) -> Photo:
    file = io.BytesIO()
    _as_picture(x).save(file, "JPEG", quality=(25, 18, 15, 10, 7)[level])
    return np.asarray(Image.open(file)) / 255


def _as_picture(x: Photo) -> Image.Image:
    return Image.fromarray((x * 255).round().astype(np.uint8))


def _zoomed(x: Photo, factor: float) -> Photo:
    height, width = x.shape[:2]
    rows, columns = (int(np.ceil(side / factor)) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = x[top : top + rows, left : left + columns]
    large = ndimage.zoom(middle, (factor, factor, 1), order=1)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    whole = large[top : top + height, left : left + width]
    missing = [(0, full - side) for full, side in zip((height, width), whole.shape, strict=False)]
    return np.pad(whole, [*missing, (0, 0)], mode="edge")


def _streaked(x: Photo, radius: int, sigma: float, angle: float) -> Photo:
    """A mean of copies along a line, as ImageMagick makes it: weights fall like a half bell."""
    places = np.arange(2 * radius + 1)
    weights = np.exp(-(places**2) / (2 * sigma**2))
    weights /= weights.sum()
    down, along = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    reach, (height, width) = 2 * radius + 1, x.shape[:2]
    wide = np.pad(x, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total = np.zeros_like(x)
    for place, weight in zip(places, weights, strict=True):
        top, left = reach + round(place * down), reach + round(place * along)
        total += weight * wide[top : top + height, left : left + width]
    return total


def _plasma(size: int, decay: float, draw: np.random.Generator) -> np.ndarray:
    """A cloud by the diamond-square method, in [0, 1]."""
    cloud, wibble, step = np.zeros((size, size)), 100.0, size
    while step >= 2:
        half = step // 2
        grid = cloud[::step, ::step]
        square = grid + np.roll(grid, -1, 0)
        square = square + np.roll(square, -1, 1)
        cloud[half::step, half::step] = square / 4 + wibble * draw.uniform(-1, 1, grid.shape)
        middle, grid = cloud[half::step, half::step], cloud[::step, ::step]
        beside = middle + np.roll(middle, 1, 0) + grid + np.roll(grid, -1, 1)
        above = middle + np.roll(middle, 1, 1) + grid + np.roll(grid, -1, 0)
        cloud[::step, half::step] = beside / 4 + wibble * draw.uniform(-1, 1, grid.shape)
        cloud[half::step, ::step] = above / 4 + wibble * draw.uniform(-1, 1, grid.shape)
        step, wibble = half, wibble / decay
    cloud -= cloud.min()
    return cloud / cloud.max()


_FROST_PICTURES = frost_textures().permute(0, 2, 3, 1).double().numpy()

KINDS: dict[str, Callable[[Photo, int, np.random.Generator], Photo]] = {
    kind.__name__: kind
    for kind in (
        *(gaussian_noise, shot_noise, impulse_noise, defocus_blur, glass_blur, motion_blur),
        *(zoom_blur, snow, frost, fog, brightness, contrast, elastic_transform, pixelate),
        jpeg_compression,
    )
}
