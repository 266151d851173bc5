import copy
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from advprop_core.attacks import attack
from advprop_core.dual_bn import DualBNModel, norm_layers, private_view
from advprop_core.training.objectives import StepInput, branch_losses, make_objective
from advprop_core.training.recipe import Recipe
from advprop_core.types import AttackConfig

HALVES = (0.5, 0.5, 0.5)
HOW = AttackConfig.pgd(4 / 255, steps=2)
LABELS = torch.tensor([0, 1, 2, 3])


@pytest.fixture
def model(make_tiny, randomise):
    """In training mode, and not for the first step: the branches differ already."""
    model = DualBNModel(make_tiny(), HALVES, HALVES)
    randomise(model)
    return model.train()


def objective_of(model, name, **fields):
    return make_objective(model, Recipe(objective=name, attack=HOW, **fields))


@pytest.fixture
def step(pixels):
    return StepInput(pixels(4, 16), LABELS, seed=11)


def expected_adversarial(model, branch, step):
    frozen = copy.deepcopy(model.branch(branch)).eval().requires_grad_(False)
    return attack(frozen, step.pixels, step.labels, replace(HOW, seed=step.seed))


def test_vanilla_shows_main_the_images(model, step):
    inputs = objective_of(model, "vanilla")(step)
    assert list(inputs) == ["main"]
    assert inputs["main"] is step.pixels


def test_adversarial_attacks_through_main(model, step):
    inputs = objective_of(model, "adversarial")(step)
    assert list(inputs) == ["main"]
    assert torch.equal(inputs["main"], expected_adversarial(model, "main", step))


def test_advprop_attacks_through_aux_and_shows_it_to_aux_alone(model, step):
    inputs = objective_of(model, "advprop")(step)
    assert list(inputs) == ["main", "aux"]
    assert inputs["main"] is step.pixels
    assert torch.equal(inputs["aux"], expected_adversarial(model, "aux", step))
    assert not torch.equal(inputs["aux"], expected_adversarial(model, "main", step))


def test_each_step_draws_anew(model, step):
    objective = objective_of(model, "advprop")
    assert not torch.equal(objective(step)["aux"], objective(replace(step, seed=12))["aux"])


@pytest.mark.parametrize("name", ["adversarial", "advprop"])
def test_the_attack_leaves_nothing_behind(model, step, name):
    state = {key: value.clone() for key, value in model.state_dict().items()}
    inputs = objective_of(model, name)(step)
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert all(part.training for part in model.modules())
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert not any(pixels.requires_grad for pixels in inputs.values())


def test_the_objective_follows_the_weights(model, step):
    objective = objective_of(model, "advprop")
    objective(step)
    with torch.no_grad():
        for tensor in [*model.parameters(), model.branch("aux").network[1].running_mean]:
            tensor.add_(0.25)
    assert torch.equal(objective(step)["aux"], expected_adversarial(model, "aux", step))


def test_advprop_moves_each_branchs_statistics_by_its_own_images_only(model, step):
    before = copy.deepcopy(model)
    inputs = objective_of(model, "advprop")(step)
    model(inputs)
    for name in ("main", "aux"):
        alone = copy.deepcopy(before)
        alone.branch(name)(inputs[name])
        for ours, theirs in zip(
            norm_layers(model.branch(name)).values(),
            norm_layers(alone.branch(name)).values(),
            strict=True,
        ):
            assert torch.equal(ours.running_mean, theirs.running_mean)
            assert torch.equal(ours.running_var, theirs.running_var)
            assert ours.num_batches_tracked == 1
        swapped = copy.deepcopy(before)
        swapped.branch(name)(inputs["aux" if name == "main" else "main"])
        first = norm_layers(swapped.branch(name))["network.1"]
        moved = norm_layers(model.branch(name))["network.1"]
        assert not torch.equal(first.running_mean, moved.running_mean)


def test_losses_are_means_per_branch_and_literal():
    logits = torch.tensor([[0.0, 0.0], [0.0, torch.log(torch.tensor(3.0))]])
    losses = branch_losses({"main": logits, "aux": logits.flip(1)}, torch.tensor([0, 1]), 0.0)
    half, quarter, most = torch.log(torch.tensor([2.0, 4.0, 4 / 3])).tolist()
    assert losses["main"].item() == pytest.approx((half + most) / 2)
    assert losses["aux"].item() == pytest.approx((half + quarter) / 2)


def test_label_smoothing_is_the_losss_alone(model, step):
    logits = {"main": torch.tensor([[2.0, 0.0]])}
    smooth = branch_losses(logits, torch.tensor([0]), 0.2)["main"]
    assert smooth > branch_losses(logits, torch.tensor([0]), 0.0)["main"]
    plain, smoothed = (
        objective_of(model, "advprop", label_smoothing=value)(step)["aux"] for value in (0.0, 0.2)
    )
    assert torch.equal(plain, smoothed)


def test_the_sum_of_both_losses_reaches_the_shared_weights(model, step):
    """Gradient of a shared weight: clean's plus adversarial's, not their mean."""
    inputs = objective_of(model, "advprop")(step)
    shared = model.branch("main").network[0].weight
    assert model.branch("aux").network[0].weight is shared
    parts = []
    for name, pixels in inputs.items():
        view = private_view(copy.deepcopy(model).branch(name))
        loss = F.cross_entropy(view(pixels), step.labels)
        parts.append(torch.autograd.grad(loss, view.network[0].weight)[0])
    losses = branch_losses(model(inputs), step.labels, 0.0)
    torch.stack(list(losses.values())).sum().backward()
    torch.testing.assert_close(shared.grad, parts[0] + parts[1])
