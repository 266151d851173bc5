import pytest
import torch

from advprop_core.evaluation.intervals import (
    mean_interval,
    percentile_interval,
    resampled_means,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (500, 1000, 0.469, 0.531),
    ],
)
def test_wilson_interval_literal(successes, n, low, high):
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=1e-4)


def test_the_bootstrap_spreads_as_the_mean_does():
    rows = torch.stack([torch.arange(400.0), torch.full((400,), 7.0)], 1)
    means = resampled_means(rows)
    assert means.shape == (1000, 2)
    assert means[:, 0].std().item() == pytest.approx(115.5 / 20, rel=0.1)  # σ / √n
    assert torch.allclose(means[:, 1], torch.tensor(7.0, dtype=torch.float64))
    assert torch.equal(means, resampled_means(rows))
    assert not torch.equal(means, resampled_means(rows, seed=1))


def test_resampling_in_parts_draws_a_thousand(monkeypatch):
    monkeypatch.setattr("advprop_core.evaluation.intervals._DRAWN_AT_ONCE", 700)
    assert len(resampled_means(torch.rand(3, 1))) == 1000


def test_a_mean_lies_within_its_interval():
    low, high = mean_interval(torch.arange(400.0))
    half = 1.96 * 115.5 / 20  # σ / √n
    assert (low, high) == pytest.approx((199.5 - half, 199.5 + half), rel=0.02)
    assert mean_interval(torch.tensor([3.0])) == (3, 3)
    assert mean_interval(torch.arange(400.0), seed=1) != (low, high)


def test_percentiles():
    assert percentile_interval(torch.arange(1001.0)) == (25.0, 975.0)
