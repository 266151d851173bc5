"""What every attack takes, however a user holds it: any float precision, any integers, any mode."""

import numpy as np
import pytest
import torch

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.attacks.autoattack.run import auto_attack
from advprop_core.attacks.gradient import attack, attack_each, attack_until_turned
from advprop_core.evaluation.smallest_epsilon import smallest_epsilons
from advprop_core.pictures.draws import streams
from advprop_core.types import AttackConfig

PGD = AttackConfig.pgd(0.5, norm="l2", steps=2)
SHORT = AutoAttackConfig(epsilon=4 / 255, steps=2, queries=2)
ATTACKS = {
    "attack": lambda model, images, labels: attack(model, images, labels, PGD),
    "attack_until_turned": lambda model, images, labels: attack_until_turned(
        model, images, labels, PGD, 2, streams(0, len(images))
    ),
    "attack_each": lambda model, images, labels: attack_each(
        model, images[:1], labels[:1], [PGD, PGD]
    ),
    "auto_attack": lambda model, images, labels: (
        auto_attack(model, images, labels, SHORT).adversarial
    ),
    "smallest_epsilons": lambda model, images, labels: smallest_epsilons(
        model, images, labels, PGD
    ),
}
EVERY_ATTACK = pytest.mark.parametrize("run", ATTACKS.values(), ids=ATTACKS.keys())


@pytest.fixture
def branch(dual):
    return dual.branch("main")


@pytest.fixture
def labels(branch, pixels):
    return branch(pixels(2)).argmax(1)


@EVERY_ATTACK
def test_float64_pixels_and_int32_labels_mean_the_same(branch, pixels, labels, run):
    expected = run(branch, pixels(2), labels)
    result = run(branch, pixels(2).double(), labels.int())
    torch.testing.assert_close(result, expected, check_dtype=False)


@EVERY_ATTACK
def test_inference_mode_changes_nothing(branch, pixels, labels, run):
    expected = run(branch, pixels(2), labels)
    with torch.inference_mode():
        result = run(branch, pixels(2), labels.clone())
    assert torch.equal(result, expected)
    assert not result.is_inference()


@EVERY_ATTACK
def test_one_rounding_step_above_one_is_one(branch, pixels, labels, run):
    white = pixels(2)
    white[:, 0] = 1
    above = torch.nextafter(white, 2 * white)
    above[:, 1:] = white[:, 1:]
    assert torch.equal(run(branch, above, labels), run(branch, white, labels))


@EVERY_ATTACK
@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (torch.zeros(2), "labels must be integers, one class per image, got torch.float32"),
        (torch.ones(2).bool(), "labels must be integers, one class per image, got torch.bool"),
        (np.zeros(2, int), "labels must be a torch tensor, got ndarray"),
    ],
    ids=["float", "bool", "numpy"],
)
def test_labels_that_are_no_integers_are_refused(branch, pixels, run, labels, sentence):
    with pytest.raises(TypeError) as refusal:
        run(branch, pixels(2), labels)
    assert str(refusal.value) == sentence


@EVERY_ATTACK
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_in_half_precision_is_attacked(make_tiny, pixels, run, dtype):
    network = make_tiny().eval().requires_grad_(False).to(dtype)
    images = pixels(2).to(dtype)
    result = run(network, images, network(images).argmax(1))
    assert not result.isnan().any()
    if run is not ATTACKS["smallest_epsilons"]:
        assert result.dtype == dtype
