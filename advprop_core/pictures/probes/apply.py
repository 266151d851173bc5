"""From a probe's name to what it does to a batch."""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from advprop_core.pictures.draws import Seed, streams
from advprop_core.pictures.filters import luma, smooth
from advprop_core.pictures.pixels import checked_pixels
from advprop_core.pictures.probes import ProbeConfig, require_room

LINE_STARTS: Final = 0.2
"""Height of a step in luma, of black to white, at which Canny's method starts a line."""
LINE_GOES_ON: Final = 0.1
"""Height down to which it follows one."""


@torch.no_grad()
def probe(pixels: Tensor, config: ProbeConfig, *, seeds: Sequence[int] | None = None) -> Tensor:
    """Takes from (N,3,H,W) pixels what a probe takes.

    Draws, types and errors are those of :func:`~advprop_core.pictures.corruptions.apply.corrupt`,
    but pictures may be smaller: `patch-shuffle` alone needs at least a pixel for each patch.
    """
    clean = checked_pixels(pixels)
    require_room(config, min(pixels.shape[2:]))
    if not len(clean):
        return clean
    changed = _changed(clean.float(), config, config.seed if seeds is None else seeds)
    return changed.clamp(0, 1).to(clean)


def _changed(pixels: Tensor, config: ProbeConfig, seed: Seed) -> Tensor:
    if config.kind == "grey":
        return luma(pixels).expand_as(pixels)
    assert config.strength is not None  # a configuration validates itself
    if config.kind == "patch-shuffle":
        return shuffle_patches(pixels, int(config.strength), seed)
    if config.kind == "edges":
        return 1 - edges(pixels, config.strength).to(pixels).expand_as(pixels)
    smooth_part = low_pass(pixels, config.strength)
    if config.kind == "low-pass":
        return smooth_part
    return 0.5 + (pixels - smooth_part)  # no detail is mid-grey


def shuffle_patches(pixels: Tensor, count: int, seed: Seed) -> Tensor:
    """Deals a grid of count × count patches out anew; every order is as likely.

    Where patches do not fill a side, a rim of less than `count` pixels in all stays as it is.
    """
    shuffled = pixels.clone()
    rows, columns = (_middle(size, count) for size in pixels.shape[2:])
    inside = shuffled[..., rows, columns]
    grid = inside.unflatten(3, (count, -1)).unflatten(2, (count, -1))  # N, 3, row, y, column, x
    patches = grid.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    orders = [torch.randperm(count**2, generator=draw) for draw in streams(seed, len(pixels))]
    dealt = torch.stack([cut[order] for cut, order in zip(patches, orders, strict=True)])
    back = dealt.unflatten(1, (count, count)).permute(0, 3, 1, 4, 2, 5)
    inside.copy_(back.reshape(inside.shape))
    return shuffled


def _middle(size: int, count: int) -> slice:
    rim = size % count
    return slice(rim // 2, size - (rim - rim // 2))


def edges(pixels: Tensor, cut_off: float) -> Tensor:
    """Booleans (N,1,H,W): lines one pixel wide where luma changes steeply, by Canny's method.

    Thresholds are heights of a step, whatever the resolution and the smoothing, whose cut-off is
    in cycles per image.
    """
    from skimage.feature import canny  # a second, which those who ask for no edges are spared

    sigma = _sigma(pixels, cut_off)
    # Canny's Sobel filter says this of a step from 0 to 1 that was smoothed
    slope = 4 * math.erf(1 / (math.sqrt(2) * sigma))
    lines = [
        canny(  # type: ignore[no-untyped-call]  # scikit-image has no types
            picture.numpy(),
            sigma,
            low_threshold=LINE_GOES_ON * slope,
            high_threshold=LINE_STARTS * slope,
        )
        for picture in luma(pixels.double()).squeeze(1).cpu()
    ]
    return torch.stack([torch.from_numpy(drawn) for drawn in lines]).unsqueeze(1)


def low_pass(pixels: Tensor, cut_off: float) -> Tensor:
    """Leaves what changes slowly, by a Gaussian filter; the picture is mirrored at its edge.

    A wave of the cut-off's frequency, in cycles per image, keeps exp(-1/2) of its height.
    """
    return smooth(pixels, _sigma(pixels, cut_off), edge="reflect")


def _sigma(pixels: Tensor, cut_off: float) -> float:
    """Standard deviation in pixels of the Gaussian whose transform has its own at the cut-off."""
    return min(pixels.shape[2:]) / (2 * math.pi * cut_off)
