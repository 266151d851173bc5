"""What is free of scale: a network whose logits are multiplied is as robust as before."""

import pytest
import torch
from torch import nn

from advprop_core.attacks.autoattack.config import MEMBERS, AutoAttackConfig
from advprop_core.attacks.autoattack.run import auto_attack
from advprop_core.attacks.balls import BALLS
from advprop_core.attacks.gradient import attack, loss_gradient
from advprop_core.attacks.losses import _LEAD, lifted_log_odds, log_odds
from advprop_core.compare.sweep import sweep
from advprop_core.evaluation.smallest_epsilon import smallest_epsilons
from advprop_core.types import AttackConfig

SCALES = [1e-3, 10.0, 100.0, 1e4]


class Scaled(nn.Module):
    """The same network with logits times a factor: the same answers and boundaries."""

    def __init__(self, network, factor):
        super().__init__()
        self.network, self.factor = network, factor
        self.eval()

    def forward(self, pixels):
        return self.factor * self.network(pixels)


@pytest.fixture
def confident(dual):
    """A branch that leads by more than the softmax can tell from certainty."""
    return Scaled(dual.branch("main"), 30.0)


def right_after(model, images, labels, config):
    with torch.no_grad():
        return model(attack(model, images, labels, config)).argmax(1) == labels


@pytest.mark.parametrize("factor", SCALES[1:])
@pytest.mark.parametrize(
    "config",
    [AttackConfig.pgd(0.3, norm="l2"), AttackConfig.pgd(1 / 255), AttackConfig.fgsm(2 / 255)],
    ids=["l2", "linf", "fgsm"],
)
def test_an_attack_on_multiplied_logits_is_the_same(confident, pixels, config, factor):
    images = pixels(8)
    with torch.no_grad():
        labels = confident(images).argmax(1)
    before = right_after(confident, images, labels, config)
    after = right_after(Scaled(confident, factor), images, labels, config)
    assert (before != after).sum() <= 1  # an image on its boundary may go either way by rounding


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("member", MEMBERS)
def test_autoattacks_members_on_multiplied_logits(dual, pixels, norm, member):
    plain, images = dual.branch("main"), pixels(6)
    with torch.no_grad():
        labels = plain(images).argmax(1)
    epsilon = 0.5 if norm == "l2" else 4 / 255
    config = AutoAttackConfig(norm=norm, epsilon=epsilon, steps=10, queries=60)
    turned = [
        [by is not None for by in auto_attack(model, images, labels, config, [member]).turned_by]
        for model in (plain, Scaled(plain, 1e4))
    ]
    assert sum(a != b for a, b in zip(*turned, strict=True)) <= 1


def test_smallest_radii_and_sweeps_of_multiplied_logits(confident, pixels):
    images, config = pixels(4), AttackConfig.pgd(8.0, norm="l2", steps=5)
    with torch.no_grad():
        labels = confident(images).argmax(1)
    other = Scaled(confident, 100.0)
    radii = [smallest_epsilons(model, images, labels, config) for model in (confident, other)]
    torch.testing.assert_close(*radii, rtol=0.05, atol=0.01)
    easiest = radii[0].argmin()
    image, limit = images[easiest][None], 2 * float(radii[0][easiest])
    flips = [
        sweep({"main": model}, image, config, [limit / 4, limit], attack_branch="main").flips
        for model in (confident, other)
    ]
    plain, multiplied = (flip["main"].epsilon for flip in flips)
    assert plain is not None
    assert multiplied == pytest.approx(plain, rel=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [1e-7, 1e-30, 1.0, 1e4])
def test_the_l2_direction_has_length_one_however_short_a_gradient_is(dtype, size):
    gradient = torch.tensor([[[[3.0, 4.0]]], [[[0.0, 0.0]]]]).mul(size).to(dtype)
    direction = BALLS["l2"].direction(gradient).float()
    expected = [0.6, 0.8] if gradient[0].any() else [0.0, 0.0]
    tolerance = 0.35 if size < 1e-6 and dtype == torch.float16 else 1e-2  # subnormal: few digits
    torch.testing.assert_close(
        direction[0].flatten(), torch.tensor(expected), atol=tolerance, rtol=0
    )
    assert not direction[1].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_projecting_nothing_into_nothing_is_nothing(dtype):
    nothing = torch.zeros(1, 3, 2, 2, dtype=dtype)
    assert not BALLS["l2"].project(nothing, 0.0).any()


def test_the_lifted_loss_points_where_the_cross_entropy_does():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0]], requires_grad=True)
    labels = torch.tensor([0, 0])
    slopes = [
        torch.autograd.grad(loss, logits)[0]
        for loss in (
            nn.functional.cross_entropy(logits, labels, reduction="sum"),
            lifted_log_odds(logits, labels).sum(),
        )
    ]
    torch.testing.assert_close(*(slope / slope.norm(dim=1, keepdim=True) for slope in slopes))
    assert torch.allclose(
        nn.functional.softplus(log_odds(logits, labels)),
        nn.functional.cross_entropy(logits, labels, reduction="none"),
    )


def test_a_lead_beyond_the_softmax_is_brought_back():
    logits = torch.tensor([[500.0, 0.0, -500.0]])
    (lifted,) = lifted_log_odds(logits, torch.tensor([0]))
    assert lifted == pytest.approx(-_LEAD, abs=1e-3)
    gradient = loss_gradient(lambda z: 500 * z.flatten(1)[:, :3], logits.view(1, 3, 1, 1) / 500,
                             torch.tensor([0]))  # fmt: skip
    assert gradient.abs().max() > 0.1
