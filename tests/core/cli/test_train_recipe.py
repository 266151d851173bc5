"""`advprop train`: the recipe that its words ask for, and what is refused."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import save_file

from advprop_core.models import header
from advprop_core.training import run
from advprop_core.training.recipe import (
    Attacker,
    AttackerName,
    Augmentation,
    Goal,
    ObjectiveName,
    Precision,
    Recipe,
    Schedule,
)
from advprop_core.training.recipe_files import shipped_recipes
from advprop_core.types import Norm
from tests.core.training.test_recipe_files import OTHER


@pytest.fixture
def asked(advprop, monkeypatch, tmp_path, make_info):
    """From more words to the recipe, and whatever else, that training is asked for."""
    calls = []
    right = {"branch": "main", "condition": {"kind": "clean"}, "n": 8, "top1": 0.75}
    end = {header.KEY: header.write(make_info(metrics=(right,)))}

    def record(recipe, data, out, **options):
        calls.append({"recipe": recipe, "data": data, "out": out, **options})
        out.mkdir(exist_ok=True)
        save_file({}, out / "model.safetensors", end)
        return out / "model.safetensors"

    monkeypatch.setattr(run, "train", record)

    def ask(*words):
        answer = advprop("train", "--data", "photos", "--out", tmp_path / "run", *words)
        assert answer.code == 0, answer.err
        *_, wrote, figures = answer.out.splitlines()
        assert wrote == f"wrote {tmp_path / 'run' / 'model.safetensors'}, and its card model.md"
        assert figures == "main: 75.0 % clean accuracy"
        return calls.pop()

    return ask


@pytest.fixture
def file(tmp_path) -> Path:
    """A person's own recipe."""
    path = tmp_path / "own.toml"
    path.write_text(
        'objective = "fast-advprop"\nlearning_rate = 0.3\nepochs = 7\n'
        '[attack]\nepsilon = "3/255"\nsteps = 1\n[augmentation]\nmixup = 0.2\n'
    )
    return path


def test_nothing_said_is_the_default(asked, tmp_path) -> None:
    call = asked()
    assert call["recipe"] == Recipe()
    assert call["data"] == "photos"
    assert call["out"] == tmp_path / "run"
    assert call["name"] == "", "which is that of the run folder"
    assert (call["resume"], call["trackers"]) == (False, ())


def test_each_flag_is_its_value(asked) -> None:
    call = asked(
        *("--arch", "resnet18", "--objective", "trades", "--attack", "pgd", "--norm", "l2"),
        *("--epsilon", "0.5", "--step-size", "1/4", "--steps", 3, "--size", 64, "--epochs", 4),
        *("--batch-size", 32, "--learning-rate", 0.02, "--weight-decay", 0.001),
        *("--crop-scale", 0.2),
        *("--holdout", 0.1, "--seed", 5, "--name", "mine", "--resume"),
        *("--tracker", "tensorboard", "--tracker", "wandb"),
    )
    assert call["recipe"] == Recipe(
        architecture="resnet18",
        objective="trades",
        attack=Attacker("pgd", "l2", 0.5, 3, 0.25),
        size=64,
        epochs=4,
        batch_size=32,
        learning_rate=0.02,
        weight_decay=0.001,
        augmentation=Augmentation(crop_scale=0.2),
        holdout=0.1,
        seed=5,
    )
    assert (call["name"], call["resume"]) == ("mine", True)
    assert call["trackers"] == ["tensorboard", "wandb"]


def test_fine_tuning_flags(asked) -> None:
    recipe = asked("--start-from", "resnet18.a1_in1k", "--trainable", "last:2")["recipe"]
    assert recipe == Recipe(start_from="resnet18.a1_in1k", trainable="last:2")


def test_the_size_is_that_of_the_network_it_starts_from(asked, file) -> None:
    words = ("--start-from", "shapes-advprop", "--objective", "vanilla")
    assert asked(*words)["recipe"].size == 96
    assert asked(*words, "--size", 64)["recipe"].size == 64
    file.write_text('objective = "vanilla"\nsize = 48')
    assert asked(*words, "--recipe", file)["recipe"].size == 48


