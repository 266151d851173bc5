"""Intervals over seeds, and how much is needed for the same accuracy."""

import json
import math

import pytest

from advprop_core.errors import InputError
from advprop_core.transfer.results_file import _accuracies, parse, reached


def result(source, seed, accuracies):
    cell = {"source": source, "trainable": "0", "num_images": 10, "seed": seed}
    return {**cell, "epochs": [1, 6][: len(accuracies)], "accuracies": accuracies}


def test_differences_are_paired_by_seed() -> None:
    results = [
        result(source, seed, [0.1, 0.5 + seed / 10 + gain])
        for seed in range(3)
        for source, gain in (("a", 0.0), ("b", 0.02 + 0.01 * (seed == 1)))
    ]
    first, second = _accuracies("a", results)
    assert first["accuracy"] == pytest.approx(0.6)
    assert first["difference"] is None
    assert second["difference"] == pytest.approx(0.07 / 3)
    low, high = second["difference_interval"]
    assert (low, high) == pytest.approx((0.00899, 0.03768), abs=1e-4)  # t of 2 degrees is 4.303
    wide = first["interval"][1] - first["interval"][0]
    assert wide > 10 * (high - low), "seeds differ more than sources"
    assert [point["difference"] for point in second["by_epoch"]] == pytest.approx([0, 0.07 / 3])


def test_a_seed_that_failed_for_one_source_is_no_pair() -> None:
    results = [result("a", 0, [0.5]), *(result("b", seed, [0.6 + seed]) for seed in (0, 1))]
    *_, row = _accuracies("a", results)
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


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([result("a", 0, [0.5]), result("a", 0, [0.6])], "two of results are of the same source"),
        ([result("b", 0, [0.5])], "results name b, which is none of the sources"),
        ([result("a", 0, [0.5]), result("a", 1, [0.5, 0.6])], "an accuracy for the same epochs"),
        ([result("a", 0, [1.5])], "accuracies.0. must be at most 1"),
        ([], "results"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message) -> None:
    source = {"branch": "main", "architecture": "resnet18", "size": 32, "training": "natural"}
    content = {
        "format": 1,
        "kind": "transfer",
        "command": "advprop transfer",
        "data": "shapes",
        "test_images": 4,
        "seeds": 2,
        "num_images": [10],
        "trainable": ["0"],
        "sources": {"a": source},
        "training": {"epochs": 6, "batch_size": 4, "learning_rate": 0.1},
        "notes": [],
        "failed": [],
    }
    good = [result("a", 0, [0.5]), result("a", 1, [0.7])]
    read = parse("x.json", json.dumps({**content, "results": good}).encode())
    assert read["accuracies"][0]["accuracy"] == pytest.approx(0.6)
    with pytest.raises(InputError, match=f"x.json is damaged: .*{message}"):
        parse("x.json", json.dumps({**content, "results": rows}).encode())
    many = {**content, "results": good, "num_images": [*range(10, 1000)]}
    with pytest.raises(InputError, match="num_images must have at most 200"):
        parse("x.json", json.dumps(many).encode())
