import dataclasses
import json
import math

import pytest

from advprop_core.errors import InputError
from advprop_core.training.recipe import OBJECTIVES, Attacker, Augmentation, Recipe
from advprop_core.types import AttackConfig
from tests.core.training.tiny import attacker

# -- attacker -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attacker", "config"),
    [
        (Attacker(), AttackConfig("linf", 2 / 255, 2 / 255, 1, True)),
        (
            Attacker("pgd", "linf", 4 / 255, 5),
            AttackConfig("linf", 4 / 255, 2 / 255, 5, True),
        ),
        (
            Attacker("pgd", "l2", 3.0, 10, 0.5),
            AttackConfig("l2", 3.0, 0.5, 10, True),
        ),
        (
            Attacker("i-fgsm", "linf", 0.1, 4, 0.03),
            AttackConfig("linf", 0.1, 0.03, 4, False),
        ),
        # A step may be longer than the radius, and is not shortened where a person gave it.
        (Attacker("pgd", epsilon=0.1, step_size=0.2), AttackConfig("linf", 0.1, 0.2, 1, True)),
        (Attacker("fgsm", "l2", 0.5), AttackConfig("l2", 0.5, 0.5, 1, False)),
        # Without projection: as far as the steps go, whatever epsilon is.
        (
            Attacker("gd", epsilon=0.01, steps=4, step_size=0.125),
            AttackConfig("linf", 0.5, 0.125, 4, False),
        ),
    ],
)
def test_an_attacker_in_the_librarys_terms(attacker, config):
    assert attacker.config() == config


def test_the_step_left_open_is_two_and_a_half_radii_in_all_but_at_most_one():
    steps = {count: Attacker(epsilon=0.08, steps=count).config().step_size for count in (1, 2, 10)}
    assert steps == {1: 0.08, 2: 0.08, 10: pytest.approx(0.02)}


@pytest.mark.parametrize("name", ["pgd", "i-fgsm", "gd"])
def test_another_radius_scales_the_step(name):
    attacker = Attacker(name, epsilon=0.08, steps=4, step_size=0.02)
    config = attacker.config(0.04)
    assert config.epsilon == pytest.approx(0.04)
    assert config.step_size == pytest.approx(0.01)
    assert config.steps == 4
    assert config.random_start is (name == "pgd")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "PGD"}, "'pgd', 'i-fgsm', 'gd' or 'fgsm', got 'PGD'"),
        ({"goal": "least"}, "'untargeted' or 'random', got 'least'"),
        ({"norm": "l1"}, "norm must be 'linf' or 'l2'"),
        ({"epsilon": -0.1}, "epsilon must be at least 0"),
        ({"epsilon": 8}, "epsilon must be at most 1 for linf, got 8"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"step_size": math.nan}, "step_size must be a finite number"),
        ({"warmup_epochs": -1}, "warmup_epochs must be at least 0"),
        ({"warmup_epochs": 1e20}, "warmup_epochs must be at most 1000000, got 1e\\+20"),
        ({"steps": 1.5}, "steps must be an integer, got 1.5"),
        ({"name": "fgsm", "steps": 2}, "fgsm is one step of size epsilon: .*use i-fgsm"),
        ({"name": "fgsm", "step_size": 0.1}, "leave out steps and step_size"),
        ({"name": "gd"}, "needs a step_size"),
    ],
)
def test_attackers_that_are_refused(fields, words):
    with pytest.raises(InputError, match=words):
        Attacker(**fields)


# -- augmentation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"crop_scale": 0.0}, "crop_scale must be greater than 0, got 0"),
        ({"crop_scale": 1.5}, "crop_scale must be at most 1, got 1.5"),
        ({"color_jitter": 1.1}, "color_jitter must be at most 1, got 1.1"),
        ({"gaussian": -0.1}, "gaussian"),
        ({"poisson": 2.0}, "poisson"),
        ({"salt_and_pepper": math.nan}, "salt_and_pepper"),
        ({"mixup": -0.2}, "mixup must be at least 0"),
        ({"cutmix": math.nan}, "cutmix must be a finite number, got nan"),
        ({"flip": 1}, "flip must be a boolean, got 1"),
    ],
)
def test_augmentations_that_are_refused(fields, words):
    with pytest.raises(InputError, match=words):
        Augmentation(**fields)


