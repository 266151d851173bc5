import pytest
import torch
from torch.nn import functional as F

from advprop_core.evaluation import BranchResult, Condition
from advprop_core.evaluation.intervals import mean_interval, wilson_interval
from advprop_core.evaluation.results import Answers


def test_answers_literal():
    logits = torch.tensor([[2.0, 0, 0, 0, 0, 0, -1], [0, 0, 0, 0, 0, 3, 0]])
    answers = Answers.from_logits(logits, torch.tensor([6, 5]))
    assert answers.predicted.tolist() == [0, 5]
    assert answers.right.tolist() == [False, True]
    assert answers.in_five.tolist() == [False, True]
    assert answers.confidence.tolist() == logits.softmax(1).amax(1).tolist()
    result = BranchResult.of("main", Condition(), Answers.join([answers, answers]))
    assert (result.n, result.top1, result.top5) == (4, 0.5, 0.5)
    assert result.loss == pytest.approx(F.cross_entropy(logits, torch.tensor([6, 5])).item())
    assert result.interval == result.top5_interval == wilson_interval(2, 4)
    assert result.loss_interval == mean_interval(torch.cat([answers.losses] * 2))
    assert result.loss_interval[0] < result.loss < result.loss_interval[1]
    plain = result.to_json()
    assert plain["loss_interval"] == [*result.loss_interval]
    assert plain["top5_interval"] == [*result.top5_interval]


def test_logits_that_are_not_finite_are_no_answers():
    with pytest.raises(ValueError, match="finite"):
        Answers.from_logits(torch.tensor([[torch.nan, 0.0]]), torch.tensor([0]))
