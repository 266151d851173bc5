"""What every function that takes pixels asks of them."""

import torch
from torch import Tensor
from torch.nn import functional as F


def require_batch(pixels: Tensor) -> None:
    """Refuse what is no batch of images, whatever its values.

    Raises:
        TypeError: If pixels are no tensor of floats.
        ValueError: If they are not (N, 3, H, W).
    """
    if not isinstance(pixels, Tensor):
        raise TypeError(f"pixels must be a torch tensor, got {type(pixels).__name__}")
    if not pixels.is_floating_point():
        raise TypeError(
            f"pixels must be floating point in [0, 1], got {pixels.dtype}: divide by 255"
        )
    if pixels.ndim != 4 or pixels.shape[1] != 3:
        raise ValueError(f"pixels must have shape (N, 3, H, W), got {tuple(pixels.shape)}")


def checked_pixels(pixels: Tensor) -> Tensor:
    """A detached copy of (N, 3, H, W) pixels, all of it in [0, 1].

    A sum or a resize may leave a value one rounding step outside: it is set on the edge.

    Raises:
        TypeError: If pixels are no tensor of floats.
        ValueError: If they have another shape, or values outside [0, 1] or NaN.
    """
    require_batch(pixels)
    step = torch.finfo(pixels.dtype).eps
    if pixels.numel() and not (pixels.min() >= -step and pixels.max() <= 1 + step):  # NaN too
        raise ValueError(
            f"pixels must lie in [0, 1], got [{pixels.min():.7g}, {pixels.max():.7g}]: "
            "pass them before mean/std normalisation"
        )
    return pixels.detach().clamp(0, 1)


def resized(pixels: Tensor, size: int) -> Tensor:
    """Pixels (N, 3, H, W) in [0, 1] at a network's size; the same tensor where they have it."""
    if pixels.shape[2:] == (size, size):
        return pixels
    fitted = F.interpolate(pixels, (size, size), mode="bicubic", antialias=True)
    return fitted.clamp(0, 1)
