import pytest
import torch

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.faithfulness.maps import Undefined
from advprop_core.faithfulness.objects import Estimate, estimate_mean, estimate_share


def test_the_bootstrap_of_many_values_is_nearly_normal():
    values = torch.rand(400, generator=torch.Generator().manual_seed(0)).double()
    found = estimate_mean(values.tolist())
    half = 1.96 * values.std().item() / 20
    assert found.value == pytest.approx(values.mean().item())
    assert found.low == pytest.approx(found.value - half, abs=0.1 * half)
    assert found.high == pytest.approx(found.value + half, abs=0.1 * half)
    assert found.n == 400


def test_the_bootstrap_of_two_values_by_hand():
    # Resampled means are 0, 0.5 and 1 with chances of a quarter, a half and a quarter.
    assert estimate_mean([0.0, 1.0]) == Estimate(0.5, 0.0, 1.0, 2)


def test_the_seed_decides_and_nothing_else():
    values = torch.rand(30, generator=torch.Generator().manual_seed(0)).tolist()
    assert estimate_mean(values, seed=1) == estimate_mean(values, seed=1)
    assert estimate_mean(values, seed=1) != estimate_mean(values, seed=2)


def test_more_values_than_are_drawn_at_once():
    found = estimate_mean([0.0, 1.0] * 2000)
    assert found.low == pytest.approx(0.5 - 1.96 * 0.5 / 4000**0.5, abs=0.002)


def test_undefined_values_are_left_out():
    gap = Undefined("the map is constant")
    assert estimate_mean([0.5, gap, 0.5, gap]) == Estimate(0.5, 0.5, 0.5, 2)
    assert estimate_share([True, gap, False]) == Estimate(0.5, *wilson_interval(1, 2), 2)


def test_shares_have_wilson_intervals():
    # Wilson (1927) for 8 of 10, as tables have it.
    found = estimate_share([True] * 8 + [False] * 2)
    assert (found.value, found.n) == (0.8, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert str(found) == "0.800 [0.490, 0.943]"


def test_too_few_values_have_no_interval():
    gap = Undefined("the map is constant")
    assert estimate_mean([gap, 1.0]) == Undefined("one picture has no interval")
    assert estimate_mean([gap, gap]) == gap
    assert estimate_share([gap]) == gap
    assert estimate_share([]) == Undefined("there is no value")
