"""From a probe's name to what it does to a batch."""

import math
from collections.abc import Sequence
from typing import Final

import torch
from skimage.feature import canny
from torch import Tensor

from advprop_core.pictures.draws import Seed, streams
from advprop_core.pictures.filters import luma, smooth
from advprop_core.pictures.pixels import checked_pixels
from advprop_core.pictures.probes.kinds import ProbeConfig, require_room

LINE_STARTS: Final = 0.2
"""Height of a step in luma, of black to white, at which Canny's method starts a line."""
LINE_GOES_ON: Final = 0.1
"""Height down to which it follows one."""


@torch.no_grad()
def apply(pixels: Tensor, config: ProbeConfig, seeds: Sequence[int] | None = None) -> Tensor:
    """Carries a probe out; see `advprop_core.pictures.probes.probe`, which is the way in.

    Args:
        pixels: Floats (N,3,H,W) in [0,1].
        config: Kind, strength and seed.
        seeds: One per sample instead of the configuration's.

    Returns:
        A new tensor of the same shape, type and device, in [0,1], without gradient.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or range, or fewer pixels than patches, or `seeds`
            are not one per sample.
    """
    clean = checked_pixels(pixels)
    require_room(config, min(pixels.shape[2:]))
    if seeds is not None and len(seeds) != len(pixels):
        raise ValueError(f"seeds must be one per sample, got {len(seeds)} for {len(pixels)}.")
    if not len(clean):
        return clean
    left = _left(clean.float(), config, config.seed if seeds is None else seeds)
    return left.clamp(0, 1).to(clean)


def _left(pixels: Tensor, config: ProbeConfig, seed: Seed) -> Tensor:
    """What a probe leaves, before clamping."""
    if config.kind == "grey":
        return luma(pixels).expand_as(pixels)
    assert config.strength is not None  # a configuration validates itself
    if config.kind == "patch-shuffle":
        return shuffle_patches(pixels, int(config.strength), seed)
    if config.kind == "edges":
        return 1 - edges(pixels, config.strength).to(pixels).expand_as(pixels)
    if config.kind == "low-pass":
        return low_pass(pixels, config.strength)
    return 0.5 + high_pass(pixels, config.strength)  # no detail is mid-grey


def shuffle_patches(pixels: Tensor, count: int, seed: Seed) -> Tensor:
    """Deals a grid of patches out anew; every order is as likely, so also that of the photo.

    Args:
        pixels: Floats (N,3,H,W).
        count: Patches along each side. Where they do not fill it, a rim of less than `count`
            pixels in all stays as it is.
        seed: Of the order.

    Returns:
        (N,3,H,W) with the same pixels at other places.
    """
    shuffled = pixels.clone()
    rows, columns = (_middle(size, count) for size in pixels.shape[2:])
    inside = shuffled[..., rows, columns]
    grid = inside.unflatten(3, (count, -1)).unflatten(2, (count, -1))  # N, 3, row, y, column, x
    patches = grid.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    orders = [torch.randperm(count**2, generator=draw) for draw in streams(seed, len(pixels))]
    dealt = torch.stack([own[order] for own, order in zip(patches, orders, strict=True)])
    back = dealt.unflatten(1, (count, count)).permute(0, 3, 1, 4, 2, 5)
    inside.copy_(back.reshape(inside.shape))
    return shuffled


def _middle(size: int, count: int) -> slice:
    rim = size % count
    return slice(rim // 2, size - (rim - rim // 2))


def edges(pixels: Tensor, cut_off: float) -> Tensor:
    """Finds lines one pixel wide where luma changes steeply, by Canny's method.

    Thresholds are heights of a step, whatever the smoothing and the resolution.

    Args:
        pixels: Floats (N,3,H,W).
        cut_off: Of the smoothing, cycles per image.

    Returns:
        Booleans (N,1,H,W); a picture of one colour has no line.
    """
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

    Args:
        pixels: Floats (N,3,H,W).
        cut_off: Cycles per image; a wave of that frequency keeps exp(-1/2) of its height.

    Returns:
        (N,3,H,W).
    """
    return smooth(pixels, _sigma(pixels, cut_off), edge="reflect")


def high_pass(pixels: Tensor, cut_off: float) -> Tensor:
    """Leaves what `low_pass` takes away: signed differences, 0 where nothing changes.

    Args:
        pixels: Floats (N,3,H,W).
        cut_off: Cycles per image.

    Returns:
        (N,3,H,W).
    """
    return pixels - low_pass(pixels, cut_off)


def _sigma(pixels: Tensor, cut_off: float) -> float:
    """Standard deviation in pixels of the Gaussian whose transform has its own at the cut-off."""
    return min(pixels.shape[2:]) / (2 * math.pi * cut_off)
