"""The loop beneath `attack`, as training uses it: without checks, and on probabilities."""

import pytest
import torch
from torch.nn import functional as F

from advprop_core.attacks.balls import BALLS
from advprop_core.attacks.gradient import (
    attack,
    attack_until_turned,
    loss_gradient,
    random_start,
    unchecked_gradient,
    walk,
)
from advprop_core.pictures.draws import streams
from advprop_core.types import AttackConfig

BOTH_NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])
RADIUS = {"linf": 8 / 255, "l2": 1.0}
LABELS = torch.tensor([0, 1, 2, 3])


@pytest.fixture
def branch(dual):
    return dual.branch("aux")


def config(norm, **fields):
    return AttackConfig.pgd(RADIUS[norm], norm=norm, steps=3, **fields)


# -- walk ---------------------------------------------------------------------------------------


@BOTH_NORMS
@pytest.mark.parametrize("start", [False, True])
def test_a_walk_is_an_attack(branch, pixels, norm, start):
    how = config(norm, random_start=start, seed=3)
    expected, points, seen = attack(branch, pixels(4), LABELS, how), [], []
    attack(branch, pixels(4), LABELS, how, lambda _, point: points.append(point))
    found = walk(
        branch,
        pixels(4),
        LABELS,
        how,
        loss_gradient,
        on_step=lambda i, point: seen.append((i, point)),
    )
    assert torch.equal(found, expected)
    assert [i for i, _ in seen] == [0, 1, 2, 3]
    assert all(torch.equal(ours, theirs) for (_, ours), theirs in zip(seen, points, strict=True))


@BOTH_NORMS
def test_descending_is_an_attack_on_a_target(branch, pixels, norm):
    targeted = attack(branch, pixels(4), LABELS, config(norm, target_class=5))
    wanted = torch.full((4,), 5)
    found = walk(branch, pixels(4), wanted, config(norm), loss_gradient, descend=True)
    assert torch.equal(found, targeted)


def test_each_image_may_descend_to_a_class_of_its_own(branch, pixels):
    wanted = torch.tensor([5, 4, 0, 1])
    found = walk(branch, pixels(4), wanted, config("linf"), unchecked_gradient, descend=True)
    before, after = (
        F.cross_entropy(branch(x), wanted, reduction="none") for x in (pixels(4), found)
    )
    assert (after < before).all()


def test_a_target_class_stands_for_the_labels(branch, pixels):
    targeted = walk(branch, pixels(4), LABELS, config("linf", target_class=5), unchecked_gradient)
    targets = torch.full_like(LABELS, 5)
    plain = walk(branch, pixels(4), targets, config("linf"), unchecked_gradient, descend=True)
    assert torch.equal(plain, targeted)


@BOTH_NORMS
def test_certain_probabilities_are_labels(branch, pixels, norm):
    hard, soft = (
        walk(branch, pixels(4), labels, config(norm), unchecked_gradient)
        for labels in (LABELS, F.one_hot(LABELS, 6).float())
    )
    assert ((hard - soft).abs() < 1e-4).float().mean() > 0.999  # the rest is rounding of a sign


@BOTH_NORMS
@pytest.mark.parametrize("descend", [False, True])
def test_a_walk_leaves_its_input_and_the_model_alone(branch, pixels, norm, descend):
    """Its steps are taken in place, on tensors of its own."""
    clean, points = pixels(4), []
    labels = F.one_hot(LABELS, 6).float()
    walk(
        branch,
        clean,
        labels,
        config(norm, random_start=False),
        unchecked_gradient,
        descend=descend,
        on_step=lambda _, point: points.append((point, point.clone())),
    )
    assert torch.equal(clean, pixels(4))
    assert torch.equal(labels, F.one_hot(LABELS, 6).float())
    assert all(torch.equal(point, then) for point, then in points)
    assert not points[0][0].equal(points[1][0])


def test_the_gradient_asked_for_is_the_one_walked_along(pixels):
    """It is given the model, the point and the labels as they are."""
    clean, labels, asked = pixels(2), object(), []

    def gradient(model, point, own):
        asked.append((model, own))
        return torch.ones_like(point)

    how = AttackConfig("linf", 0.1, 0.0625, 2, random_start=False)
    found = walk("any model", clean, labels, how, gradient)
    assert asked == [("any model", labels)] * 2
    torch.testing.assert_close(found, (clean + 0.1).clamp(0, 1))
    down = walk("any model", clean, labels, how, gradient, descend=True)
    torch.testing.assert_close(down, (clean - 0.1).clamp(0, 1))


# -- random starts ------------------------------------------------------------------------------


