import pytest
import torch

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means


def test_the_bootstrap_spreads_as_the_mean_does():
    rows = torch.stack([torch.arange(400.0), torch.full((400,), 7.0)], 1)
    means = resampled_means(rows)
    assert means.shape == (1000, 2)
    assert means[:, 0].std().item() == pytest.approx(115.5 / 20, rel=0.1)  # σ / √n
    assert torch.allclose(means[:, 1], torch.tensor(7.0, dtype=torch.float64))
    assert torch.equal(means, resampled_means(rows))
    assert not torch.equal(means, resampled_means(rows, seed=1))


def test_resampling_in_parts_draws_a_thousand(monkeypatch):
    monkeypatch.setattr("advprop_core.evaluation.bootstrap._DRAWN_AT_ONCE", 700)
    assert len(resampled_means(torch.rand(3, 1))) == 1000


def test_percentiles():
    assert percentile_interval(torch.arange(1001.0)) == (25.0, 975.0)
