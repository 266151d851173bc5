from dataclasses import fields
from pathlib import Path

import pytest

from advprop_core.errors import InputError
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.training import recipe_files
from advprop_core.training.objectives import make_plan
from advprop_core.training.recipe import Attacker, Augmentation, Recipe
from advprop_core.training.recipe_files import (
    make_recipe,
    merge,
    read_recipe,
    shipped_recipes,
    write_recipe,
)

# Every field at another value than its default.
OTHER = Recipe(
    architecture="resnet18",
    objective="advprop",
    attack=Attacker("i-fgsm", "l2", 3.0, 7, 1 / 3, "random", 5.5),
    auxiliaries=("4/255", "fog:3"),
    adversarial_weight=0.3,
    adversarial_share=0.25,
    augmentation=Augmentation(
        1.0, False, 0.4, 0.1, 1e-5, 0.05, "rand-m9-mstd0.5", 0.2, 1.0, 3, 5.0
    ),
    size=224,
    epochs=3,
    batch_size=6,
    optimizer="adamw",
    optimizer_eps=1e-3,
    learning_rate=1e-5,
    momentum=0.8,
    weight_decay=0.0,
    schedule="step",
    warmup_epochs=0.5,
    decay_epochs=2.4,
    decay_rate=0.97,
    drop_rate=0.3,
    drop_path_rate=0.2,
    label_smoothing=0.1,
    ema_decay=0.9999,
    start_from='C:\\runs\\"mine", später',
    mean=(0.1, 0.2, 0.3),
    std=(0.4, 0.5, 1.0),
    classes=("a", "b"),
    trainable="last:2",
    unfreeze_patience=3,
    holdout=0.1,
    precision="bfloat16",
    compile=False,
    sync_bn=True,
    seed=7,
    max_steps=9,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OTHER, Recipe()),
        (OTHER.attack, Attacker()),
        (OTHER.augmentation, Augmentation()),
    ],
    ids=["recipe", "attack", "augmentation"],
)
def test_the_other_recipe_is_other_in_every_field(one, other):
    same = [f.name for f in fields(one) if getattr(one, f.name) == getattr(other, f.name)]
    assert same == (["objective"] if one is OTHER else [])  # auxiliaries are advprop's


@pytest.mark.parametrize("recipe", [Recipe(), OTHER, Recipe(objective="trades", compile=True)])
def test_what_is_written_is_read_back(recipe, tmp_path):
    path = tmp_path / "recipe.toml"
    write_recipe(path, recipe)
    again = make_recipe(read_recipe(str(path)))
    assert again == recipe
    for one in fields(recipe):
        assert type(getattr(again, one.name)) is type(getattr(recipe, one.name)), one.name


@pytest.mark.parametrize("recipe", [Recipe(), OTHER])
def test_plain_values_make_the_same_recipe(recipe):
    values = recipe.to_json()
    before = repr(values)
    assert make_recipe(values) == recipe
    assert repr(values) == before


def test_values_of_a_run_that_began_before_there_were_source_fields_are_the_same():
    plain = Recipe(start_from="x").to_json()
    assert not {"mean", "std", "classes"} & plain.keys()
    assert not {"shift", "rotation"} & plain["augmentation"].keys()


def test_what_is_left_out_is_the_default():
    assert make_recipe({}) == Recipe()
    assert make_recipe({"attack": {"steps": 3}}) == Recipe(attack=Attacker(steps=3))
    added = {"objective": "auxiliary", "start_from": "x"}
    assert make_recipe(added) == Recipe(
        objective="auxiliary", start_from="x", batch_size=32, learning_rate=0.3,
        warmup_epochs=0.03, attack=Attacker(epsilon=1 / 255), augmentation=Augmentation(0.5),
    )  # fmt: skip
    assert make_recipe({**added, "learning_rate": 0.1}).learning_rate == 0.1
    assert make_recipe({"augmentation": {"flip": False}}).augmentation == Augmentation(flip=False)


