import pytest
import torch
from torch import nn

from advprop_core.attacks.gradient import attack, attack_each
from advprop_core.compare import sweep as module
from advprop_core.compare.sweep import sweep
from advprop_core.types import AttackConfig

FGSM = AttackConfig.fgsm(0.5)
GRID = (0.125, 0.25, 0.375, 0.5)


class Threshold(nn.Module):
    """Class 1 where the mean pixel lies above a value; not learnt, so that flips are literal."""

    def __init__(self, value):
        super().__init__()
        self.value = value
        self.batches = []

    def forward(self, x):
        self.batches.append(len(x))
        score = (x.mean((1, 2, 3)) - self.value) * 8
        return torch.stack([-score, score], 1)


@pytest.fixture
def image():
    return torch.full((1, 3, 2, 2), 0.75)


def thresholds(**values):
    return {name: Threshold(value).eval() for name, value in values.items()}


def run(branches, image, config=FGSM, epsilons=GRID, **fields):
    return sweep(branches, image, config, epsilons, **{"attack_branch": "main", **fields})


def test_the_smallest_radius_is_found_to_the_precision(image):
    """All pixels fall from 3/4 by epsilon: main flips below 0.55, aux below 0.3."""
    found = run(thresholds(main=0.55, aux=0.3), image, true_class=1, precision=1 / 128)
    main, aux = found.flips["main"], found.flips["aux"]
    assert (main.held, main.epsilon) == (0.1953125, 0.203125)
    assert (aux.held, aux.epsilon) == (0.4453125, 0.453125)
    assert main.held < 0.75 - 0.55 <= main.epsilon
    assert (main.answer, aux.answer) == (0, 0)
    assert found.precision == 1 / 128
    assert found.expected == {"main": 1, "aux": 1}
    assert (found.true_class, found.attack_branch) == (1, "main")


def test_the_curve_holds_the_grid_the_clean_picture_and_what_the_search_tried(image):
    found = run(thresholds(main=0.55), image, precision=1 / 32)
    assert found.epsilons == (0.0, 0.125, 0.1875, 0.21875, 0.25, 0.375, 0.5)
    for epsilon, said in zip(found.epsilons, found.predictions["main"], strict=True):
        score = (0.75 - epsilon - 0.55) * 8
        assert float(said.logits[1]) == pytest.approx(score, abs=1e-5)


def test_the_grid_is_one_batch_and_the_search_goes_alone(image):
    branches = thresholds(main=0.55, aux=0.3)
    run(branches, image, precision=1 / 32)
    # Clean; the grid; for each gap its two ends and two halvings. A slope asks main once more.
    assert branches["main"].batches == [1, 4, 4] + [1, 1] * 8
    assert branches["aux"].batches == [1, 4] + [1] * 8


def test_a_branch_that_nothing_flips(image):
    found = run(thresholds(main=0.55, aux=0.1), image, true_class=1)
    flip = found.flips["aux"]
    assert (flip.epsilon, flip.held, flip.answer) == (None, 0.5, 1)


def test_a_branch_that_is_wrong_from_the_start_flips_at_0(image):
    found = run(thresholds(main=0.55, aux=0.9), image, true_class=1)
    flip = found.flips["aux"]
    assert (flip.epsilon, flip.held, flip.answer) == (0.0, None, 0)
    assert found.flips["main"].epsilon == pytest.approx(0.2, abs=1e-3)


def test_without_a_true_class_a_branch_flips_from_its_own_answer(image):
    found = run(thresholds(main=0.55, aux=0.9), image)
    assert found.expected == {"main": 1, "aux": 0}
    assert found.true_class is None
    # The attack lowers main's 1, which drives aux further into its 0.
    assert found.flips["aux"].epsilon is None
    assert found.flips["main"].epsilon == pytest.approx(0.2, abs=1e-3)