def test_what_a_fine_tuned_network_loses_is_said(asked, advprop, tmp_path) -> None:
    words = ("--start-from", "shapes-advprop")
    asked(*words)  # from here on training is recorded, not done
    words = ("train", "--data", "x", "--out", tmp_path / "run", *words)
    printed = advprop(*words, "--objective", "vanilla").out
    assert "aux of shapes-advprop will not be in the result: vanilla trains no auxiliary" in printed
    assert "images are 96 pixels, as the network's were" in printed
    assert "will not be" not in advprop(*words).out


def test_a_foreign_file_is_what_the_person_says_it_is(asked, advprop, make_dual, tmp_path) -> None:
    file = tmp_path / "plain.safetensors"
    save_file(make_dual().branch("main").network.state_dict(), file)
    words = ("--start-from", file)
    answer = advprop("train", "--data", "photos", "--out", tmp_path / "run", *words)
    answer.refuses("does not say its architecture: give timm's name of the network")
    settings = ("--arch", "test_resnet", "--size", 64, "--mean", "0.1,0.2,0.3", "--std", "1,1,1")
    recipe = asked(*words, *settings, "--classes", "a,b,c,d,e,f")["recipe"]
    assert recipe == Recipe(
        architecture="test_resnet",
        start_from=str(file),
        mean=(0.1, 0.2, 0.3),
        std=(1, 1, 1),
        classes=(*"abcdef",),
        size=64,
    )
    guessed = advprop("train", "--data", "x", "--out", tmp_path / "o", *words, *settings[:4])
    assert "plain.safetensors does not say everything. Guessed: mean" in guessed.out


def test_a_foreign_file_that_says_its_architecture_needs_no_option(
    asked, make_dual, tmp_path
) -> None:
    file = tmp_path / "last.pth"
    weights = make_dual().branch("main").network.state_dict()
    torch.save({"arch": "test_resnet", "state_dict": weights}, file)
    recipe = asked("--start-from", file, "--objective", "vanilla")["recipe"]
    assert (recipe.architecture, recipe.size) == ("test_resnet", 160)


def test_a_recipe_file_is_changed_by_options(asked, file) -> None:
    recipe = asked("--recipe", file)["recipe"]
    assert recipe == Recipe(
        objective="fast-advprop",
        learning_rate=0.3,
        epochs=7,
        attack=Attacker(epsilon=3 / 255),
        augmentation=Augmentation(mixup=0.2),
    )
    words = ("--recipe", file, "--epochs", 2, "--epsilon", "1/255", "--crop-scale", 0.5)
    changed = asked(*words)["recipe"]
    assert changed.epochs == 2
    assert changed.attack == Attacker(epsilon=1 / 255)
    assert changed.augmentation == Augmentation(mixup=0.2, crop_scale=0.5)
    assert changed.learning_rate == 0.3


def test_another_attack_does_not_take_the_recipes_step(asked, tmp_path) -> None:
    words = ("--recipe", "imagenette-64")  # one step of 1/255
    assert asked(*words)["recipe"].attack.step_size == 1 / 255
    assert asked(*words, "--epsilon", "4/255")["recipe"].attack == Attacker(epsilon=4 / 255)
    assert asked(*words, "--epsilon", "1/255", "--norm", "linf")["recipe"].attack == Attacker(
        epsilon=1 / 255, step_size=1 / 255
    )
    random = asked(*words, "--attack-goal", "random")["recipe"].attack
    assert random == Attacker(epsilon=1 / 255, step_size=1 / 255, goal="random")
    stepped = asked(*words, "--steps", 3, "--step-size", "1/255")["recipe"].attack
    assert stepped == Attacker(epsilon=1 / 255, steps=3, step_size=1 / 255)
    (tmp_path / "gd.toml").write_text('[attack]\nname = "gd"\nstep_size = "1/255"\n')
    longer = asked("--recipe", tmp_path / "gd.toml", "--steps", 3)["recipe"].attack
    assert longer == Attacker("gd", steps=3, step_size=1 / 255)
    trades = asked("--recipe", "cifar10-trades", "--objective", "mixed", "--attack", "fgsm")[
        "recipe"
    ]
    assert trades.attack == Attacker("fgsm", epsilon=trades.attack.epsilon)


