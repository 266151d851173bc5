"""Figures over many pictures, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.faithfulness.maps import Score, Undefined, defined, why_none


@dataclass(frozen=True)
class Estimate:
    """A mean over n pictures that have a value, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate_mean(values: Sequence[Score], *, seed: int = 0) -> Estimate | Undefined:
    """Mean with a percentile bootstrap (1000 resamples), over the values that exist.

    A bootstrap stays within the range of the values, which an interval by Student's t does not.
    Undefined where fewer than two pictures have a value.
    """
    numbers = defined(values)
    if not numbers:
        return why_none(values)
    if len(numbers) == 1:
        return Undefined("one picture has no interval")
    data = torch.tensor(numbers, dtype=torch.float64)
    low, high = percentile_interval(resampled_means(data[:, None], seed)[:, 0])
    return Estimate(float(data.mean()), low, high, len(data))


def estimate_share(hits: Sequence[bool | Undefined]) -> Estimate | Undefined:
    """Share of hits with Wilson's score interval, over those that exist."""
    counted = defined(hits)
    if not counted:
        return why_none(hits)
    low, high = wilson_interval(sum(counted), len(counted))
    return Estimate(sum(counted) / len(counted), low, high, len(counted))