def test_radii_may_be_fractions_and_whole_numbers_are_numbers():
    recipe = make_recipe({"attack": {"epsilon": "4/255", "step_size": "1/255", "norm": "linf"}})
    assert recipe.attack == Attacker(epsilon=4 / 255, step_size=1 / 255)
    assert make_recipe({"attack": {"epsilon": 3, "norm": "l2"}}).attack.epsilon == 3
    assert make_recipe({"auxiliaries": ["4/255", 0.5]}).auxiliaries == ("4/255", "0.5")


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"objectiv": "vanilla"}, "A recipe has no key objectiv. Did you mean objective?"),
        ({"attack": {"epsilom": 1}}, "no key attack.epsilom. Did you mean epsilon"),
        ({"epsilon": 0.1}, "no key epsilon. Did you mean attack.epsilon?"),
        ({"mixup": 0.1}, "no key mixup. Did you mean augmentation.mixup?"),
        (
            {"augmentation": {"batchsize": 4}},
            "no key augmentation.batchsize. Did you mean batch_size",
        ),
        ({"xyzzy": 1}, "no key xyzzy. Choose from architecture, "),
        ({"attack": {"epsilon": "strong"}}, "epsilon must be a fraction"),
        ({"attack": {"epsilon": "8"}}, "epsilon must be at most 1"),
        ({"size": 16}, "size must be at least 32"),
    ],
)
def test_unknown_keys_and_values_out_of_range(values, words):
    with pytest.raises(InputError, match=words):
        make_recipe(values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epochs": "20"}, "epochs must be an integer, got '20'"),
        ({"epochs": 2.0}, "epochs must be an integer, got 2.0"),
        ({"epochs": True}, "epochs must be an integer, got True"),
        ({"learning_rate": True}, "learning_rate must be a number, got True"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number, got '0.1'"),
        ({"sync_bn": 1}, "sync_bn must be a boolean, got 1"),
        ({"compile": "yes"}, "compile must be a boolean, got 'yes'"),
        ({"objective": 3}, "objective must be 'vanilla', .* got 3"),
        ({"architecture": None}, "architecture must be a string, got None"),
        ({"auxiliaries": "4/255"}, "auxiliaries must be a list, got '4/255'"),
        ({"attack": "pgd"}, "recipe key attack must be a table, got 'pgd'"),
        ({"attack": {"steps": 1.5}}, "attack: steps must be an integer, got 1.5"),
        ({"augmentation": {"flip": "half"}}, "augmentation: flip must be a boolean, got 'half'"),
        ({"adversarial_weight": []}, "adversarial_weight must be a number"),
    ],
)
def test_values_of_the_wrong_kind(values, words):
    with pytest.raises(InputError, match=words):
        make_recipe(values)


def test_a_null_is_taken_where_it_is_the_default():
    values = {"compile": None, "adversarial_weight": None, "attack": {"step_size": None}}
    assert make_recipe(values) == Recipe()


# -- merging ------------------------------------------------------------------------------------


def test_changes_go_on_top_table_by_table():
    values = {"seed": 1, "attack": {"steps": 3, "norm": "l2"}, "auxiliaries": ["1/255", "2/255"]}
    changes = {"epochs": 2, "attack": {"steps": 5}, "auxiliaries": ["4/255"]}
    assert merge(values, changes) == {
        "seed": 1,
        "epochs": 2,
        "attack": {"steps": 5, "norm": "l2"},
        "auxiliaries": ["4/255"],
    }
    assert values["attack"] == {"steps": 3, "norm": "l2"}, "what was given is left as it was"


def test_a_table_may_be_new_but_nothing_else_stands_in_its_place():
    table = {"attack": {"steps": 5}}
    assert merge({}, table) == table
    for values in ({"attack": 1}, table), (table, {"attack": 1}):
        with pytest.raises(InputError, match="recipe key attack must be a table, got 1"):
            merge(*values)


# -- files --------------------------------------------------------------------------------------


def test_a_name_is_looked_for_among_shipped_recipes_and_files(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('seed = 3\n[attack]\nepsilon = "4/255"\n')
    assert read_recipe(str(file)) == {"seed": 3, "attack": {"epsilon": "4/255"}}
    names = ", ".join(shipped_recipes())
    for missing in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(InputError, match=f"there is no recipe .*give a TOML file.*{names}"):
            read_recipe(str(missing))


@pytest.mark.parametrize("content", [b"seed = ", b"\xff\xfe\x00", b"seed = " + b"9" * 5000])
def test_a_file_that_is_not_toml(tmp_path, content):
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"own\.toml is not TOML"):
        read_recipe(str(file))


def test_a_recipe_without_end_of_brackets_is_one_sentence(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(f"auxiliaries = {'[' * 5000}{']' * 5000}")
    with pytest.raises(InputError, match=r"own\.toml is nested too deeply"):
        read_recipe(str(file))


def test_dots_that_nest_tables_are_one_sentence_too(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(f"attack.steps{'.a' * 5000} = 1")
    with pytest.raises(InputError, match="attack: steps must be an integer, got {'a'"):
        make_recipe(read_recipe(str(file)))


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_fits_its_objective_and_says_what_it_is_for(name, make_tiny):
    path = Path(recipe_files.__file__).parent / "recipes" / f"{name}.toml"
    assert path.read_text().startswith(f"# {shipped_recipes()[name]}\n")
    recipe = make_recipe(read_recipe(name))
    model = DualBNModel(make_tiny(), (0, 0, 0), (1, 1, 1), recipe.auxiliary_count)
    make_plan(model, recipe, classes=4)
