import math

import pytest
import torch

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.shape_bias import MEANING, shape_bias_of

SHAPES = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
TEXTURES = torch.tensor([1, 2, 0, 2, 0, 1, 0, 1])


def answers(*predicted, shapes=SHAPES):
    logits = torch.nn.functional.one_hot(torch.tensor(predicted), 5).float()
    return Answers.from_logits(logits, shapes)


def test_shape_bias_literal():
    # By shape in scenes 0, 2 and 4, by texture in 1, by neither in the rest.
    bias = shape_bias_of(answers(0, 2, 1, 4, 2, 4, 4, 4), SHAPES, TEXTURES)
    assert bias.shape_bias == 0.75
    assert (bias.n, bias.decided) == (8, 4)
    assert (bias.shape, bias.texture, bias.neither) == (3 / 8, 1 / 8, 4 / 8)


def test_the_interval_is_of_the_decisions_that_count():
    bias = shape_bias_of(answers(0, 2, 1, 4, 2, 4, 4, 4), SHAPES, TEXTURES)
    z, n, share = 1.959964, 4, 0.75  # Wilson, 1927
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    assert bias.interval == pytest.approx((middle - half, middle + half))


def test_scenes_that_cannot_tell_do_not_count():
    same = TEXTURES.clone()
    same[:2] = SHAPES[:2]
    bias = shape_bias_of(answers(0, 2, 1, 4, 2, 4, 4, 4), SHAPES, same)
    assert (bias.n, bias.decided, bias.shape_bias) == (6, 2, 1.0)


def test_a_branch_that_answers_neither_has_no_bias():
    bias = shape_bias_of(answers(*[4] * 8), SHAPES, TEXTURES)
    assert (bias.shape_bias, bias.interval, bias.neither) == (None, None, 1.0)


def test_shares_have_intervals_over_scenes():
    bias = shape_bias_of(answers(*SHAPES.tolist()), SHAPES, TEXTURES)
    assert (bias.shape_bias, bias.neither) == (1.0, 0.0)
    assert bias.shape_interval == wilson_interval(bias.n, bias.n)
    assert bias.texture_interval == bias.neither_interval == wilson_interval(0, bias.n)
    assert "1811.12231" in MEANING


def test_what_cannot_be_told_is_refused():
    with pytest.raises(ValueError, match="give shapes-conflict"):
        shape_bias_of(answers(*[4] * 8), SHAPES, SHAPES)
