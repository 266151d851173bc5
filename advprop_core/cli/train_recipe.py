"""The recipe of ``train``: an option for each of its fields, and a recipe file below them."""

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from inspect import Parameter
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from advprop_core.attacks.named import read_radius
from advprop_core.cli.fields import docstrings
from advprop_core.cli.values import DEFAULT_RADII
from advprop_core.errors import InputError
from advprop_core.models.bundle import bundled_models, says_all_itself
from advprop_core.models.header import read_info
from advprop_core.models.settings import read_channels, read_class_names
from advprop_core.text import exact_radius, join, parse_radius, radius
from advprop_core.training.recipe import OF_SOURCE, USED_BY, Recipe
from advprop_core.training.recipe_files import RADII, TABLES, make_recipe, merge, read_recipe
from advprop_core.types import ModelInfo

Values = dict[str, Any]
"""A recipe as nested plain values; every table in it is a mapping."""

_PANELS = {
    "architecture": "Network",
    "objective": "Objective and attack",
    "size": "Photos",
    "epochs": "Optimiser",
    "seed": "Machine",
}
"""First field of each group of options; the fields after it belong to the same group."""
_FLAGS = {
    "architecture": "arch",
    "attack__name": "attack",
    "attack__goal": "attack-goal",
    "attack__warmup_epochs": "attack-warmup-epochs",
}
"""Options that are not called like their field."""


_METAVARS = {"mean": "R,G,B", "std": "R,G,B", "classes": "FILE", "auxiliaries": "LIST"}


def recipe_options() -> Iterator[Parameter]:
    """A parameter as Typer reads it for each field of a recipe; ``attack__norm`` is in a table."""
    panel = ""
    for field in fields(Recipe):
        panel = _PANELS.get(field.name, panel)
        if table := TABLES.get(field.name):
            for inner in fields(table):
                yield _option(f"{field.name}__{inner.name}", inner, table, panel)
        else:
            yield _option(field.name, field, Recipe, panel)


def _option(name: str, field: Field[Any], recipe_class: type, panel: str) -> Parameter:
    hint: Any = get_type_hints(recipe_class)[field.name]
    if get_origin(hint) is UnionType:
        (hint,) = set(get_args(hint)) - {NoneType}
    kind, metavar = hint, None
    if get_origin(hint) is Literal:
        kind, metavar = str, "NAME"
    elif get_origin(hint) is tuple:
        kind = list[str] if name == "auxiliaries" else str
        metavar = _METAVARS[field.name]
    elif field.name in RADII:
        kind, metavar = str, "RADIUS"
    flag = _FLAGS.get(name, field.name).replace("_", "-")
    option = typer.Option(
        f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}",
        help=docstrings(recipe_class)[field.name] + _default(field),
        metavar=metavar,
        rich_help_panel=panel,
    )
    # None stands for "not given": a recipe file may say something else.
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _default(field: Field[Any]) -> str:
    value: Any = field.default
    if not value:  # nothing, none or zero: the description says what that means
        return ""
    if value is True:
        return " By default on."
    text = exact_radius(value) if field.name in RADII else f"{value}"
    return f" By default {text.removesuffix('.0')}."


def resolve(name: str | None, options: Mapping[str, Any]) -> tuple[Recipe, list[str]]:
    """The recipe of that name or file with the options on top, and what was chosen for the person.

    Options are named as by :func:`recipe_options`; None is one that is not given.

    Raises:
        InputError: For what cannot be, or would have no effect; a CheckpointError if the file that
            training starts from cannot be used.
    """
    asked = _nested(options)
    base = merge({}, read_recipe(name)) if name else {}
    # What only the recipe's own objective has a use for would be refused with another.
    if asked.get("objective", base.get("objective")) != base.get("objective"):
        base = {key: value for key, value in base.items() if key not in USED_BY}
    source, notes = _read_source({**base, **asked}, is_arch_asked="architecture" in asked)
    if source:
        asked["architecture"] = source.architecture
        if "size" not in {*asked, *base}:
            asked["size"] = source.input_size
            notes.append(f"images are {source.input_size} pixels, as the network's were")
    # A radius belongs to its norm: 2/255 is much in L-infinity and nothing in L2.
    base_norm, attack = str(base.get("attack", {}).get("norm", "linf")), asked.get("attack", {})
    norm = str(attack.get("norm", base_norm))
    if "epsilon" in attack:
        read_radius(attack["epsilon"], norm, "--epsilon")
    elif norm != base_norm and (usual := DEFAULT_RADII.get(norm)):
        raise InputError(f"--norm {norm} needs its own radius: give --epsilon too, such as {usual}")
    merged = merge(_without_stale_steps(base, asked), asked)
    recipe = make_recipe(merged)
    _require_effect(recipe, attack)
    return recipe, [*notes, *_losses(base, merged, recipe, source)]