def test_an_objective_with_one_kind_of_attack_alone_takes_it(asked) -> None:
    assert asked("--objective", "adv-reg")["recipe"].attack == Attacker("fgsm")
    l2 = asked("--objective", "adv-reg", "--norm", "l2", "--epsilon", 0.2)["recipe"].attack
    assert l2 == Attacker("fgsm", "l2", 0.2)
    changed = asked("--recipe", "imagenette", "--objective", "adv-reg", "--attack", "fgsm")
    assert changed["recipe"].attack == Attacker("fgsm")


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_by_its_name(asked, name) -> None:
    source = ("--start-from", "shapes-vanilla") if name == "transfer" else ()
    assert asked("--recipe", name, "--seed", 9, *source)["recipe"].seed == 9


def test_every_field_has_an_option_in_its_own_kind(asked) -> None:
    """Under the same name, but for four fields whose name alone would not tell what they are."""
    renamed = {
        "architecture": "arch",
        "attack.name": "attack",
        "attack.goal": "attack-goal",
        "attack.warmup_epochs": "attack-warmup-epochs",
    }
    # Other objectives than advprop use these two; they are asked for elsewhere in this file.
    other = replace(OTHER, adversarial_weight=None, adversarial_share=0.2)
    words = []
    for name, value in flat(other).items():
        if value is None:
            continue
        flag = renamed.get(name, name.rpartition(".")[2]).replace("_", "-")
        if isinstance(value, bool):
            words += [f"--{flag}" if value else f"--no-{flag}"]
        else:
            words += [f"--{flag}", ",".join(map(str, value)) if isinstance(value, tuple) else value]
    assert asked(*words)["recipe"] == other


def flat(recipe: Recipe) -> dict[str, object]:
    """Every value under its dotted name."""
    values = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    for table in ("attack", "augmentation"):
        values |= {f"{table}.{key}": value for key, value in asdict(values.pop(table)).items()}
    return values


def test_auxiliaries(asked, tmp_path) -> None:
    several = asked("--auxiliaries", "1/255, 4/255", "--auxiliaries", "fog:3")["recipe"]
    assert several.auxiliaries == ("1/255", "4/255", "fog:3")
    (tmp_path / "two.toml").write_text('auxiliaries = ["1/255", "4/255"]')
    words = ("--recipe", tmp_path / "two.toml")
    assert asked(*words)["recipe"].auxiliary_count == 2
    assert asked(*words, "--auxiliaries", "1")["recipe"].auxiliaries == ()


