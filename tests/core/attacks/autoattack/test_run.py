from functools import partial

import pytest
import torch
from torch import nn

from advprop_core.attacks.autoattack import AutoAttackConfig, run
from advprop_core.attacks.autoattack.config import MEMBERS
from advprop_core.attacks.autoattack.run import auto_attack
from advprop_core.attacks.autoattack.search import Adversarials
from advprop_core.attacks.gradient import attack
from advprop_core.pictures.draws import streams
from advprop_core.types import AttackConfig
from tests.core.attacks.autoattack.lengths import length

BOTH_NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])
RADIUS = {"linf": 9 / 255, "l2": 1.4}


def config(norm="linf", epsilon=None, **fields):
    radius = RADIUS[norm] if epsilon is None else epsilon
    return AutoAttackConfig(norm, radius, **{"steps": 6, "targets": 2, "queries": 30, **fields})


def stands(network, result, labels):
    with torch.no_grad():
        return network(result.adversarial).argmax(1) == labels


@BOTH_NORMS
def test_stays_in_the_ball_and_the_range_and_says_who_turned(branch, pixels, answered, norm):
    clean = pixels(12, seed=3)
    labels = answered(branch, clean)
    labels[0] = (labels[0] + 1) % 6
    result = auto_attack(branch, clean, labels, config(norm))
    found = result.adversarial
    assert found.min() >= 0
    assert found.max() <= 1
    assert (length(found - clean, norm) <= RADIUS[norm] + 1e-6).all()
    assert result.turned_by[0] == "clean"
    assert torch.equal(found[0], clean[0])
    assert stands(branch, result, labels).tolist() == [by is None for by in result.turned_by]
    assert result.robust_accuracy == result.turned_by.count(None) / 12
    assert 0 < result.robust_accuracy < 11 / 12


def test_no_member_and_no_pgd_does_more_harm(branch, pixels, answered):
    clean = pixels(10, seed=3)
    labels = answered(branch, clean)
    whole = auto_attack(branch, clean, labels, config()).robust_accuracy
    for name in MEMBERS:
        assert whole <= auto_attack(branch, clean, labels, config(), [name]).robust_accuracy
    pgd = attack(branch, clean, labels, AttackConfig.pgd(RADIUS["linf"], steps=8))
    assert whole <= int((answered(branch, pgd) == labels).sum()) / 10


def test_each_member_gets_what_still_stands(branch, pixels, answered, monkeypatch):
    seen = {}

    def member(name, turns):
        def attack_some(model, pixels, labels, config, draws):
            seen[name] = (len(pixels), [draw.initial_seed() for draw in draws])
            found = Adversarials.none_yet(pixels)
            rows = torch.arange(len(pixels))[:turns]
            found.add(rows, torch.zeros_like(pixels[rows]))
            return found

        return attack_some

    turns = dict(zip(MEMBERS, (2, 0, 3, 9), strict=True))
    monkeypatch.setattr(run, "_RUN", {name: member(name, n) for name, n in turns.items()})
    clean = pixels(7)
    labels = answered(branch, clean)
    labels[1] = (labels[1] + 1) % 6
    result = auto_attack(branch, clean, labels, config(seed=10))
    attacked = {"APGD-CE": [0, 2, 3, 4, 5, 6], "APGD-T": [3, 4, 5, 6]}
    attacked |= {"FAB-T": [3, 4, 5, 6], "Square": [6]}
    own_seeds = [draw.initial_seed() for draw in streams(range(10, 17), 7)]
    assert seen == {
        name: (len(rows), [own_seeds[row] for row in rows]) for name, rows in attacked.items()
    }
    assert result.turned_by == (
        *("APGD-CE", "clean", "APGD-CE"), *["FAB-T"] * 3, "Square"
    )  # fmt: skip
    assert result.robust_accuracy == 0


