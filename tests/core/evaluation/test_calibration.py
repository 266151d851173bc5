import pytest
import torch

from advprop_core.evaluation.calibration import bin_places, calibration_of
from advprop_core.evaluation.intervals import student_interval
from advprop_core.evaluation.results import Answers


def answers(confidence, right):
    n = len(right)
    flags = torch.tensor(right).bool()
    return Answers(
        torch.zeros(n).int(), flags, flags, torch.tensor(confidence, dtype=torch.float32),
        torch.zeros(n),
    )  # fmt: skip


def test_error_of_a_hand_made_branch():
    found = calibration_of(answers([0.95, 0.95, 0.55, 0.2], [1, 0, 1, 0]))
    # |0.5 − 0.95| of two images, |1 − 0.55| and |0 − 0.2| of one each.
    assert found.expected_calibration_error == pytest.approx((2 * 0.45 + 0.45 + 0.2) / 4)
    assert found.confidence_when_wrong == pytest.approx((0.95 + 0.2) / 2)
    assert found.confidence_when_wrong_interval == (0, 1)  # two wrong ones say little
    assert found.bins.low == (2 / 15, 8 / 15, 14 / 15)  # exactly: they are written to files
    assert found.bins.high == (3 / 15, 9 / 15, 1)
    assert (found.bins.n, found.bins.accuracy) == ((1, 1, 2), (0, 1, 0.5))
    assert found.bins.confidence == pytest.approx([0.2, 0.55, 0.95])


def test_bins_are_closed_above():
    edges = torch.tensor([1 / 15, 0.2, 0.2001, 0.6, 1.0]).double()
    assert bin_places(edges).tolist() == [0, 2, 3, 8, 14]


def test_errors_of_opposite_sign_cancel_in_a_bin_alone():
    same = calibration_of(answers([0.94, 0.96], [1, 0]))
    apart = calibration_of(answers([0.5, 0.96], [1, 0]))
    assert same.expected_calibration_error == pytest.approx(0.45)
    assert apart.expected_calibration_error == pytest.approx((0.5 + 0.96) / 2)


def test_the_interval_is_around_the_error():
    generator = torch.Generator().manual_seed(0)
    confidence = torch.rand(2000, generator=generator) * 0.5 + 0.5
    right = torch.rand(2000, generator=generator) < confidence - 0.1
    found = calibration_of(answers(confidence.tolist(), right.tolist()))
    assert found.expected_calibration_error == pytest.approx(0.1, abs=0.03)
    low, high = found.interval
    assert low < found.expected_calibration_error < high
    assert high - low == pytest.approx(4 * 0.46 / 2000**0.5, rel=0.3)


def test_confidence_when_wrong_is_of_the_wrong_ones_alone():
    confidence = [0.5, 0.6, 0.7, 0.9, 0.99]
    found = calibration_of(answers(confidence, [0, 0, 0, 1, 1]))
    assert found.confidence_when_wrong_interval == pytest.approx(
        student_interval([0.5, 0.6, 0.7]), abs=1e-6
    )
    once = calibration_of(answers(confidence, [0, 1, 1, 1, 1]))
    assert (once.confidence_when_wrong, once.confidence_when_wrong_interval) == (0.5, None)


def test_a_branch_that_is_never_wrong_has_no_wrong_confidence():
    found = calibration_of(answers([1.0, 1.0], [1, 1]))
    assert (found.expected_calibration_error, found.interval) == (0.0, (0.0, 0.0))
    assert found.confidence_when_wrong is found.confidence_when_wrong_interval is None
    assert found.bins.n == (2,)
