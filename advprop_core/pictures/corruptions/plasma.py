"""Clouds: fractal height maps by the diamond-square algorithm, for a whole batch at once."""

import torch
from torch import Tensor


def plasma(wobbles: Tensor, decay: float) -> Tensor:
    """Makes cloud maps that repeat seamlessly.

    Heights are settled on ever finer grids: a new point is the mean of its four neighbours on the
    grid so far, plus a wobble whose size falls by decay² from one grid to the next. (The fall is
    squared in the script of ImageNet-C, whose `decay` this is.)

    Args:
        wobbles: (N,S,S) in [-1,1], S a power of two: one for every point.
        decay: Above 1; the larger, the smoother the clouds.

    Returns:
        (N,S,S), each map spread over exactly [0,1].
    """
    heights = torch.zeros_like(wobbles)
    step, size = wobbles.shape[-1], 1.0
    while step >= 2:
        _settle(heights, size * wobbles, step)
        step, size = step // 2, size / decay**2
    heights -= heights.amin((1, 2), keepdim=True)
    return heights / heights.amax((1, 2), keepdim=True).clamp(min=1e-12)


def _settle(heights: Tensor, wobbles: Tensor, step: int) -> None:
    """Fills in, on a grid `step` wide, the middles of its cells and then those of its edges."""
    half = step // 2
    settled, new = slice(None, None, step), slice(half, None, step)
    corner = heights[:, settled, settled]
    pairs = corner + corner.roll(-1, 1)
    middle = (pairs + pairs.roll(-1, 2)) / 4 + wobbles[:, new, new]
    heights[:, new, new] = middle
    across = corner + corner.roll(-1, 2) + middle + middle.roll(1, 1)
    heights[:, settled, new] = across / 4 + wobbles[:, settled, new]
    down = corner + corner.roll(-1, 1) + middle + middle.roll(1, 2)
    heights[:, new, settled] = down / 4 + wobbles[:, new, settled]
