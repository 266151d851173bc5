"""A branch is a plain module on [0, 1] pixels, so other people's libraries can attack it.

RobustBench is not among the packages here: its way of asking, ``clean_accuracy`` over a module on
[0, 1] pixels, is written out instead.
"""

import pytest
import torch
from torch import nn

from advprop_core.attacks.gradient import attack
from advprop_core.types import AttackConfig

EPSILON = 12 / 255


@pytest.fixture
def branch(dual):
    return dual.branch("aux")


@pytest.fixture
def clean(pixels):
    return pixels(8, seed=3)


@pytest.fixture
def labels(branch, clean):
    with torch.no_grad():
        return branch(clean).argmax(1)


@pytest.fixture
def state(dual):
    return {key: value.clone() for key, value in dual.state_dict().items()}


def right(branch, points, labels):
    with torch.no_grad():
        return branch(points).argmax(1) == labels


def unchanged(dual, state):
    assert not any(part.training for part in dual.modules())
    assert all(p.grad is None for p in dual.parameters())
    assert not any(part._forward_hooks or part._backward_hooks for part in dual.modules())
    for key, value in dual.state_dict().items():
        assert torch.equal(value, state[key])


def test_foolbox_attacks_a_branch(dual, branch, clean, labels, state):
    foolbox = pytest.importorskip("foolbox")
    from foolbox.models.pytorch import PyTorchModel

    wrapped = PyTorchModel(branch, bounds=(0, 1), device="cpu")
    assert foolbox.utils.accuracy(wrapped, clean, labels) == 1.0
    pgd = foolbox.attacks.LinfPGD(abs_stepsize=EPSILON / 4, steps=10, random_start=False)
    goal = foolbox.criteria.Misclassification(labels)
    found = pgd.run(wrapped, clean, goal, epsilon=EPSILON)
    own = AttackConfig.pgd(EPSILON, steps=10, step_size=EPSILON / 4, random_start=False)
    ours = attack(branch, clean, labels, own)
    torch.testing.assert_close(found, ours, atol=1e-3, rtol=0)
    assert torch.equal(right(branch, found, labels), right(branch, ours, labels))
    assert not right(branch, found, labels).all()
    unchanged(dual, state)


def test_art_attacks_a_branch(dual, branch, clean, labels, state):
    pytest.importorskip("art")
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    classifier = PyTorchClassifier(
        branch,
        loss=nn.CrossEntropyLoss(),
        input_shape=(3, 32, 32),
        nb_classes=6,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    assert (classifier.predict(clean.numpy()).argmax(1) == labels.numpy()).all()
    pgd = ProjectedGradientDescentPyTorch(
        classifier, eps=EPSILON, eps_step=EPSILON / 4, max_iter=10, verbose=False
    )
    found = torch.from_numpy(pgd.generate(clean.numpy(), y=labels.numpy()))
    own = AttackConfig.pgd(EPSILON, steps=10, step_size=EPSILON / 4, random_start=False)
    ours = attack(branch, clean, labels, own)
    torch.testing.assert_close(found, ours, atol=1e-3, rtol=0)
    assert torch.equal(right(branch, found, labels), right(branch, ours, labels))
    unchanged(dual, state)


def test_the_protocol_of_robustbench(dual, branch, clean, labels, state):
    """Any module from [0, 1] pixels to logits, asked in batches on the device it is on."""

    def clean_accuracy(model, x, y, batch_size=3, device="cpu"):
        hits = 0.0
        with torch.no_grad():
            for points, wanted in zip(x.split(batch_size), y.split(batch_size), strict=True):
                output = model(points.to(device))
                hits += (output.max(1)[1] == wanted.to(device)).float().sum()
        return float(hits) / len(x)

    assert isinstance(branch, nn.Module)
    assert clean_accuracy(branch, clean, labels) == 1.0
    assert clean_accuracy(branch, clean, (labels + 1) % 6) == 0.0
    assert branch(clean).shape == (8, 6)
    unchanged(dual, state)