# -- recipe -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"objective": "madry"}, "'vanilla', 'adversarial', 'mixed', .* or 'trades', got 'madry'"),
        ({"precision": "float16"}, "'auto', 'float32' or 'bfloat16', got 'float16'"),
        ({"schedule": "linear"}, "'cosine', 'step' or 'constant'"),
        ({"size": 31}, "size must be at least 32"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": 1.5}, "epochs must be an integer, got 1.5"),
        ({"epochs": True}, "epochs must be an integer, got True"),
        ({"epochs": "3"}, "epochs must be an integer, got '3'"),
        ({"learning_rate": math.inf}, "learning_rate must be a finite number, got inf"),
        ({"learning_rate": 0.0}, "learning_rate must be greater than 0, got 0"),
        ({"warmup_epochs": 1e20}, "warmup_epochs must be at most 1000000, got 1e"),
        ({"attack": "pgd"}, "attack must be an instance of Attacker, got 'pgd'"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"unfreeze_patience": -1}, "unfreeze_patience"),
        ({"holdout": 1.0}, "holdout must be less than 1, got 1"),
        ({"ema_decay": -0.1}, "ema_decay must be at least 0, got -0.1"),
        ({"label_smoothing": math.nan}, "label_smoothing must be a finite number, got nan"),
        ({"adversarial_share": 0.0}, "adversarial_share must be greater than 0"),
        ({"adversarial_share": 1.0}, "adversarial_share must be less than 1"),
        (
            {"trainable": "tail"},
            "trainable must be all, head, norm, last:K or blocks:K, got 'tail'",
        ),
        ({"trainable": "last:0"}, "last:K"),
        ({"trainable": "last:"}, "last:K"),
        ({"trainable": "head:2"}, "last:K"),
        ({"unfreeze_patience": 1}, "unfreeze_patience needs trainable to be head, last:K or"),
        ({"unfreeze_patience": 1, "trainable": "norm"}, "unfreeze_patience needs"),
        (
            {"objective": "mixed", "auxiliaries": ("1/255",)},
            "only for advprop and auxiliary: mixed",
        ),
        ({"auxiliaries": ("gaussian",)}, "radius such as 4/255 or KIND:STRENGTH.*got 'gaussian'"),
        ({"auxiliaries": ("fog:strong",)}, "got 'fog:strong'"),
        ({"auxiliaries": ("4/0",)}, "got '4/0'"),
        ({"schedule": "step", "decay_epochs": 0}, "step needs decay_epochs above 0"),
        ({"objective": "adv-reg"}, "name the attack fgsm"),
        ({"objective": "adv-reg", "attack": Attacker("fgsm", goal="random")}, "one untargeted"),
        ({"objective": "trades", "attack": Attacker("fgsm")}, "random start"),
        ({"objective": "trades", "attack": Attacker("i-fgsm", steps=2)}, "random start"),
        ({"objective": "trades", "attack": Attacker("gd", step_size=0.01)}, "random start"),
        ({"objective": "trades", "attack": Attacker(goal="random")}, "no target"),
        ({"objective": "fast-advprop", "attack": Attacker(steps=2)}, "set steps to 1"),
        ({"objective": "fast-advprop", "attack": Attacker(goal="random")}, "one untargeted step"),
    ],
)
def test_recipes_that_are_refused(fields, words):
    with pytest.raises(InputError, match=words):
        Recipe(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"trainable": "last:12"},
        {"trainable": "head", "unfreeze_patience": 2},
        {"holdout": 0.0, "ema_decay": 0.9999, "batch_size": 2, "size": 32, "epochs": 1},
    ],
)
def test_values_at_the_edge_are_taken(fields):
    Recipe(**fields)


def test_what_auxiliary_branches_are_shown():
    texts = ("4/255", "0.5", "gaussian:0.1", "salt-and-pepper:1/10", "fog:3", "color-jitter:0.4")
    assert Recipe(auxiliaries=texts).auxiliary_inputs == (
        ("attack", 4 / 255),
        ("attack", 0.5),
        ("gaussian", 0.1),
        ("salt-and-pepper", 0.1),
        ("fog", 3.0),
        ("color-jitter", 0.4),
    )


def test_one_branch_is_shown_the_attack_at_its_own_radius():
    assert Recipe(attack=Attacker(epsilon=0.1)).auxiliary_inputs == (("attack", 0.1),)
    gd = Attacker("gd", epsilon=0.1, steps=3, step_size=0.125)
    assert Recipe(attack=gd).auxiliary_inputs == (("attack", 0.375),)


def test_how_many_auxiliary_branches_each_objective_trains():
    counts = {
        name: Recipe(objective=name, attack=attacker(name), start_from="x").auxiliary_count
        for name in OBJECTIVES
    }
    assert counts == {
        "vanilla": 0,
        "adversarial": 0,
        "mixed": 0,
        "advprop": 1,
        "fast-advprop": 1,
        "auxiliary": 1,
        "adv-reg": 0,
        "trades": 0,
    }
    assert Recipe(auxiliaries=("1/255", "4/255", "fog:1")).auxiliary_count == 3


def test_the_adversarial_weight_defaults_to_the_publications():
    regularised = Recipe(objective="adv-reg", attack=attacker("adv-reg"))
    assert regularised.weight == 0.2
    assert Recipe(objective="trades").weight == 6.0
    assert Recipe(objective="trades", adversarial_weight=1.0).weight == 1.0
    assert dataclasses.replace(regularised, adversarial_weight=0.0).weight == 0.0


def test_is_frozen_and_compares_by_value():
    assert Recipe() == Recipe()
    assert hash(Recipe(auxiliaries=("1/255",))) == hash(Recipe(auxiliaries=("1/255",)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().seed = 1


def test_plain_values_are_json():
    values = Recipe(auxiliaries=("1/255",)).to_json()
    assert json.loads(json.dumps(values)) == values
    assert values["attack"]["epsilon"] == 2 / 255
    assert values["augmentation"]["flip"] is True