def test_help_names_recipes_and_examples_and_explains_every_choice(advprop) -> None:
    answer = advprop("train", "--help")
    assert answer.code == 0
    text = "".join(answer.out.replace("│", "").split())  # its table breaks lines anywhere
    assert all(name in text for name in shipped_recipes())
    assert "advproptrain--datashapes" in text
    choices = (ObjectiveName, AttackerName, Goal, Precision, Schedule, Norm)
    assert all(name in text for kind in choices for name in get_args(kind))
    assert "Radiusoftheattackinpixelunits,suchas2/255.Bydefault2/255." in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--norm", "l3"), "attack: norm must be 'linf' or 'l2', got 'l3'"),
        (
            ("--objective", "magic"),
            "objective must be 'vanilla', 'adversarial', 'mixed', 'advprop'",
        ),
        (
            ("--attack", "magic"),
            "attack: name must be 'pgd', 'i-fgsm', 'gd' or 'fgsm', got 'magic'",
        ),
        (("--epsilon", "two"), "a fraction such as 4/255"),
        (("--epsilon", "1"), "would be all of it; did you mean 1/255?"),
        (("--epsilon", "2"), "would be beyond it; did you mean 2/255?"),
        (("--norm", "l2"), "--norm l2 needs its own radius: give --epsilon too, such as 1"),
        (("--objective", "vanilla", "--epsilon", "1/255"), "so epsilon would have no effect"),
        (("--attack", "gd", "--epsilon", "1/255", "--step-size", "1/255"), "the radius of gd is"),
        (
            ("--trainable", "head"),
            "the other layers of a new network are random: give --start-from",
        ),
        (
            ("--recipe", "transfer"),
            "the other layers of a new network are random: give --start-from",
        ),
        (("--seed", str(2**62 + 1)), "seed must be at most"),
        (("--step-size", "x"), "a fraction such as 4/255"),
        (("--crop-scale", "0"), "augmentation: crop_scale must be greater than 0, got 0.0"),
        (("--holdout", "1"), "holdout must be less than 1, got 1.0"),
        (("--trainable", "some"), "must be all, head, norm, last:K or blocks:K, got 'some'"),
        (("--batch-size", "1"), "batch_size must be at least 2"),
        (("--auxiliaries", "2"), "say what each branch learns from, such as --auxiliaries 1/255"),
        (("--auxiliaries", "fog"), "auxiliaries hold a radius such as 4/255 or KIND:STRENGTH"),
        (
            ("--objective", "vanilla", "--auxiliaries", "1/255"),
            "auxiliaries are only for advprop and auxiliary",
        ),
        (("--mean", "0,0,0"), "mean, std and classes describe the file in start_from"),
        (("--mean", "0,0", "--start-from", "x"), "--mean must be three numbers"),
        (
            ("--mean", "0,0,0", "--start-from", "shapes-vanilla"),
            "already contains its mean",
        ),
        (
            ("--arch", "resnet18", "--start-from", "shapes-vanilla"),
            "shapes-vanilla already contains its architecture: leave that out",
        ),
        (("--recipe", "imagenette", "--objective", "adv-reg"), "name the attack fgsm"),
        (("--recipe", "nothing"), "there is no recipe 'nothing': give a TOML file or one of"),
        (("--recipe", "{folder}"), "there is no recipe"),
        (("--recipe", "{folder}/bad.toml"), "is not TOML"),
        (("--recipe", "{folder}/key.toml"), "A recipe has no key epoch. Did you mean epochs"),
        (("--learning-rate", "inf"), "learning_rate must be a finite number, got inf"),
        (("--recipe", "{folder}/flat.toml", "--steps", "2"), "recipe key attack must be a table"),
        ((), "there is no folder"),
    ],
)
def test_refused(words, message, advprop, tmp_path) -> None:
    (tmp_path / "bad.toml").write_text("epochs = = 3")
    (tmp_path / "key.toml").write_text("epoch = 3")
    (tmp_path / "flat.toml").write_text("attack = 'pgd'")
    words = (word.format(folder=tmp_path) for word in words)
    answer = advprop("train", "--data", tmp_path / "no", "--out", tmp_path / "run", *words)
    answer.refuses(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--adversarial-weight", 2), "for adv-reg and trades: advprop does not use it"),
        (("--objective", "mixed", "--adversarial-share", 0.5), "for fast-advprop: mixed does"),
    ],
)
def test_what_an_objective_has_no_use_for_is_refused(advprop, tmp_path, words, message) -> None:
    answer = advprop("train", "--data", "shapes", "--out", tmp_path / "run", *words)
    answer.refuses(message)


def test_it_is_refused_in_a_recipe_as_well(advprop, tmp_path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('objective = "advprop"\nadversarial_weight = 2.0\n')
    words = ("--recipe", recipe, "--out", tmp_path / "run")
    answer = advprop("train", "--data", "shapes", *words)
    answer.refuses("adversarial_weight is only for adv-reg and trades: advprop does not use it")


def test_another_objective_passes_over_the_weights_of_its_recipe(asked) -> None:
    made = asked("--recipe", "adv-reg", "--objective", "vanilla")["recipe"]
    assert made.objective == "vanilla"
    assert asked("--recipe", "adv-reg", "--adversarial-weight", 2)["recipe"].weight == 2


def test_a_recipes_step_that_is_dropped_is_said(advprop, asked, tmp_path) -> None:
    words = ("--recipe", "imagenet-advprop", "--steps", 3)
    assert asked(*words)["recipe"].attack.step_size is None
    answer = advprop("train", "--data", "photos", "--out", tmp_path / "run", *words)
    message = "the recipe's step_size of 1/255 belongs to another attack: a step is now"
    assert message in " ".join(answer.out.split())
    stepped = advprop("train", "--data", "x", "--out", tmp_path, *words, "--step-size", "1/255")
    assert "another attack" not in stepped.out
