"""Erasing parts of a picture: what does a network still say without them?"""

import torch
from torch import Tensor

from advprop_core.pictures.filters import smooth
from advprop_core.pictures.pixels import checked_pixels
from advprop_core.pictures.regions import WHOLE, EraseConfig

_LEVELS = {"grey": 0.5, "black": 0.0}
_BLUR = 0.08  # of the side, as a Gaussian's standard deviation: no outline survives it


def erase(pixels: Tensor, config: EraseConfig) -> Tensor:
    """Fill the regions of (N, 3, H, W) pixels in [0, 1], and leave every other pixel as it is.

    A blur takes what lies around a region into it, and mirrors the picture at its edge.

    Returns a new tensor, and refuses pixels, as :func:`checked_pixels` does.
    """
    clean = checked_pixels(pixels)
    mask = erased(config, clean.shape[2], clean.shape[3]).to(clean.device)
    if not bool(mask.any()):
        return clean
    if config.fill == "blur":
        filling = smooth(clean, _BLUR * max(clean.shape[2:]), edge="reflect").clamp(0, 1)
    else:
        filling = torch.full_like(clean, _LEVELS[config.fill])
    return torch.where(mask, filling, clean)


def erased(config: EraseConfig, height: int, width: int) -> Tensor:
    """(H, W) booleans: which pixels are erased. A region covers at least one."""
    mask = torch.zeros(height, width, dtype=torch.bool)
    for region in config.regions:
        rows = _pixels(region.top, region.height, height)
        mask[rows, _pixels(region.left, region.width, width)] = True
    return mask


def _pixels(start: int, length: int, side: int) -> slice:
    """What a side of a region covers of a side of so many pixels."""
    first = min((start * side + WHOLE // 2) // WHOLE, side - 1)
    end = ((start + length) * side + WHOLE // 2) // WHOLE
    return slice(first, max(end, first + 1))
