"""The page's own training step is the library's: objective, attack, statistics and SGD."""

from functools import partial

import onnxruntime
import pytest
import torch
from torch.nn import functional as F
from torch.optim import SGD

from advprop_core.attacks.gradient import unchecked_gradient, walk
from advprop_core.browser.tiny_network import (
    SIZE,
    flat_norms,
    flat_weights,
    shared_weights,
    split_weights,
    tiny_model,
)
from advprop_core.browser.tiny_step import (
    MOMENTUM,
    OBJECTIVES,
    WEIGHT_DECAY,
    Evaluation,
    LabStep,
    StepFigures,
    StepState,
    eval_affine,
)
from advprop_core.browser.tiny_training import example_step, training_graph
from advprop_core.models.dual_bn import attack_view, norm_layers
from advprop_core.training.batch import Batch
from advprop_core.training.objectives import CLEAN, clean_and_moved, each_branch
from advprop_core.types import AttackConfig

BATCH, CLASSES = 16, 10
TENSORS = ("weight", "bias", "running_mean", "running_var")


def model_at(state):
    """An ordinary network with the tensors of a state."""
    model = tiny_model(CLASSES, len(state.norms) - 1)
    weights = shared_weights(model)
    with torch.no_grad():
        for name, values in split_weights(state.weights, weights).items():
            weights[name].copy_(values)
        for branch, norms in zip(model.branches.values(), state.norms, strict=True):
            layers = list(norm_layers(branch).values())
            parts = norms.split([layer.num_features for layer in layers], 1)
            for layer, part in zip(layers, parts, strict=True):
                for name, values in zip(TENSORS, part, strict=True):
                    getattr(layer, name).copy_(values)
    return model


def trained_by_the_library(objective, state, data):
    """The same step by ``training/objectives.py`` and PyTorch's SGD."""
    model = model_at(state)
    weights = list(shared_weights(model).values())
    norms = [
        p for b in model.branches.values() for n in norm_layers(b).values() for p in n.parameters()
    ]
    decaying = [w for w in weights if w.ndim > 1]
    others = [w for w in weights if w.ndim == 1] + norms
    rate = data.learning_rate.item()
    optimizer = SGD(
        [{"params": decaying, "weight_decay": WEIGHT_DECAY}, {"params": others}],
        lr=rate,
        momentum=MOMENTUM,
    )
    velocity = dict(
        zip(weights, state.weight_velocity.split([w.numel() for w in weights]), strict=True)
    )
    for branch, flat in zip(model.branches.values(), state.norm_velocity, strict=True):
        layers = list(norm_layers(branch).values())
        parts = flat.split([layer.num_features for layer in layers], 1)
        for layer, (gamma, beta) in zip(layers, parts, strict=True):
            velocity |= {layer.weight: gamma, layer.bias: beta}
    for parameter, values in velocity.items():
        optimizer.state[parameter]["momentum_buffer"] = values.view_as(parameter).clone()

    radius = data.epsilon.item()
    config = AttackConfig.pgd(radius, steps=1, step_size=radius)
    start = (data.pixels + radius * data.noise).clamp(0, 1)

    def perturb(batch):
        attacked = attack_view(model.branch(model.branch_names[-1]))
        return walk(attacked, batch.pixels, batch.targets, config, unchecked_gradient, start=start)

    model.train()
    batch = Batch(data.pixels, data.class_one_hot.argmax(1), seed=0)
    if objective == "mixed":
        step = partial(clean_and_moved, perturb=perturb, join=torch.cat)
    else:
        aux = {"aux": ("adversarial", perturb)} if objective == "advprop" else {}
        step = partial(each_branch, shown={**CLEAN, **aux})
    (outcome,) = step(model, batch, smoothing=0)
    outcome.loss.backward()
    optimizer.step()
    return model, outcome


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_step_of_the_graph_is_a_step_of_the_library(objective):
    _, state, data = example_step(objective, BATCH)
    session = onnxruntime.InferenceSession(
        training_graph(objective, BATCH), providers=["CPUExecutionProvider"]
    )
    given = state._asdict() | data._asdict()
    results = session.run(
        None, {each.name: given[each.name].numpy() for each in session.get_inputs()}
    )
    results = [torch.from_numpy(result) for result in results]
    new, figures = StepState(*results[:4]), StepFigures(*results[4:])
    model, outcome = trained_by_the_library(objective, state, data)
    close = {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(new.weights, flat_weights(model), **close)
    torch.testing.assert_close(new.norms, flat_norms(model), **close)
    expected = list(outcome.figures.values())
    torch.testing.assert_close(figures.losses, torch.stack([f.loss for f in expected]), **close)
    assert figures.hits.tolist() == pytest.approx([f.hits.item() for f in expected])
    assert not torch.equal(new.norms[:, 2:], state.norms[:, 2:])


def test_each_kind_of_input_has_statistics_of_its_own():
    step, state, data = example_step("mixed", BATCH)
    figures = StepFigures(*step(*state, *data)[4:])
    first = model_at(state).branch("main").network.stage1.conv
    means = first((data.pixels - 0.5) / 0.25).mean((0, 2, 3))
    torch.testing.assert_close(figures.statistics[0, 0, :16], means)
    assert not torch.equal(figures.statistics[0, 0], figures.statistics[1, 0])


def test_it_is_evaluated_and_mapped_as_any_other_network():
    _, state, data = example_step("advprop", BATCH)
    model = model_at(state).freeze()
    norm = state.norms[1]
    evaluation = Evaluation(tiny_model(CLASSES, 1).freeze())
    losses, hits = evaluation(state.weights, norm, data.pixels, data.class_one_hot, data.epsilon)
    labels, branch = data.class_one_hot.argmax(1), model.branch("aux")
    radius = data.epsilon.item()
    config = AttackConfig.fgsm(radius)
    attacked = walk(branch, data.pixels, labels, config, unchecked_gradient)
    for kind, pixels in enumerate((data.pixels, attacked)):
        logits = branch(pixels)
        torch.testing.assert_close(
            losses[kind], F.cross_entropy(logits, labels), rtol=1e-4, atol=1e-5
        )
        assert hits[kind] == (logits.argmax(1) == labels).float().mean()

    lab = LabStep(tiny_model(CLASSES, 1).freeze(), SIZE)
    one = data.pixels[:1], data.class_one_hot[:1]
    logits, _, _ = lab(*one, torch.ones(1), eval_affine(norm), state.weights)
    torch.testing.assert_close(logits, branch(one[0]), rtol=1e-4, atol=1e-4)
