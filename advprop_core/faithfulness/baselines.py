"""What stands in for pixels that are taken away."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

Fill = Literal["grey", "black", "blurred"]

FILLS: tuple[Fill, ...] = get_args(Fill)

_BLUR_SHARE = 1 / 16  # 14 px at 224: outlines go, the mean colours of regions stay
_LEVELS = {"grey": 0.5, "black": 0.0}


def fill(pixels: Tensor, kind: Fill) -> Tensor:
    """Pixels (N, 3, H, W) with everything taken away: mid-grey 0.5, black, or blurred.

    Raises:
        ValueError: For another kind.
    """
    if kind not in FILLS:
        raise ValueError(f"what is removed must become one of {', '.join(FILLS)}, got {kind!r}")
    return blur(pixels) if kind == "blurred" else torch.full_like(pixels, _LEVELS[kind])


def blur(pixels: Tensor, sigma: float | None = None) -> Tensor:
    """Gaussian blur in which pixels beyond the border weigh nothing.

    Args:
        pixels: (N, C, H, W).
        sigma: In pixels; a sixteenth of the shorter side when not given.

    Returns:
        (N, C, H, W); a constant picture stays what it is.
    """
    height, width = pixels.shape[2:]
    sigma = _BLUR_SHARE * min(height, width) if sigma is None else sigma
    return _weights(height, sigma, pixels) @ pixels @ _weights(width, sigma, pixels).T


def _weights(side: int, sigma: float, like: Tensor) -> Tensor:
    positions = torch.arange(side, device=like.device, dtype=like.dtype)
    weights = torch.exp(-((positions[:, None] - positions) ** 2) / (2 * sigma**2))
    return weights / weights.sum(1, keepdim=True)
