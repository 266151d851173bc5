"""Do two maps say the same: of two branches, of clean and adversarial input?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from advprop_core.faithfulness.maps import Score, Undefined, check_maps, flaw

_TOP = 0.1  # share of the pixels that counts as a map's top


@dataclass(frozen=True)
class Agreement:
    """How far two maps of one size agree.

    Attributes:
        rank_correlation: Spearman's, in [-1, 1]; 0 for unrelated maps.
        iou: Pixels that are among the top of both, as a share of those of either. Unrelated
            maps have 0.05 where the top is a tenth.
        overlap: Pixels that are among the top of both, as a share of the smaller top.
            Unrelated maps have the share that the top is.
    """

    rank_correlation: Score
    iou: Score
    overlap: Score


def agree(first: Tensor, second: Tensor) -> tuple[Agreement, ...]:
    """Agreement of (N, H, W) maps, pair by pair; undefined where a map puts no pixel first."""
    agreements = []
    for rank, a, b in zip(spearman(first, second), first, second, strict=True):
        if isinstance(rank, Undefined):
            agreements.append(Agreement(rank, rank, rank))
            continue
        tops = _top(a), _top(b)
        both, either = int((tops[0] & tops[1]).sum()), int((tops[0] | tops[1]).sum())
        smaller = min(int(top.sum()) for top in tops)
        agreements.append(Agreement(rank, both / either, both / smaller))
    return tuple(agreements)


def spearman(first: Tensor, second: Tensor) -> tuple[Score, ...]:
    """Rank correlation of (N, H, W) maps, pair by pair; equal values share their mean rank.

    Returns:
        A value in [-1, 1] per pair; undefined where a map puts no pixel before another.
    """
    return tuple(
        flaw(a) or flaw(b) or float(torch.corrcoef(torch.stack([_ranks(a), _ranks(b)]))[0, 1])
        for a, b in zip(first, check_maps(second, first.shape), strict=True)
    )


def _ranks(values: Tensor) -> Tensor:
    """(H, W) to (H·W,) mean ranks, from 1."""
    flat = values.flatten().contiguous()
    ordered = flat.sort().values
    # Equal values have the ranks from below + 1 to up_to, so half of below + 1 + up_to on average.
    below = torch.searchsorted(ordered, flat)
    up_to = torch.searchsorted(ordered, flat, right=True)
    return (below + up_to + 1).double() / 2


def _top(values: Tensor) -> Tensor:
    """(H, W) to which pixels are its top, never empty.

    Equal values at the edge are all left out, because the map prefers none of them; only
    where they are the map's largest do they all belong to it.
    """
    count = max(1, round(_TOP * values.numel()))
    if count == values.numel():
        return torch.ones_like(values, dtype=torch.bool)
    highest = values.flatten().topk(count + 1).values
    chosen = values >= highest[-2] if highest[-2] > highest[-1] else values > highest[-1]
    return chosen if chosen.any() else values == values.max()
