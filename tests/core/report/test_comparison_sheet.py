"""A comparison on one page: what its captions and its answers say."""

import pytest
import torch

from advprop_core.pictures.noise import NoiseConfig
from advprop_core.report.comparison_sheet import _answers
from advprop_core.report.comparison_words import describe_change
from advprop_core.types import AttackConfig, Comparison, PerturbationFacts, Prediction

NAMES = tuple("abcdefgh")


@pytest.fixture
def comparison():
    """Eight classes, the most probable first; the true one is the last."""
    shares = torch.tensor([0.3, 0.2, 0.15, 0.12, 0.1, 0.07, 0.04, 0.02])
    predictions = {
        (kind, "main"): Prediction(shares.log(), shares) for kind in ("clean", "adversarial")
    }
    facts = PerturbationFacts(
        linf=0.0, l2=0.0, low=0.0, high=1.0, survives_png={"main": True}, clean_wrong=None
    )
    grey = torch.full((3, 4, 4), 0.5)
    return Comparison(
        clean=grey, adversarial=grey, predictions=predictions, maps={}, facts=facts,
        true_class=7, attacked_class=7, attack_branch="main",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("perturbation", "end"),
    [
        (AttackConfig.pgd(4 / 255, seed=3), "step 1/255, away from “h”, seed 3"),
        (AttackConfig.pgd(4 / 255, seed=3, target_class=1), "towards “b”, seed 3"),
        (AttackConfig.fgsm(4 / 255), "≤ 4/255, away from “h”"),
        (NoiseConfig("gaussian", 0.1, 5), "gaussian noise, severity 0.1, seed 5"),
        (None, "none"),
    ],
)
def test_target_and_seed_are_named(comparison, perturbation, end):
    assert describe_change(comparison, perturbation, NAMES).endswith(end)


def test_the_true_class_is_always_among_the_answers(comparison):
    answers = _answers(comparison, "clean", "main")
    assert [index for index, _ in answers] == [0, 1, 2, 3, 7]
    assert answers[-1][1] == pytest.approx(0.02)
