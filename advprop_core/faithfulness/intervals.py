"""Figures over many pictures, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from advprop_core.faithfulness.maps import Score, Undefined, defined, why_none
from advprop_core.intervals import wilson_interval

_RESAMPLES = 2000
_DRAWN_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Estimate:
    """A mean and where it would lie for other pictures of the same kind.

    Attributes:
        value: The mean.
        low: Lower end of the 95 % interval.
        high: Upper end.
        n: Number of pictures that had a value.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate_mean(values: Sequence[Score], *, seed: int = 0) -> Estimate | Undefined:
    """Mean with a percentile bootstrap (2000 resamples), over the values that exist.

    A bootstrap stays within the range of the values, which an interval by Student's t does not.

    Args:
        values: One per picture.
        seed: Of the resampling.

    Returns:
        Undefined where fewer than two pictures have a value.
    """
    numbers = defined(values)
    if not numbers:
        return why_none(values)
    if len(numbers) == 1:
        return Undefined("one picture has no interval")
    data = torch.tensor(numbers, dtype=torch.float64)
    bounds = torch.tensor([0.025, 0.975], dtype=torch.float64)
    low, high = _resampled_means(data, seed).quantile(bounds).tolist()
    return Estimate(float(data.mean()), low, high, len(data))


def estimate_share(hits: Sequence[bool | Undefined]) -> Estimate | Undefined:
    """Share of hits with Wilson's score interval, over those that exist."""
    known = defined(hits)
    if not known:
        return why_none(hits)
    low, high = wilson_interval(sum(known), len(known))
    return Estimate(sum(known) / len(known), low, high, len(known))


def _resampled_means(data: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    rows = max(1, _DRAWN_AT_ONCE // len(data))
    means = [
        data[torch.randint(len(data), (min(rows, left), len(data)), generator=generator)].mean(1)
        for left in range(_RESAMPLES, 0, -rows)
    ]
    return torch.cat(means)
