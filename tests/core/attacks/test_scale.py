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


@pytest.fixture
def linear():
    """A linear network, images, their labels, and the exact distance of each to its boundary."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 192, generator=generator)
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 5, bias=False)).eval()
    network.requires_grad_(False)[1].weight.copy_(weight)
    images = 0.3 + 0.4 * torch.rand(8, 3, 8, 8, generator=generator)  # no radius reaches 0 or 1
    logits = network(images)
    labels = logits.argmax(1)
    leads = logits.gather(1, labels[:, None]) - logits
    between = weight[labels][:, None] - weight

    def distances(norm):
        steepness = between.norm(dim=2) if norm == "l2" else between.abs().sum(2)
        others = (leads / steepness).scatter(1, labels[:, None], torch.inf)
        return others.amin(1)

    return network, images, labels, distances


@pytest.mark.parametrize("factor", [1.0, 10.0, 15.0, 100.0])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_robust_accuracy_of_multiplied_logits_is_the_exact_one(linear, norm, factor, dtype):
    network, images, labels, distances = linear
    epsilon = 1.1 * float(distances(norm).sort().values[3])
    robust = distances(norm) > epsilon
    assert robust.sum() == 4
    model = Scaled(network.to(dtype), factor)
    config = AttackConfig.pgd(epsilon, norm=norm, steps=20)
    adversarial = attack(model, images.to(dtype), labels, config)
    assert torch.equal(model(adversarial).argmax(1) == labels, robust)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_robust_accuracy_in_bfloat16_does_not_depend_on_a_factor(linear, norm):
    # Its steps near 0.5 are 1/256, so a radius must be many of them.
    network, images, labels, distances = linear
    epsilon = 4 * float(distances(norm).median())
    network, config = network.bfloat16(), AttackConfig.pgd(epsilon, norm=norm, steps=20)
    robust = [
        model(attack(model, images.bfloat16(), labels, config)).argmax(1) == labels
        for model in (Scaled(network, factor) for factor in (1.0, 10.0, 15.0, 100.0))
    ]
    assert not robust[0].all()
    assert all(torch.equal(robust[0], other) for other in robust)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("random_start", [False, True])
def test_an_image_without_a_gradient_is_left_where_it_starts(pixels, norm, random_start):
    def flat(images):
        return (images * 0).flatten(1)[:, :5]

    images, labels = pixels(2, 8).half(), torch.tensor([0, 1])
    config = AttackConfig(norm, 0.5, 0.1, 3, random_start)
    points = []
    result = attack(flat, images, labels, config, lambda _, point: points.append(point))
    assert result.isfinite().all()
    torch.testing.assert_close(result, points[0], atol=1e-2, rtol=0)


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
