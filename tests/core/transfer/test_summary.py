"""Intervals over seeds, and how much is needed for the same accuracy."""

import math

import pytest

from advprop_core.transfer.grid import Cell
from advprop_core.transfer.summary import _accuracies, reached


def test_differences_are_paired_by_seed() -> None:
    curves = {
        Cell(source, "0", 10, seed): {"epochs": [1, 6], "accuracies": [0.1, 0.5 + seed / 10 + gain]}
        for seed in range(3)
        for source, gain in (("a", 0.0), ("b", 0.02 + 0.01 * (seed == 1)))
    }
    first, second = _accuracies("a", curves)
    assert first["accuracy"] == pytest.approx(0.6)
    assert first["difference"] is None
    assert second["difference"] == pytest.approx(0.07 / 3)
    low, high = second["difference_interval"]
    assert (low, high) == pytest.approx((0.00899, 0.03768), abs=1e-4)  # t of 2 degrees is 4.303
    wide = first["interval"][1] - first["interval"][0]
    assert wide > 10 * (high - low), "seeds differ more than sources"
    assert [point["difference"] for point in second["by_epoch"]] == pytest.approx([0, 0.07 / 3])


def test_a_seed_that_failed_for_one_source_is_no_pair() -> None:
    curves = {Cell("a", "0", 10, 0): {"epochs": [1], "accuracies": [0.5]}} | {
        Cell("b", "0", 10, seed): {"epochs": [1], "accuracies": [0.6 + seed]} for seed in (0, 1)
    }
    *_, row = _accuracies("a", curves)
    assert (row["seeds"], row["difference_interval"]) == (2, None)
    assert row["difference"] == pytest.approx(0.1)


def test_an_amount_is_interpolated_in_its_logarithm() -> None:
    points = [(100, 0.2), (400, 0.4), (1600, 0.3)]
    assert reached(points, 0.3) == {
        "amount": pytest.approx(math.sqrt(100 * 400)),
        "relation": "about",
    }
    assert reached(points, 0.2) == {"amount": 100, "relation": "at most"}
    assert reached(points, 0.5) == {"amount": 1600, "relation": "more than"}