@BOTH_NORMS
def test_a_start_lies_in_the_ball_and_the_range_and_its_seed_decides(pixels, norm):
    clean = pixels(4)
    clean[0] = 0.0
    starts = [random_start(clean, config(norm, seed=seed)) for seed in (0, 0, 1)]
    moved = (starts[0] - clean).flatten(1)
    length = moved.abs().amax(1) if norm == "linf" else moved.norm(dim=1)
    assert (length <= RADIUS[norm] + 1e-5).all()
    assert (length > RADIUS[norm] / 2).all()
    assert starts[0].min() >= 0
    assert starts[0].max() <= 1
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])
    seen = []
    attack(
        lambda x: x.flatten(1)[:, :4],
        clean,
        LABELS,
        config(norm),
        lambda _, point: seen.append(point),
    )
    assert torch.equal(seen[0], starts[0])


@BOTH_NORMS
def test_each_image_may_have_draws_of_its_own(branch, pixels, norm):
    clean, how = pixels(4), config(norm)
    whole = random_start(clean, how, draws=streams((3, 1, 4, 1), 4))
    part = random_start(clean[2:3], how, draws=streams((4,), 1))
    assert torch.equal(whole[2:3], part)
    again = random_start(clean[[1, 1]], how, draws=streams((1, 1), 2))
    assert torch.equal(again[0], again[1])
    assert not torch.equal(whole, random_start(clean, how))
    found = attack(branch, clean, LABELS, how, draws=streams((3, 1, 4, 1), 4))
    alone = attack(branch, clean[2:3], LABELS[2:3], how, draws=streams((4,), 1))
    torch.testing.assert_close(found[2:3], alone, atol=1e-4, rtol=0)


def test_restarts_go_on_where_an_image_stands(pixels):
    """The answer turns where the first pixel is above 0.5, which chance alone decides."""

    def model(points):
        model.asked.append(len(points))
        first = points[:, 0, 0, 0] - 0.5
        return torch.stack([-first, first], 1).detach() + 0 * points.mean((1, 2, 3))[:, None]

    model.asked = []
    clean, labels = torch.full((64, 3, 4, 4), 0.5), torch.zeros(64, dtype=torch.int64)
    how = AttackConfig("linf", 0.1, 0.0, 1)
    found = attack_until_turned(model, clean, labels, how, 3, streams(range(64), 64))
    starts = [random_start(clean, how, draws=draws) for draws in [streams(range(64), 64)] * 3]
    assert [torch.equal(one, starts[0]) for one in starts] == [True, False, False]
    turned = torch.stack([one[:, 0, 0, 0] > 0.5 for one in starts])
    left = [64, int((~turned[0]).sum()), int((~turned[:2].any(0)).sum())]
    assert left[0] > left[1] > left[2] > 0
    assert model.asked == [left[0], left[0], left[1], left[1], left[2], left[2]]
    first = torch.where(turned[0], 0, torch.where(turned[1], 1, 2))
    assert torch.equal(found, torch.stack(starts)[first, torch.arange(64)])


def test_a_start_keeps_the_type_of_the_pixels(pixels):
    assert random_start(pixels().double(), config("l2")).dtype == torch.float64


# -- gradients ----------------------------------------------------------------------------------


def test_both_gradients_point_the_same_way(branch, pixels):
    gradients = (gradient(branch, pixels(4), LABELS) for gradient in
                 (unchecked_gradient, loss_gradient))  # fmt: skip
    directions = [BALLS["l2"].direction(gradient) for gradient in gradients]
    torch.testing.assert_close(*directions, rtol=1e-3, atol=1e-6)


def test_gradient_for_probabilities_literal():
    """Logits (x, 0): the slope is p - t, with p = 1/2 at 0."""

    def forward(x):
        score = x.flatten(1)[:, 0]
        return torch.stack([score, torch.zeros_like(score)], 1)

    targets = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]])
    gradient = unchecked_gradient(forward, torch.zeros(3, 1, 1, 1), targets)
    assert gradient.flatten().tolist() == [-0.5, 0.0, 0.25]


def test_against_its_own_output_the_slope_is_that_of_the_divergence(branch, pixels):
    natural = branch(pixels(4)).softmax(1).detach()
    point = (pixels(4) + 0.02).clamp(0, 1).requires_grad_()
    apart = F.kl_div(branch(point).log_softmax(1), natural, reduction="sum")
    (expected,) = torch.autograd.grad(apart, point)
    torch.testing.assert_close(
        unchecked_gradient(branch, point, natural), expected, atol=1e-5, rtol=1e-3
    )
    at_rest = unchecked_gradient(branch, pixels(4), natural)
    assert at_rest.abs().max() < 1e-4 * expected.abs().max() + 1e-5


def test_a_gradient_leaves_no_trace(dual, pixels):
    dual.requires_grad_(True)
    point = pixels(4).requires_grad_()
    with torch.no_grad():  # a caller's no_grad does not stop it
        gradient = unchecked_gradient(dual.branch("aux"), point, F.one_hot(LABELS, 6).float())
    assert gradient.abs().max() > 0
    assert not gradient.requires_grad
    assert point.grad is None
    assert all(parameter.grad is None for parameter in dual.parameters())
