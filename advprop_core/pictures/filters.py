"""Linear operations on batches of pictures: grey, smoothing, zooming in, dragging along a line."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Edge = Literal["nearest", "reflect"]
"""Beyond the picture: the last pixel goes on, or the picture is mirrored, last pixel included."""

LUMA: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in a grey: ITU-R BT.601, as Pillow weighs them."""


def luma(pixels: Tensor) -> Tensor:
    """(N,1,H,W) greys of (N,3,H,W) pixels."""
    weights = torch.tensor(LUMA, device=pixels.device, dtype=pixels.dtype)
    return (pixels * weights[:, None, None]).sum(1, keepdim=True)


def smooth(pictures: Tensor, sigma: float, truncate: float = 4.0, edge: Edge = "nearest") -> Tensor:
    """Convolves (N,C,H,W) pictures with a Gaussian of so many pixels, cut off at `truncate` sigma.

    It is done by two matrices, whose cost does not depend on sigma and which can hold a kernel
    wider than the picture.
    """
    down, along = (
        _gaussian_matrix(size, sigma, truncate, edge).to(pictures) for size in pictures.shape[2:]
    )
    return from_both_sides(pictures, down, along)


def from_both_sides(pictures: Tensor, down: Tensor, along: Tensor) -> Tensor:
    """(N,C,h,w): every channel of (N,C,H,W) times (h,H) on its columns and (w,W) on its rows.

    A sample's values do not depend on N even in their last bit.
    """
    flat = pictures.flatten(0, 1)
    # bmm multiplies picture by picture; matmul would fold the batch into the rows of one matrix
    columns = torch.bmm(down.expand(len(flat), -1, -1), flat)
    rows = torch.bmm(columns, along.T.expand(len(flat), -1, -1))
    return rows.view(*pictures.shape[:2], *rows.shape[1:])


def _gaussian_matrix(size: int, sigma: float, truncate: float, edge: Edge) -> Tensor:
    """(size,size) float64: row i holds what output i takes from each input."""
    radius = int(truncate * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1)
    weights = torch.exp(-0.5 * (offsets.double() / sigma).square())
    places = torch.arange(size)[:, None] + offsets
    if edge == "nearest":
        places = places.clamp(0, size - 1)
    else:
        places = places.remainder(2 * size)
        places = torch.minimum(places, 2 * size - 1 - places)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    return matrix.scatter_add_(1, places, (weights / weights.sum()).expand(size, -1))


def zoom_in(pictures: Tensor, factor: float) -> Tensor:
    """Enlarges the middle of (N,C,H,W) pictures to their full size, linearly; `factor` is above 1.

    The middle is cut out on whole pixels, the centres of its outermost pixels are stretched to
    those of a picture `factor` times as large, and what is too much is cut off on both sides.
    """
    down, along = (_zoomed_places(size, factor) for size in pictures.shape[2:])
    grid = torch.stack(torch.meshgrid(along, down, indexing="xy"), dim=-1).to(pictures)
    grid = grid.expand(len(pictures), -1, -1, -1)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=True)


def _zoomed_places(size: int, factor: float) -> Tensor:
    """(size,) float64: what each output pixel reads, from -1 (first centre) to 1 (last)."""
    cut = math.ceil(size / factor)
    enlarged = round(cut * factor)
    shown = torch.arange(size, dtype=torch.float64) + (enlarged - size) // 2
    places = (size - cut) // 2 + shown * ((cut - 1) / (enlarged - 1))
    return places * (2 / (size - 1)) - 1


def streak(pictures: Tensor, radius: int, sigma: float, angles: Sequence[float]) -> Tensor:
    """Drags each of N pictures along a line of its own: half a Gaussian, strongest at its start.

    This is the motion blur of ImageMagick: a pixel takes what lies ahead of it, on whole pixels,
    at up to twice the radius. Beyond the picture its last pixel goes on.

    Args:
        pictures: Float32 (N,C,H,W).
        radius: Half the length of the line, pixels.
        sigma: Standard deviation of the Gaussian, pixels.
        angles: N directions to read along, degrees; 0 is to the right, 90 is down.
    """
    height, width = pictures.shape[2:]
    reach = 2 * radius
    padded = F.pad(pictures, [reach] * 4, mode="replicate")
    streaked = torch.zeros_like(pictures)
    for result, source, angle in zip(streaked, padded, angles, strict=True):
        for weight, x, y in streak_taps(radius, sigma, angle):
            ahead = source[:, reach + y : reach + y + height, reach + x : reach + x + width]
            result.add_(ahead, alpha=weight)
    return streaked


def streak_taps(radius: int, sigma: float, angle: float) -> Iterator[tuple[float, int, int]]:
    """Weight, pixels to the right and pixels down of what `streak` takes; weights sum to 1."""
    weights = [math.exp(-0.5 * (step / sigma) ** 2) for step in range(2 * radius + 1)]
    total = sum(weights)
    right, down = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    for step, weight in enumerate(weights):
        # `ceil` of a half less rounds halves down, as ImageMagick does; `round` takes the even one.
        yield weight / total, math.ceil(step * right - 0.5), math.ceil(step * down - 0.5)
