"""95 % intervals that a formula gives; loads no torch."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Z = 1.959964


def wilson_interval(successes: float, n: int) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion, both ends in [0, 1]."""
    share = successes / n
    centre = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z / (1 + _Z * _Z / n) * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def bounded_interval(
    values: Sequence[float] | NDArray[Any], low: float, high: float
) -> tuple[float, float] | None:
    """Student's interval, within what the values can be; None for fewer than two."""
    if len(values) < 2:
        return None
    ends = student_interval(values)
    return max(low, ends[0]), min(high, ends[1])


def student_interval(values: Sequence[float] | NDArray[Any]) -> tuple[float, float]:
    """95 % interval of the mean of values by Student's t.

    Raises:
        ValueError: For fewer than two.
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs two values or more, got {len(values)}")
    from scipy.special import stdtrit  # here: it takes a while to load

    data = np.asarray(values, dtype=np.float64)
    half = float(stdtrit(len(data) - 1, 0.975) * data.std(ddof=1)) / math.sqrt(len(data))
    return float(data.mean()) - half, float(data.mean()) + half
