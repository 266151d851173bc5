"""Maps that hide parts of the image and look at the scores. None of them needs a gradient."""

import torch
from captum.attr import Occlusion
from torch import Tensor
from torch.nn import functional as F

from advprop_core.attribution.cams import features_at, spread
from advprop_core.attribution.question import Question, batch_size, batches, scores
from advprop_core.errors import InputError

_GREY = 0.5
_WINDOWS_PER_SIDE = 8
_MASKS = 1000
_MASK_CELLS = 7
_KEPT_SHARE = 0.5


def occlusion(question: Question) -> Tensor:
    """Mean drop of the score over the grey squares that cover a pixel (arXiv 1311.2901).

    Zeiler & Fergus. The square's side is an eighth of the image's shorter one and it moves by
    half its side, unless told otherwise.
    """
    options, sides = question.options, question.pixels.shape[2:]
    window, stride = window_and_stride(options.get("window"), options.get("stride"), min(sides))
    images = len(question.pixels)
    windows = [-(-(side - window) // stride) + 1 for side in sides]
    total = windows[0] * windows[1] * images
    module = question.counted(total, -images)  # captum first asks for the images as they are
    drops: Tensor = Occlusion(module).attribute(
        question.pixels,
        (3, window, window),
        (3, stride, stride),
        baselines=_GREY,
        target=list(question.targets),
        perturbations_per_eval=batch_size(question.pixels, images),
    )
    return drops[:, 0]  # the square covers all channels, so all say the same


def window_and_stride(window: int | None, stride: int | None, side: int) -> tuple[int, int]:
    """Side and move of occlusion's square in pixels; ``side`` is the image's shorter one.

    Raises:
        InputError: For a square larger than the image or a move longer than its side, which
            would leave pixels that are never covered.
    """
    window = window or max(side // _WINDOWS_PER_SIDE, 1)
    stride = stride or max(window // 2, 1)
    if window > side:
        raise InputError(f"window must be at most {side}, the image's side, got {window}")
    if stride > window:
        raise InputError(f"stride must be at most the window, {window}, got {stride}")
    return window, stride


def rise(question: Question) -> Tensor:
    """Mean of random masks, weighted by the probability that is left (arXiv 1806.07421).

    Petsiuk et al.: 1000 masks unless told otherwise, of 7×7 cells that are kept with
    probability one half, smoothed and shifted; what is hidden turns black. All images share
    the masks. Values are means of probabilities, so that 1 says the masks changed nothing.
    """
    count = question.options.get("samples") or _MASKS
    cells, shifts = draw_masks(count, question.generator())
    total = torch.zeros_like(question.pixels[:, 0])
    targets = torch.tensor(question.targets, device=total.device)
    with torch.no_grad():
        for batch in batches(count, question.pixels, len(question.pixels)):
            rows = slice(batch.start, batch.stop)
            masks = smooth_masks(cells[rows], shifts[rows], total.shape[1:]).to(total)
            covered = question.pixels[:, None] * masks[:, None]
            probabilities = question.module(covered.flatten(0, 1)).softmax(1)
            probabilities = probabilities.unflatten(0, covered.shape[:2])
            chosen = probabilities[torch.arange(len(targets)), :, targets]
            total += torch.einsum("nm,mhw->nhw", chosen, masks)
            question.report(batch.stop, count)
    return total / (count * _KEPT_SHARE)


def draw_masks(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """(count, 7, 7) of 0 and 1, and (count, 2) shifts as shares of a cell, in [0, 1)."""
    cells = torch.rand(count, _MASK_CELLS, _MASK_CELLS, generator=generator) < _KEPT_SHARE
    return cells.float(), torch.rand(count, 2, generator=generator)


def smooth_masks(cells: Tensor, shifts: Tensor, size: torch.Size) -> Tensor:
    """(M, 7, 7) cells to (M, H, W) masks in [0, 1], shifted by (M, 2) shares of a cell."""
    cell = [-(-side // _MASK_CELLS) for side in size]
    # One cell more than is seen, so that no shift leads out of it.
    sides = [(_MASK_CELLS + 1) * side for side in cell]
    large = F.interpolate(cells[:, None], sides, mode="bilinear", align_corners=False)[:, 0]
    corners = (shifts * torch.tensor(cell)).long().tolist()
    pairs = zip(large, corners, strict=True)
    return torch.stack([mask[y : y + size[0], x : x + size[1]] for mask, (y, x) in pairs])


def score_cam(question: Question) -> Tensor:
    """A layer's channels, each weighted by the score of the image seen through it alone.

    Wang et al., arXiv 1910.01279: every channel, spread and scaled to [0, 1], masks the image;
    the softmax of the scores over the channels is their weights. Negative values are cut off.
    """
    features = features_at(question)
    size = question.pixels.shape[2:]
    total = len(features) * features.shape[1]
    maps = []
    with torch.no_grad():
        for index, (image, target) in enumerate(
            zip(question.pixels, question.targets, strict=True)
        ):
            batch_scores = []
            for batch in batches(features.shape[1], question.pixels):
                masks = _spread_masks(features[index, batch.start : batch.stop], size)
                batch_scores.append(scores(question.module, image * masks, [target] * len(batch)))
                question.report(index * features.shape[1] + batch.stop, total)
            weights = torch.cat(batch_scores).softmax(0)
            maps.append((weights[:, None, None] * features[index]).sum(0).relu())
    return spread(torch.stack(maps), question.pixels)


def _spread_masks(features: Tensor, size: torch.Size) -> Tensor:
    """(C, h, w) to (C, 1, H, W) in [0, 1]; a channel that is the same everywhere hides all."""
    large = F.interpolate(features[:, None], size, mode="bilinear", align_corners=False)
    low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
    return torch.where(high > low, (large - low) / (high - low), 0.0)
