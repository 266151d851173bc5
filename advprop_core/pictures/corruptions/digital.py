"""Digital: contrast, elastic transform, pixelate, JPEG and saturate."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.draws import Seed, streams, uniform
from advprop_core.pictures.filters import from_both_sides, smooth

CONTRAST: Final = (0.4, 0.3, 0.2, 0.1, 0.05)
"""Share of a pixel's distance to the mean that is kept."""
ELASTIC: Final = (
    (2, 0.7, 0.1),
    (2, 0.08, 0.2),
    (0.05, 0.01, 0.02),
    (0.07, 0.01, 0.02),
    (0.12, 0.01, 0.02),
)
"""What smoothed draws from [-1,1) are multiplied by, the standard deviation of the smoothing, and
how far each of three points moves at most per direction: shares of 244 pixels."""
PIXELATE: Final = (0.6, 0.5, 0.4, 0.3, 0.25)
"""Blocks per pixel of the side."""
JPEG_QUALITY: Final = (25, 18, 15, 10, 7)
"""The quality setting of libjpeg."""
SATURATE: Final = ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2))
"""Factor and addition to the saturation of HSV."""


def contrast(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Draws every channel towards its mean over the photo."""
    means = pixels.mean((2, 3), keepdim=True)
    return means + CONTRAST[severity - 1] * (pixels - means)


def elastic_transform(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Stretches the photo as a whole (severities 1 and 2 most) and then locally (3-5 most)."""
    # the authors' 244, for pictures of 224
    strength, sigma, shift = (244 * share for share in ELASTIC[severity - 1])
    height, width = pixels.shape[2:]
    draws = streams(seed, len(pixels))
    moves = shift * uniform(draws, 3, 2)
    rough = uniform(draws, 2, height, width).to(pixels.device)
    moved = _read(pixels, affine_places(moves, height, width).to(pixels), last_twice=False)
    local = strength * smooth(rough, sigma, truncate=3, edge="reflect")
    return _read(moved, _own_places(height, width).to(pixels) + local, last_twice=True)


def affine_places(moves: Tensor, height: int, width: int) -> Tensor:
    """(N,2,H,W) float64 places that pixels read when three points of the picture are moved.

    `moves` (N,3,2) says by how many pixels, right and down: the points lie to the lower right, the
    upper right and the upper left of the centre, at a third of the shorter side.
    """
    arm = min(height, width) // 3
    signs = torch.tensor([[1, 1], [1, -1], [-1, -1]], dtype=torch.float64)
    before = torch.tensor([width // 2, height // 2]) + arm * signs
    after = F.pad(before + moves.double(), (0, 1), value=1)
    back = torch.linalg.solve(after, before.expand(len(moves), -1, -1))  # (N,3,2)
    positions = _own_places(height, width)
    linear = torch.einsum("nij,ihw->njhw", back[:, :2], positions)
    places: Tensor = linear + back[:, 2, :, None, None]
    return places


def _own_places(height: int, width: int) -> Tensor:
    """(2,H,W) float64: each pixel's own place from the left and from the top."""
    across, down = torch.arange(width).double(), torch.arange(height).double()
    return torch.stack(torch.meshgrid(across, down, indexing="xy"))


def _read(pixels: Tensor, places: Tensor, last_twice: bool) -> Tensor:
    """Reads pixels at places (N,2,H,W); beyond the rim mirrored, the last pixel once or twice."""
    height, width = pixels.shape[2:]
    size = torch.tensor([width, height], device=pixels.device)[:, None, None]
    unit = (2 * places + 1) / size - 1 if last_twice else 2 * places / (size - 1) - 1
    grid = unit.movedim(1, -1)
    return F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=not last_twice)


def pixelate(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Averages over blocks and shows them as pixels, which need not be equally large."""
    sides = pixels.shape[2:]
    blocks = [int(size * PIXELATE[severity - 1]) for size in sides]
    down, along = (
        _block_means(size, count).to(pixels) for size, count in zip(sides, blocks, strict=True)
    )
    small = from_both_sides(pixels, down, along)
    # every pixel shows the block that holds its centre
    rows, columns = (
        ((torch.arange(size) + 0.5) * count / size).long()
        for size, count in zip(sides, blocks, strict=True)
    )
    return small[:, :, rows.to(pixels.device)][..., columns.to(pixels.device)]


def _block_means(size: int, count: int) -> Tensor:
    """(count,size): row i averages the whole pixels whose centres lie in the i-th block."""
    rim = torch.arange(count + 1, dtype=torch.float64) * (size / count)
    centre = torch.arange(size, dtype=torch.float64) + 0.5
    inside = (centre > rim[:-1, None]) & (centre <= rim[1:, None])
    return inside.double() / inside.sum(1, keepdim=True)


def jpeg_compression(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Stores the photo as a JPEG of low quality, chroma halved, and reads it again."""
    counts = (pixels * 255).round().byte().cpu().permute(0, 2, 3, 1).numpy()
    coded = partial(_through_jpeg, quality=JPEG_QUALITY[severity - 1])
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow lets go of the GIL while it codes
        photos = np.stack(list(pool.map(coded, counts)))
    return torch.from_numpy(photos).to(pixels.device).permute(0, 3, 1, 2).float() / 255


def _through_jpeg(photo: np.ndarray, quality: int) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def saturate(pixels: Tensor, severity: int, _seed: Seed) -> Tensor:
    """Weakens (severities 1 and 2) or strengthens the saturation of HSV.

    Greys have no hue, for which HSV writes that of red: severities 4 and 5 tint them.
    """
    factor, addition = SATURATE[severity - 1]
    value = pixels.amax(1, keepdim=True)
    depth = value - pixels  # how much of the value each channel lacks
    deepest = depth.amax(1, keepdim=True)
    red = torch.tensor([0.0, 1.0, 1.0], device=pixels.device)[:, None, None]
    share = torch.where(deepest > 0, depth / deepest, red)
    saturation = torch.where(value > 0, deepest / value, 0.0)
    return value - value * share * (factor * saturation + addition).clamp(max=1)