def test_with_a_target_what_counts_is_that_it_is_said(image):
    config = AttackConfig.fgsm(0.5, target_class=0)
    found = run(thresholds(main=0.55, aux=0.9), image, config, true_class=1)
    assert found.target_class == 0
    assert found.flips["main"].epsilon == pytest.approx(0.2, abs=1e-3)
    assert found.flips["aux"].epsilon == 0.0
    away = AttackConfig.fgsm(0.5, target_class=1)
    assert run(thresholds(main=0.55), image, away, true_class=0).flips["main"].epsilon == 0.0


def test_the_step_grows_with_the_radius_or_stays_as_it_is(image):
    one_step = AttackConfig("linf", 0.5, 0.25, 1, random_start=False)
    grown = run(thresholds(main=0.55), image, one_step, precision=1 / 64)
    assert grown.flips["main"].epsilon == pytest.approx(0.4, abs=1 / 64)
    kept = run(thresholds(main=0.55), image, one_step, precision=1 / 64, scale_step=False)
    assert kept.flips["main"].epsilon == pytest.approx(0.2, abs=1 / 64)
    short = AttackConfig("linf", 0.5, 0.125, 1, random_start=False)
    assert run(thresholds(main=0.55), image, short, scale_step=False).flips["main"].epsilon is None


def test_a_point_of_the_curve_is_what_the_attack_gives_alone(dual, pixels):
    branches = {name: dual.branch(name) for name in ("main", "aux")}
    config = AttackConfig.pgd(16 / 255, steps=3, seed=2)
    found = run(branches, pixels(1), config, (2 / 255, 8 / 255), true_class=3, precision=1)
    assert found.epsilons == (0.0, 2 / 255, 8 / 255)
    alone = AttackConfig.pgd(8 / 255, steps=3, seed=2)
    perturbed = attack(branches["main"], pixels(1), torch.tensor([3]), alone)
    for name, branch in branches.items():
        with torch.no_grad():
            expected = branch(perturbed)[0].softmax(0)
        shown = found.predictions[name][-1].probabilities
        torch.testing.assert_close(shown, expected, atol=5e-3, rtol=0)


def test_a_flip_is_what_the_attack_gives_alone(image, monkeypatch):
    """Whatever a batch said of the ends of the gap: rounding differs in a batch."""

    def off_by_one(*arguments):
        perturbed = attack_each(*arguments)
        return torch.cat([perturbed[:1], perturbed[:-1]])

    monkeypatch.setattr(module, "attack_each", off_by_one)
    found = run(thresholds(main=0.55), image, precision=1 / 64)
    assert found.flips["main"].held < 0.75 - 0.55 <= found.flips["main"].epsilon
    assert found.flips["main"].epsilon == 0.203125


def test_what_the_search_tries_are_multiples_of_the_precision(image):
    found = run(thresholds(main=0.55, aux=0.3), image, precision=0.01, epsilons=(0.13, 0.5))
    tried = {*found.epsilons} - {0.0, 0.13, 0.5}
    assert len(tried) >= 8
    assert all(abs(epsilon * 100 - round(epsilon * 100)) < 1e-9 for epsilon in tried)
    assert found.flips["main"].epsilon == pytest.approx(0.21)
    assert found.flips["main"].held == pytest.approx(0.2)


def test_a_grid_too_large_for_one_batch_is_cut(image, monkeypatch):
    monkeypatch.setattr(module, "batches", lambda count, _: (range(i, i + 1) for i in range(count)))
    whole = thresholds(main=0.55)
    found = run(whole, image, precision=1)
    assert max(whole["main"].batches) == 1
    assert found.epsilons == (0.0, *GRID)


def test_progress_rises_and_what_it_raises_ends_the_search(image):
    told = []
    run(thresholds(main=0.55, aux=0.3), image, precision=1 / 32, progress=told.append)
    assert told == sorted(told)
    assert told[-1] > 0.9

    def stop(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(thresholds(main=0.55), image, progress=stop)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"attack_branch": "adv"}, "attack_branch must be one of main, got 'adv'"),
        ({"image": torch.rand(2, 3, 2, 2)}, "pixels must hold one image, got 2"),
    ],
)
def test_refusals(image, fields, words):
    with pytest.raises(ValueError, match=words):
        run(thresholds(main=0.55), **{"image": image, "true_class": 1, **fields})
