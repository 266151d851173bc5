from types import SimpleNamespace

import pytest
import torch

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack import square as module
from advprop_core.attacks.autoattack.square import square
from advprop_core.pictures.draws import streams
from tests.core.attacks.autoattack.lengths import length

BOTH_NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])
RADIUS = {"linf": 0.03, "l2": 0.3}


def run(network, pixels, labels, norm="linf", epsilon=None, queries=60, seed=0):
    draws = streams([seed + place for place in range(len(pixels))], len(pixels))
    epsilon = RADIUS[norm] if epsilon is None else epsilon
    config = AutoAttackConfig(norm, epsilon, queries=queries)
    return square(network, pixels, labels, config, draws)


@BOTH_NORMS
def test_needs_no_gradient(linear, grey, answered, norm):
    """The network's answers come as copies that no gradient leads back from."""
    clean = grey(8)
    labels = answered(linear, clean)

    def opaque(points):
        assert not points.requires_grad
        with torch.inference_mode():
            return torch.from_numpy(linear(points).numpy().copy())

    found = run(opaque, clean, labels, norm)
    assert found.turned.any()
    assert (answered(linear, found.points) != labels)[found.turned].all()


@BOTH_NORMS
def test_every_query_stays_in_the_ball_and_the_range(branch, pixels, norm):
    clean = pixels(4)
    clean[0].clamp_(0, 0.01)
    clean[1].clamp_(0.99, 1)
    asked = []

    def certain(points):
        """No answer is ever better than the last, and none is wrong."""
        asked.append(points)
        return torch.eye(6)[[0] * len(points)]

    found = run(certain, clean, torch.zeros(4, dtype=torch.long), norm)
    assert not found.turned.any()
    assert torch.equal(found.points, clean)
    assert len(asked) == 60
    for points in asked:
        assert points.min() >= 0
        assert points.max() <= 1
        assert (length(points - clean, norm) <= RADIUS[norm] + 1e-6).all()
    assert not torch.equal(asked[1], asked[2])


def test_an_image_that_has_turned_is_asked_no_more():
    asked = []

    def network(points):
        asked.append(len(points))
        logits = torch.eye(4)[[0] * len(points)]
        if len(asked) == 3:
            logits[1] = torch.tensor([0.0, 1.0, 0.0, 0.0])
        return logits

    clean = torch.full((3, 3, 8, 8), 0.5)
    found = run(network, clean, torch.zeros(3, dtype=torch.long), queries=5)
    assert asked == [3, 3, 3, 2, 2]
    assert found.turned.tolist() == [False, True, False]


def test_only_what_lowers_the_lead_is_kept():
    """The lead is the mean brightness, so the perturbation gets darker and darker."""
    means = []

    def network(points):
        means.append(points.mean())
        return torch.stack([10 * points.mean((1, 2, 3)), *[torch.zeros(len(points))] * 3], 1)

    clean = torch.full((1, 3, 16, 16), 0.5)
    run(network, clean, torch.zeros(1, dtype=torch.long), epsilon=0.1, queries=400)
    darkest = torch.stack(means).cummin(0).values
    assert darkest[-1] < 0.44  # 0.4 is where everything is as dark as the ball allows
    assert darkest[50] < darkest[0]


def test_one_square_of_one_colour_changes():
    before = torch.zeros(2, 3, 8, 8)
    lots = torch.tensor([[-1.0, 0.999, 0.5, -0.5, 0.5, 0, 0, 0], [0.0] * 8])
    after = module._painted_linf(before, 3, lots, 0.1)
    first = torch.zeros(3, 8, 8)
    first[:, :3, 5:] = torch.tensor([0.1, -0.1, 0.1]).view(3, 1, 1)
    assert torch.equal(after[0], first)
    assert (after[1] != 0).sum() == 27


def test_sides_of_squares_literal():
    """0.8 of the image at first, halved after 10, 50, 200 … of 10 000 queries."""
    pixels = torch.zeros(1, 3, 40, 40)
    sides = [module._side(q, 10_000, pixels, is_odd=False) for q in (1, 11, 51, 201, 9_999)]
    assert sides == [36, 25, 18, 13, 2]
    assert module._side(6, 5_000, pixels, is_odd=False) == 25
    assert module._side(4_999, 5_000, pixels, is_odd=True) == 3


def test_the_pattern_is_two_hills_of_opposite_sign():
    """Equation 2: at height h the value is the sum over k of 1 / (n + 1 − k)²."""
    pattern = module._pattern(5) / module._pattern(5)[2, 1]
    top = 1 + 1 / 4 + 1 / 9
    column = [1 / 9 / top, (1 / 9 + 1 / 4) / top, 1.0, (1 / 9 + 1 / 4) / top, 1 / 9 / top]
    assert pattern[:, 1].tolist() == pytest.approx(column)
    assert (pattern[:, :2] > 0).all()
    assert (pattern[:, 2:] < 0).all()
    assert float(module._pattern(7).norm()) == pytest.approx(1)


def test_same_seed_same_points_whatever_the_others(linear, grey, answered):
    clean = grey()
    labels = answered(linear, clean)
    whole, again = (run(linear, clean, labels, seed=2) for _ in range(2))
    assert torch.equal(whole.points, again.points)
    part = run(linear, clean[:3], labels[:3], seed=2)
    assert torch.equal(part.turned, whole.turned[:3])
    torch.testing.assert_close(part.points, whole.points[:3])
    assert not torch.equal(whole.points, run(linear, clean, labels, seed=9).points)


def test_no_norm_passes_for_another(branch, pixels):
    config = SimpleNamespace(norm="l1", epsilon=0.1, queries=2)
    with pytest.raises(KeyError, match="l1"):
        square(branch, pixels(1), torch.zeros(1, dtype=torch.long), config, streams([0], 1))
