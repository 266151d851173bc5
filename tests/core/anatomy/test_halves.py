"""Mixtures of two branches, measured."""

from dataclasses import replace

import pytest
import torch

from advprop_core.anatomy.halves import Mixture, MixtureAccuracy, by_pair, measure, mix
from advprop_core.anatomy.mixing import blend
from advprop_core.attacks.gradient import attack
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.models.statistics import spread
from advprop_core.predict import logits_of
from advprop_core.types import AttackConfig

CONFIG = AttackConfig.pgd(8 / 255, steps=2)
LABELS = torch.tensor([0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize("mixture", [Mixture(0.0, 1.0), Mixture(1.0, 0.0), Mixture(0.5, 0.5)])
def test_naive_mixtures_look_at_no_image(dual, pixels, mixture):
    images = pixels(6)
    network = mix(dual, mixture, images[:0], LABELS[:0], CONFIG)
    expected = logits_of(blend(dual, mixture.affine, mixture.statistics), images)
    assert torch.equal(logits_of(network, images), expected)


def test_adversarial_statistics_are_of_attacks_through_the_same_affine_half(dual, pixels):
    images = pixels(6)
    clean = mix(dual, Mixture(1.0, "clean"), images, LABELS, CONFIG)
    expected_clean = blend(dual, 1.0, images)
    assert torch.equal(logits_of(clean, images), logits_of(expected_clean, images))
    found = mix(dual, Mixture(1.0, "adversarial"), images, LABELS, CONFIG)
    expected = blend(dual, 1.0, attack(expected_clean, images, LABELS, CONFIG))
    torch.testing.assert_close(logits_of(found, images), logits_of(expected, images))


def test_adversarial_images_keep_their_places_in_the_batches(dual, pixels):
    images = pixels(4).repeat(40, 1, 1, 1)
    labels = LABELS[:4].repeat(40)
    still = AttackConfig.fgsm(0.0)
    found = mix(dual, Mixture(1.0, "adversarial"), images, labels, still)
    assert len(spread(images)) == 2
    expected = blend(dual, 1.0, images)
    torch.testing.assert_close(logits_of(found, images[:4]), logits_of(expected, images[:4]))


def test_accuracies_are_of_the_mixture_itself(dual, pixels):
    images, mixture = (pixels(6) * 255).to(torch.uint8), Mixture(1.0, 0.0)
    network = blend(dual, 1.0, 0.0)
    labels = logits_of(network, images.float() / 255).argmax(1)
    labels[0] = (labels[0] + 1) % 6
    accuracy = measure(network, mixture, images, labels, replace(CONFIG, epsilon=0.0))
    assert accuracy == MixtureAccuracy(mixture, 6, 5, 5)
    attacked = measure(network, mixture, images, labels, CONFIG)
    assert attacked.robust < attacked.clean == 5


def test_rows_of_the_file_have_intervals_and_come_back():
    accuracy = MixtureAccuracy(Mixture(0.5, "clean"), 200, 150, 50)
    row = accuracy.to_json()
    assert (row["affine"], row["statistics"], row["n"]) == (0.5, "clean", 200)
    assert tuple(row["clean_interval"]) == wilson_interval(150, 200)
    assert tuple(row["robust_interval"]) == wilson_interval(50, 200)
    content = {"results": [{"model": "m", "second": "aux", **row}]}
    assert by_pair(content) == {("m", "aux"): {accuracy.mixture: accuracy}}
    assert (accuracy.share("clean"), accuracy.share("adversarial")) == (0.75, 0.25)