def _nested(options: Mapping[str, Any]) -> Values:
    """What the given options say, in the shape of a recipe's file."""
    values: Values = {}
    for name, value in options.items():
        *table, key = name.split("__")
        if value is not None:
            (values.setdefault(table[0], {}) if table else values)[key] = value
    for name in {"mean", "std"} & {*values}:
        values[name] = read_channels(values[name], f"--{name}")
    if "classes" in values:
        values["classes"] = read_class_names(values["classes"])
    if "auxiliaries" in values:
        values["auxiliaries"] = _read_auxiliaries(values["auxiliaries"])
    return values


def _read_auxiliaries(texts: list[str]) -> list[str]:
    inputs = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    if inputs == ["1"]:
        return []  # one branch, shown the attack
    if len(inputs) == 1 and inputs[0].isdecimal():
        raise InputError(
            f"--auxiliaries {inputs[0]}: say what each branch learns from, such as "
            "--auxiliaries 1/255,4/255"
        )
    return inputs


def _read_source(values: Values, *, is_arch_asked: bool) -> tuple[ModelInfo | None, list[str]]:
    """What the file that training starts from says, with what was guessed; None without a file."""
    name = str(values.get("start_from", ""))
    path = bundled_models().get(name, Path(name))
    if not path.is_file():
        return None, []
    if says_all_itself(str(path)):
        if repeated := ["architecture"] * is_arch_asked + [
            key for key in OF_SOURCE if key in values
        ]:
            raise InputError(f"{name} already contains its {join(repeated)}: leave that out")
        return read_info(path), []
    from advprop_core.models.bundle import open_model

    settings = {key: values[key] for key in ("architecture", "size", *OF_SOURCE) if key in values}
    checkpoint = open_model(path, **settings)
    return checkpoint.info, [*checkpoint.notes]


def _without_stale_steps(base: Values, asked: Values) -> Values:
    """A recipe's step belongs to its attack: another attack has a step of its own."""
    if not ("attack" in base and "attack" in asked):
        return base
    attack, asked_attack = base["attack"], asked["attack"]
    changed = {
        key for key, value in asked_attack.items() if _number(value) != _number(attack.get(key))
    }
    name = asked_attack.get("name", attack.get("name"))
    is_still_gd = name == attack.get("name") == "gd"  # its step is its strength
    stale: set[str] = set()
    if changed & {"name", "norm", "epsilon", "steps"} and not is_still_gd:
        stale |= {"step_size"}
    if asked_attack.get("name") == "fgsm":
        stale |= {"steps"}
    return {**base, "attack": {key: value for key, value in attack.items() if key not in stale}}


def _number(value: Any) -> Any:
    """``4/255`` may be written as a number as well."""
    try:
        return parse_radius(str(value))
    except InputError:
        return value


def _require_effect(recipe: Recipe, asked_attack: Values) -> None:
    """What was asked for must have an effect."""
    for key, users in USED_BY.items():
        if recipe.objective not in users and getattr(recipe, key) != getattr(Recipe(), key):
            raise InputError(f"{key} is only for {join(users)}: {recipe.objective} does not use it")
    if recipe.objective == "vanilla" and asked_attack:
        raise InputError(
            f"vanilla is trained without an attack, so {join([*asked_attack])} would have no "
            "effect: leave that out, or choose another --objective"
        )
    if recipe.attack.name == "gd" and "epsilon" in asked_attack:
        raise InputError(
            "the radius of gd is steps times step_size, so epsilon would have no effect: leave "
            "--epsilon out"
        )
    if recipe.trainable != "all" and not recipe.start_from:
        raise InputError(
            f"trainable is {recipe.trainable}, but the other layers of a new network are random: "
            "give --start-from, or train all of it"
        )


def _losses(
    base: Values, merged: Values, recipe: Recipe, source: ModelInfo | None
) -> Iterator[str]:
    """What the recipe file or the network had, and the run does not take."""
    old_step = base.get("attack", {}).get("step_size")
    if old_step is not None and merged["attack"].get("step_size") is None:
        step = radius(recipe.attack.config().step_size, recipe.attack.norm)
        yield (
            f"the recipe's step_size of {old_step} belongs to another attack: a step is now "
            f"{step}; --step-size changes it"
        )
    count = recipe.auxiliary_count
    if lost := [*source.branches][1 + count :] if source else []:
        yield (
            f"{join(lost)} of {recipe.start_from} will not be in the result: {recipe.objective} "
            f"trains {count or 'no'} auxiliary {'branch' if count == 1 else 'branches'}"
        )