def test_nothing_is_attacked_when_nothing_stands(branch, pixels, answered, monkeypatch):
    def refuse(*_):
        raise AssertionError("there is nothing left to attack")

    monkeypatch.setattr(run, "_RUN", dict.fromkeys(MEMBERS, refuse))
    clean = pixels(3)
    labels = (answered(branch, clean) + 1) % 6
    result = auto_attack(branch, clean, labels, config())
    assert result.turned_by == ("clean",) * 3
    nothing = auto_attack(branch, clean, answered(branch, clean), config(epsilon=0.0))
    assert nothing.turned_by == (None,) * 3
    assert torch.equal(nothing.adversarial, clean)


def test_targets_are_all_wrong_classes_of_a_small_network(linear, grey, answered, monkeypatch):
    wanted = []

    def nothing(model, pixels, labels, targets, *_, **__):
        wanted.append(targets)
        return Adversarials.none_yet(pixels)

    member = partial(run._each_target, nothing)
    monkeypatch.setattr(run, "_RUN", {"APGD-T": member})
    pixels = grey()
    labels = answered(linear, pixels)
    auto_attack(linear, pixels, labels, config(targets=9), ["APGD-T"])
    assert torch.stack([*wanted, labels]).sort(0).values.T.tolist() == [[0, 1, 2, 3]] * 6


class Masked(nn.Module):
    """Pixels are rounded to 16 levels, so that every gradient is zero."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, pixels):
        return self.network((pixels * 15).round() / 15)


def test_square_breaks_a_masked_gradient_that_pgd_fails_on(linear, grey, answered):
    network, clean = Masked(linear).eval(), grey()
    labels = answered(network, clean)
    pgd = attack(network, clean, labels, AttackConfig.pgd(0.04, steps=20, random_start=False))
    assert torch.equal(pgd, clean)
    result = auto_attack(network, clean, labels, config(epsilon=0.04, queries=200))
    assert "Square" in result.turned_by
    assert stands(network, result, labels).sum() < 6


@BOTH_NORMS
def test_changes_nothing_on_model_input_or_global_generator(dual, pixels, answered, norm):
    dual.requires_grad_(True)
    branch, clean = dual.branch("aux"), pixels(4)
    labels, before, state = answered(branch, clean), clean.clone(), torch.get_rng_state()
    tensors = {key: value.clone() for key, value in dual.state_dict().items()}
    auto_attack(branch, clean, labels, config(norm))
    assert torch.equal(clean, before)
    assert not clean.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None for p in dual.parameters())
    assert not any(part.training for part in dual.modules())
    assert not any(part._forward_hooks for part in dual.modules())
    assert all(torch.equal(tensors[key], value) for key, value in dual.state_dict().items())


def test_an_images_fate_does_not_depend_on_the_others(branch, pixels, answered):
    clean = pixels(10, seed=3)
    labels = answered(branch, clean)
    whole = auto_attack(branch, clean, labels, config(seed=4))
    again = auto_attack(branch, clean, labels, config(seed=4))
    assert torch.equal(whole.adversarial, again.adversarial)
    first, second = (
        auto_attack(branch, clean[rows], labels[rows], config(seed=4 + rows.start))
        for rows in (slice(0, 4), slice(4, 10))
    )
    assert first.turned_by + second.turned_by == whole.turned_by
    order = [7, 2]
    seeds = [4 + place for place in order]
    some = auto_attack(branch, clean[order], labels[order], config(), seeds=seeds)
    assert some.turned_by == tuple(whole.turned_by[place] for place in order)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"members": ["PGD"]}, "members must be of APGD-CE, APGD-T, FAB-T, Square, got PGD"),
        ({"labels": torch.tensor([0, 6])}, "labels .* must lie in \\[0, 5\\]"),
        ({"labels": torch.tensor([0])}, "one per image"),
        ({"pixels": torch.full((2, 3, 8, 8), 1.5)}, "pixels must lie in"),
        ({"model": nn.Sequential(nn.Dropout())}, "eval mode"),
        ({"model": lambda points: points.mean((2, 3))}, "at least 4 classes, .* has 3"),
    ],
)
def test_refusals(branch, pixels, fields, words):
    known = {"model": branch, "pixels": pixels(2), "labels": torch.tensor([0, 1])} | fields
    members = known.pop("members", MEMBERS)
    with pytest.raises(ValueError, match=words):
        auto_attack(*known.values(), config(), members)
