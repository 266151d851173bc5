"""Evaluation on a GPU gives the CPU's answers, but for rounding."""

from dataclasses import replace

import pytest
import torch

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.gradient import random_start
from advprop_core.datasets.listed import Images
from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Workshop
from advprop_core.evaluation.processes import Processes
from advprop_core.evaluation.smallest_epsilon import measure_smallest
from advprop_core.evaluation.sweep import sweep
from advprop_core.pictures.corruptions import ALL_CORRUPTIONS, CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.draws import streams
from advprop_core.training.measure import measure
from advprop_core.types import AttackConfig

FGSM = AttackConfig.fgsm(4 / 255)


@pytest.fixture
def subject(make_dual, pixels):
    images = (pixels(20) * 255).byte()
    return TestedModel("one", make_dual(), images, torch.arange(20) % 6, ("main", "aux"))


@pytest.fixture
def gpu():
    return Processes(device=torch.device("cuda"))


def test_clean_and_attacked_answers(subject, gpu):
    conditions = [Condition(), Condition(FGSM), Condition(FGSM, "aux")]
    there = sweep([subject], conditions, Workshop(batch_size=8, processes=gpu))
    here = sweep([subject], conditions, Workshop(batch_size=8))
    for cell, answers in here.items():
        assert there[cell].losses.device.type == "cpu"
        torch.testing.assert_close(there[cell].losses, answers.losses, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("kind", ALL_CORRUPTIONS)
def test_corruptions_are_those_of_the_cpu(kind, pixels):
    photos, config = pixels(4, 64), CorruptionConfig(kind, 3)
    there = corrupt(photos.cuda(), config, seeds=range(4))
    assert there.device.type == "cuda"
    here = corrupt(photos, config, seeds=range(4))
    near = (there.cpu() - here).abs() < 0.02  # a rounding may put a drop of mud elsewhere
    assert near.float().mean() > 0.995


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_own_draws_of_an_attack_are_those_of_the_cpu(pixels, norm):
    photos, config = pixels(4), AttackConfig.noise(0.5, norm=norm)
    there = random_start(photos.cuda(), config, draws=streams(range(4), 4))
    here = random_start(photos, config, draws=streams(range(4), 4))
    torch.testing.assert_close(there.cpu(), here, atol=1e-5, rtol=0)


def test_restarts_run_there(subject, gpu):
    condition = Condition(AttackConfig.pgd(4 / 255, steps=2), restarts=3)
    once = replace(condition, restarts=1)
    found = sweep([subject], [once, condition], Workshop(batch_size=8, processes=gpu))
    for branch in subject.branches:
        few, many = (
            found[Cell("one", branch, replace(one, attack_branch=branch))]
            for one in (once, condition)
        )
        assert not (many.right & ~few.right).any()


def test_autoattack_and_smallest_radii_run_there(subject, gpu):
    strong = Condition(AutoAttackConfig("linf", 4 / 255, steps=3, queries=5))
    (cell, *_), (answers, *_) = zip(
        *sweep([subject], [strong], Workshop(processes=gpu)).items(), strict=True
    )
    assert (cell.branch, len(answers)) == ("main", 20)
    there = measure_smallest(subject, FGSM, Workshop(processes=gpu))
    assert [len(one.epsilons) for one in there] == [20, 20]


def test_a_run_is_measured_there(subject, gpu):
    split = Images(subject.images, subject.labels, ())
    rows = measure(subject.model, split, "photos", gpu)
    assert [(row["branch"], row["condition"]["kind"]) for row in rows] == [
        ("main", "clean"), ("aux", "clean"), ("main", "attack"), ("aux", "attack"),
    ]  # fmt: skip
