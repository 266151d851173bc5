from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack import apgd as module
from advprop_core.attacks.autoattack.apgd import apgd
from advprop_core.attacks.autoattack.search import cross_entropy, likely_wrong, targeted_dlr
from advprop_core.attacks.gradient import attack
from advprop_core.pictures.draws import streams
from advprop_core.types import AttackConfig
from tests.core.attacks.autoattack.lengths import dual_length, length

BOTH_NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])


def run(network, pixels, labels, norm, epsilon, steps=20, seed=0, score=cross_entropy):
    draws = streams([seed + place for place in range(len(pixels))], len(pixels))
    with torch.no_grad():
        targets = likely_wrong(network(pixels), labels, 1)[:, 0]
    config = AutoAttackConfig(norm, epsilon, steps)
    return apgd(network, pixels, labels, targets, config, draws, score=score)


def test_checkpoints_literal():
    """The shares 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99 of section 4, for 100 steps."""
    checks = module._checkpoints(100)
    assert [*checks] == [22, 41, 57, 70, 80, 87, 93, 99]
    assert list(checks.values()) == [22, 19, 16, 13, 10, 7, 6, 6]
    assert module._checkpoints(6) == {2: 2, 3: 1, 4: 1, 5: 1, 6: 1}  # each after a move or more


@BOTH_NORMS
def test_turns_a_linear_network_just_beyond_its_margin(linear, grey, answered, norm):
    pixels = grey()
    labels = answered(linear, pixels)
    targets = likely_wrong(linear(pixels), labels, 1)[:, 0]
    logits = linear(pixels)
    lead = logits[range(6), labels] - logits[range(6), targets]
    slope = linear.weight[labels] - linear.weight[targets]
    needed = lead / dual_length(slope, norm)
    for place in range(6):
        one = pixels[place : place + 1], labels[place : place + 1]
        far = run(linear, *one, norm, 1.02 * float(needed[place]), score=targeted_dlr)
        assert far.turned.all()


@BOTH_NORMS
@pytest.mark.parametrize("score", [cross_entropy, targeted_dlr])
def test_stays_in_the_ball_and_the_range(branch, pixels, answered, norm, score):
    clean = pixels(6)
    clean[0].clamp_(0, 0.01)
    clean[1].clamp_(0.99, 1)
    labels = answered(branch, clean)
    epsilon = 16 / 255 if norm == "linf" else 2.0
    found = run(branch, clean, labels, norm, epsilon, score=score)
    assert found.turned.any()
    assert found.points.min() >= 0
    assert found.points.max() <= 1
    assert (length(found.points - clean, norm) <= epsilon + 1e-6).all()
    assert torch.equal(found.points[~found.turned], clean[~found.turned])
    assert (answered(branch, found.points) != labels)[found.turned].all()


@BOTH_NORMS
def test_no_weaker_than_pgd_with_as_many_steps(branch, pixels, answered, norm):
    clean = pixels(24, seed=3)
    labels = answered(branch, clean)
    epsilon = 9 / 255 if norm == "linf" else 1.38
    plain = AttackConfig.pgd(epsilon, norm=norm, steps=20)
    by_pgd = answered(branch, attack(branch, clean, labels, plain)) != labels
    by_apgd = run(branch, clean, labels, norm, epsilon, steps=20).turned
    assert 0 < by_pgd.sum() < 24
    assert by_apgd.sum() >= by_pgd.sum()


def test_raises_the_loss_where_pgds_step_is_too_long(branch, pixels, answered):
    """It halves its step, and so gets where a fixed step of the same size goes to and fro."""
    clean = pixels(16, seed=3)
    labels = answered(branch, clean)
    epsilon = 6 / 255  # nothing turns, so every image goes all the way
    coarse = replace(AttackConfig.pgd(epsilon, steps=40), step_size=2 * epsilon)
    reached = []

    def watch(points):
        logits = branch(points)
        reached.append(F.cross_entropy(logits.detach(), labels, reduction="none"))
        return logits

    assert not run(watch, clean, labels, "linf", epsilon, steps=40).turned.any()
    fixed = F.cross_entropy(branch(attack(branch, clean, labels, coarse)), labels, reduction="none")
    best = torch.stack(reached).amax(0)
    assert (best >= fixed - 1e-6).all()
    assert best.mean() > fixed.mean()


def test_same_seed_same_points_whatever_the_others(branch, pixels, answered):
    clean = pixels(6, seed=3)
    labels = answered(branch, clean)
    whole = run(branch, clean, labels, "linf", 9 / 255, seed=2)
    again = run(branch, clean, labels, "linf", 9 / 255, seed=2)
    assert torch.equal(whole.points, again.points)
    assert torch.equal(whole.turned, again.turned)
    part = run(branch, clean[:3], labels[:3], "linf", 9 / 255, seed=2)
    assert torch.equal(part.turned, whole.turned[:3])
    torch.testing.assert_close(part.points, whole.points[:3], atol=1e-3, rtol=0)
    other = run(branch, clean, labels, "linf", 9 / 255, seed=7)
    assert not torch.equal(whole.points, other.points)
