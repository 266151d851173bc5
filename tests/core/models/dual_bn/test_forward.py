"""Several passes of one branch in one call, as objectives ask for them."""

import copy

import torch

from advprop_core.models.dual_bn import DualBNModel, norm_layers
from tests.core.models.dual_bn.sharing import HALVES


def training(make_tiny, randomise):
    model = DualBNModel(make_tiny(), HALVES, HALVES)
    randomise(model)
    return model.train()


def test_passes_come_one_after_the_other_each_normalised_by_itself(make_tiny, randomise, pixels):
    model = training(make_tiny, randomise)
    turns = copy.deepcopy(model)
    passes = torch.stack([pixels(4, 16), pixels(4, 16, seed=1) / 4, pixels(4, 16, seed=2)])
    logits = model({"main": passes})["main"]
    assert logits.shape == (3, 4, 4)
    expected = [turns.branch("main")(part) for part in passes]
    assert torch.equal(logits, torch.stack(expected))
    for ours, theirs in zip(
        norm_layers(model.branch("main")).values(),
        norm_layers(turns.branch("main")).values(),
        strict=True,
    ):
        assert ours.num_batches_tracked == 3
        assert torch.equal(ours.running_mean, theirs.running_mean)
        assert torch.equal(ours.running_var, theirs.running_var)
    together = copy.deepcopy(turns).branch("main")(passes.flatten(0, 1)).view(3, 4, 4)
    assert (logits - together).abs().max() > 0.01


def test_a_branch_with_passes_leaves_the_others_to_their_one(make_tiny, randomise, pixels):
    model = training(make_tiny, randomise)
    alone = copy.deepcopy(model)
    several = torch.stack([pixels(4, 16), pixels(4, 16, seed=1)])
    logits = model({"aux": several, "main": pixels(4, 16)})
    assert {name: tuple(out.shape) for name, out in logits.items()} == {
        "aux": (2, 4, 4),
        "main": (4, 4),
    }
    assert torch.equal(logits["main"], alone.branch("main")(pixels(4, 16)))
    tracked = {
        name: [int(norm.num_batches_tracked) for norm in norm_layers(model.branch(name)).values()]
        for name in model.branch_names
    }
    assert tracked == {"main": [1, 1], "aux": [2, 2]}


def test_in_eval_mode_passes_are_but_a_shape(make_tiny, randomise, pixels):
    model = training(make_tiny, randomise).freeze()
    several = torch.stack([pixels(4, 16), pixels(4, 16, seed=1)])
    flat = model({"aux": several.flatten(0, 1)})["aux"]
    torch.testing.assert_close(model({"aux": several})["aux"].flatten(0, 1), flat)


def test_every_pass_reaches_the_weights(make_tiny, randomise, pixels):
    model = training(make_tiny, randomise)
    several = torch.stack([pixels(4, 16), pixels(4, 16, seed=1)]).requires_grad_()
    model({"main": several})["main"].square().sum().backward()
    assert several.grad.flatten(1).abs().amax(1).min() > 0
    assert model.branch("main").network[0].weight.grad.abs().max() > 0
