import pytest
import torch
from torch.nn import functional as F

from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.intervals import student_interval, wilson_interval
from advprop_core.evaluation.results import Answers, BranchResult


def test_answers_literal():
    logits = torch.tensor([[2.0, 0, 0, 0, 0, 0, -1], [0, 0, 0, 0, 0, 3, 0]])
    answers = Answers.from_logits(logits, torch.tensor([6, 5]))
    assert answers.predicted.tolist() == [0, 5]
    assert answers.right.tolist() == [False, True]
    assert answers.in_five.tolist() == [False, True]
    assert answers.confidence.tolist() == logits.softmax(1).amax(1).tolist()
    result = BranchResult.of("main", Condition(), answers.rows(torch.tensor([0, 1, 0, 1])))
    assert (result.n, result.top1, result.top5) == (4, 0.5, 0.5)
    assert result.loss == pytest.approx(F.cross_entropy(logits, torch.tensor([6, 5])).item())
    assert result.interval == result.top5_interval == wilson_interval(2, 4)
    low, high = student_interval(answers.losses.tolist() * 2)
    assert low < 0 < result.loss < high
    assert result.loss_interval == pytest.approx((0, high))  # a loss is never below 0
    plain = result.to_json()
    assert plain["loss_interval"] == [*result.loss_interval]
    assert plain["top5_interval"] == [*result.top5_interval]


def test_the_loss_of_one_image_has_no_interval():
    one = Answers.from_logits(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))
    result = BranchResult.of("main", Condition(), one)
    assert result.loss_interval is result.to_json()["loss_interval"] is None


def test_logits_that_are_not_finite_are_no_answers():
    with pytest.raises(ValueError, match="finite"):
        Answers.from_logits(torch.tensor([[torch.nan, 0.0]]), torch.tensor([0]))
