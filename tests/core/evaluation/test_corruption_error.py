import pytest
import torch

from advprop_core.evaluation.corruption_error import mean_corruption_error
from advprop_core.evaluation.results import Answers
from advprop_core.pictures.corruptions import CorruptionConfig


def answers(*right):
    flags = torch.tensor(right).bool()
    return Answers(torch.zeros(len(right)).int(), flags, flags, flags.float(), flags.float())


def test_the_mean_is_over_severities_and_then_over_kinds():
    found = mean_corruption_error(
        {
            CorruptionConfig("fog", 1): answers(1, 1, 1, 1),
            CorruptionConfig("fog", 5): answers(1, 0, 0, 1),
            CorruptionConfig("snow", 5): answers(0, 0, 0, 0),
        }
    )
    assert found.error == (0.25 + 1) / 2
    assert (found.corruptions, found.severities, found.n) == (("snow", "fog"), (1, 5), 4)
    low, high = found.interval
    assert 0.5 <= low < found.error < high <= 0.75


def test_extra_kinds_count_only_among_themselves():
    extra = {CorruptionConfig("spatter", 1): answers(0, 0)}
    usual = {CorruptionConfig("fog", 1): answers(1, 1)}
    assert mean_corruption_error(extra | usual).error == 0.0
    alone = mean_corruption_error(extra)
    assert (alone.error, alone.corruptions) == (1.0, ("spatter",))


def test_the_interval_takes_images_and_not_answers_as_drawn():
    generator = torch.Generator().manual_seed(0)
    right = (torch.rand(400, generator=generator) < 0.5).tolist()
    once = mean_corruption_error({CorruptionConfig("fog", 1): answers(*right)})
    often = mean_corruption_error(
        {CorruptionConfig("fog", severity): answers(*right) for severity in range(1, 6)}
    )
    # The same images five times tell no more than once.
    assert often.interval == pytest.approx(once.interval)
    low, high = once.interval
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.1)
