"""Measurements over a test set, on influences that are known."""

from types import SimpleNamespace

import pytest
import torch

from advprop_core.influence.agreement import ClassAgreement, measure_agreement
from advprop_core.influence.features import Features

TRAIN = torch.tensor([0, 0, 1, 1])
# A test image of class 0 that rests on its class, one that the other class harms, one of class 1.
SCORES = torch.tensor([[4.0, 3, 2, 1], [1, 2, -4, 3], [-1, -2, 5, 3]])
LABELS = torch.tensor([0, 0, 1])


def tracer():
    method = SimpleNamespace(
        influence=lambda values, labels: SCORES[values[:, 0].long()],
        logits=lambda values: torch.tensor([[1.0, 0]]).expand(len(values), 2),
    )
    features = Features(torch.zeros(4, 1), torch.arange(4), TRAIN)
    images = SimpleNamespace(classes=(("a", "a"), ("b", "b")))
    return SimpleNamespace(method=method, features=features, images=images)


def measured() -> ClassAgreement:
    test = Features(torch.arange(3.0)[:, None], torch.arange(3), LABELS)
    return measure_agreement(tracer(), test)


def test_shares_and_the_matrix_are_counted_by_hand():
    each = measured()
    assert each.curve == [2 / 3, 2 / 3, 1 / 3, 1 / 3]
    assert each.share == 2 / 3
    assert each.interval == pytest.approx((0.2077, 0.9385), abs=1e-3)
    bounds = zip(each.curve, each.curve_intervals, strict=True)
    assert all(low <= share <= high for share, (low, high) in bounds)
    assert each.matrix.tolist() == [[2.5, 0.5], [-1.5, 4.0]]
    assert each.right.tolist() == [True, True, False]


def test_a_difference_is_paired():
    each = measured()
    other = ClassAgreement(torch.zeros(3, 4, dtype=torch.bool), each.matrix, each.right)
    assert each.ahead_of(each) == (0.0, (0.0, 0.0))
    difference, (low, high) = each.ahead_of(other)
    assert difference == 2 / 3
    assert 0 <= low < difference < high <= 1
    with pytest.raises(ValueError, match="the same images"):
        each.ahead_of(ClassAgreement(other.matches[:2], each.matrix, each.right[:2]))
