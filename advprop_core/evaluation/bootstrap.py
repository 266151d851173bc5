"""95 % intervals of what no formula gives: from images drawn anew."""

import torch
from torch import Tensor

RESAMPLES = 1000
_DRAWN_AT_ONCE = 2_000_000


def resampled_means(rows: Tensor, seed: int = 0) -> Tensor:
    """Means over images drawn anew with replacement: the bootstrap.

    Args:
        rows: (N, K), a row for each image.
        seed: Of the draws; the same seed draws the same images for every measure of N images.

    Returns:
        (1000, K) float64.
    """
    generator = torch.Generator().manual_seed(seed)
    data, n = rows.double(), len(rows)
    at_once = max(1, _DRAWN_AT_ONCE // n)
    means = []
    for start in range(0, RESAMPLES, at_once):
        drawn = torch.randint(n, (min(at_once, RESAMPLES - start), n), generator=generator)
        # How often each image is drawn, so that one product gives the means of all columns.
        times = torch.zeros(drawn.shape, dtype=torch.float64)
        means.append(times.scatter_add_(1, drawn, torch.ones_like(times)) @ data / n)
    return torch.cat(means)


def percentile_interval(values: Tensor) -> tuple[float, float]:
    """What the middle 95 % of (B,) bootstrap values span."""
    bounds = torch.tensor([0.025, 0.975], dtype=values.dtype)
    low, high = values.quantile(bounds).tolist()
    return low, high
