"""What every comparison of one photo takes, and what it refuses in the same words."""

import numpy as np
import pytest
import torch

from advprop_core.compare.compare import compare
from advprop_core.compare.film import make_film
from advprop_core.compare.matrix import attack_matrix
from advprop_core.compare.photo import ask_clean
from advprop_core.compare.sweep import sweep
from advprop_core.errors import InputError
from advprop_core.types import AttackConfig

PGD = AttackConfig.pgd(2 / 255, steps=2)
COMPARISONS = {
    "compare": lambda branches, image, label: (
        compare(branches, image, PGD, attack_branch="aux", true_class=label).predictions
    ),
    "sweep": lambda branches, image, label: (
        sweep(branches, image, PGD, [1 / 255], attack_branch="aux", true_class=label).predictions
    ),
    "film": lambda branches, image, label: (
        make_film(branches, image, PGD, attack_branch="aux", true_class=label).predictions
    ),
    "matrix": lambda branches, image, label: (
        attack_matrix(branches, image, PGD, true_class=label).attacked
    ),
}
EVERY_COMPARISON = pytest.mark.parametrize("run", COMPARISONS.values(), ids=COMPARISONS.keys())


@pytest.fixture
def branches(dual):
    return {name: dual.branch(name) for name in dual.branch_names}


@EVERY_COMPARISON
@pytest.mark.parametrize("label", [np.int64(2), torch.tensor(2), np.uint8(2)])
def test_a_class_may_be_an_integer_of_another_library(branches, pixels, run, label):
    assert run(branches, pixels(1), label) == run(branches, pixels(1), 2)


@EVERY_COMPARISON
def test_float64_pixels_are_taken(branches, pixels, run):
    assert run(branches, pixels(1).double(), 2) == run(branches, pixels(1), 2)


@EVERY_COMPARISON
def test_inference_mode_changes_nothing(branches, pixels, run):
    with torch.inference_mode():
        result = run(branches, pixels(1), 2)
    assert result == run(branches, pixels(1), 2)


@pytest.mark.parametrize(
    ("label", "error", "sentence"),
    [
        (6, InputError, "true_class must lie in [0, 5], got 6"),
        (-1, InputError, "true_class must be at least 0, got -1"),
        (1.0, TypeError, "true_class must be an integer, got float"),
        (True, TypeError, "true_class must be an integer, got bool"),
        (torch.tensor(1.0), TypeError, "true_class must be an integer, got Tensor"),
    ],
)
def test_a_class_that_no_branch_has_is_refused(branches, pixels, label, error, sentence):
    with pytest.raises(error) as refusal:
        ask_clean(branches, pixels(1), label)
    assert str(refusal.value) == sentence


@EVERY_COMPARISON
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda image: image.repeat(2, 1, 1, 1), ValueError, "must hold one image, got 2"),
        (lambda image: image[0], ValueError, r"must have shape \(N, 3, H, W\)"),
        (lambda image: image - 1, ValueError, r"must lie in \[0, 1\]"),
        (lambda image: (255 * image).byte(), TypeError, "divide by 255"),
    ],
)
def test_pixels_that_are_not_one_photo_are_refused(branches, pixels, run, change, error, words):
    with pytest.raises(error, match=words):
        run(branches, change(pixels(1)), 2)
