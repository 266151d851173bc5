"""The logistic regression that FGSM was first shown on."""

import numpy as np
import pytest
import torch
from torch import nn

from advprop_core.attacks.digits import Digits, begin, fit, load_digits
from advprop_core.attacks.gradient import attack
from advprop_core.types import AttackConfig


@pytest.fixture(scope="module")
def beginning():
    return begin(0.25)


def test_fgsm_fools_it_and_training_against_fgsm_helps(beginning):
    errors = beginning.errors()
    assert errors["natural"]["clean"] < 0.02
    assert errors["natural"]["attacked"] > 0.9
    assert errors["robust"]["clean"] < 0.05
    assert errors["robust"]["attacked"] < 0.2
    row = [beginning.fooled()]
    digit = Digits(beginning.test.images[row], beginning.test.signs[row])
    assert beginning.natural.error(digit) == 0
    assert beginning.natural.error_when_attacked(digit, 0.25) == 1


def test_its_fgsm_is_that_of_the_library(beginning):
    model, test = beginning.natural, beginning.test

    class Network(nn.Module):
        """Reads the first of three equal channels; logits of three and seven."""

        def forward(self, pixels):
            margins = (pixels[:, 0].double() * torch.from_numpy(model.weight)).sum((1, 2))
            return torch.stack([torch.zeros_like(margins), margins + model.bias], 1)

    images = torch.from_numpy(test.images).float()[:, None].repeat(1, 3, 1, 1)
    labels = torch.from_numpy((test.signs > 0).astype(np.int64))
    fooling = attack(Network().eval(), images, labels, AttackConfig.fgsm(0.25))[:, 0]
    np.testing.assert_allclose(fooling, model.fool(test, 0.25), atol=1e-6)


def test_training_against_fgsm_minimises_the_loss_of_what_fools():
    train, _ = load_digits()
    robust = fit(train, 0.25)

    def loss(weight):  # without clipping, as the article has it
        margins = np.tensordot(train.images, weight, 2) + robust.bias
        return np.logaddexp(0, 0.25 * np.abs(weight).sum() - train.signs * margins).mean()

    rng = np.random.default_rng(0)
    nearby = [robust.weight + 0.3 * rng.standard_normal((8, 8)) for _ in range(20)]
    assert all(loss(robust.weight) < loss(weight) for weight in nearby)
