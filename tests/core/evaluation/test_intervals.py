import pytest

from advprop_core.evaluation.intervals import student_interval, wilson_interval


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


def test_students_interval_literal():
    # t of 2 degrees of freedom at 97.5 % is 4.30265; the deviation of 1, 2, 3 is 1.
    half = 4.30265 / 3**0.5
    assert student_interval([1.0, 2.0, 3.0]) == pytest.approx((2 - half, 2 + half), abs=1e-5)
    assert student_interval([0.5] * 4) == (0.5, 0.5)
    with pytest.raises(ValueError, match="two values or more, got 1"):
        student_interval([1.0])
