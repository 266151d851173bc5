"""Do two maps say the same: of two branches, of clean and adversarial input?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from advprop_core.faithfulness.maps import (
    Score,
    Undefined,
    check_maps,
    flaw,
    require_fraction,
)


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


def agree(first: Tensor, second: Tensor, *, top: float = 0.1) -> tuple[Agreement, ...]:
    """Agreement of maps, pair by pair.

    Args:
        first: (N, H, W).
        second: (N, H, W).
        top: Share of the pixels that counts as a map's top, in (0, 1].

    Returns:
        One per pair; undefined where a map puts no pixel before another.

    Raises:
        TypeError: If maps are not floats.
        ValueError: If they differ in shape, or the share is out of its range.
    """
    require_fraction("top", top)
    ranks = spearman(first, second)
    return tuple(
        Agreement(rank, rank, rank) if isinstance(rank, Undefined) else _tops(rank, a, b, top)
        for rank, a, b in zip(ranks, first.detach().cpu(), second.detach().cpu(), strict=True)
    )


def spearman(first: Tensor, second: Tensor) -> tuple[Score, ...]:
    """Rank correlation of maps, pair by pair; equal values share their mean rank.

    Args:
        first: (N, H, W).
        second: (N, H, W).

    Returns:
        A value in [-1, 1] per pair; undefined where a map puts no pixel before another.

    Raises:
        TypeError: If maps are not floats.
        ValueError: If they differ in shape.
    """
    first_maps = check_maps(first, None, "first")
    second_maps = check_maps(second, first_maps.shape, "second")
    return tuple(
        flaw(a) or flaw(b) or _correlation(a, b)
        for a, b in zip(first_maps, second_maps, strict=True)
    )


def _correlation(first: Tensor, second: Tensor) -> float:
    a, b = (ranks - ranks.mean() for ranks in (_ranks(first), _ranks(second)))
    value = float((a @ b) / (a.norm() * b.norm()))
    return min(1.0, max(-1.0, value))


def _ranks(values: Tensor) -> Tensor:
    """(H, W) to (H·W,) mean ranks, from 1."""
    flat = values.flatten().contiguous()
    ordered = flat.sort().values
    below = torch.searchsorted(ordered, flat)
    up_to = torch.searchsorted(ordered, flat, right=True)
    return (below + up_to + 1).double() / 2


def _tops(rank: Score, first: Tensor, second: Tensor, share: float) -> Agreement:
    first_top, second_top = _top(first, share), _top(second, share)
    both = int((first_top & second_top).sum())
    either, smaller = (
        int((first_top | second_top).sum()),
        min(int(first_top.sum()), int(second_top.sum())),
    )
    return Agreement(rank, both / either, both / smaller)


def _top(values: Tensor, share: float) -> Tensor:
    """(H, W) to which pixels are its top, never empty.

    Equal values at the edge are all left out, because the map prefers none of them; only
    where they are the map's largest do they all belong to it.
    """
    count = max(1, round(share * values.numel()))
    if count == values.numel():
        return torch.ones_like(values, dtype=torch.bool)
    highest = values.flatten().topk(count + 1).values
    chosen = values >= highest[-2] if highest[-2] > highest[-1] else values > highest[-1]
    return chosen if chosen.any() else values == values.max()
