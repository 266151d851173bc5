"""Which recipe a training run follows: a recipe file with the command's options on top."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advprop_core.cli.train_options import nested_values
from advprop_core.cli.values import refuse_whole_radius
from advprop_core.errors import InputError
from advprop_core.models.bundle import bundled_models
from advprop_core.models.header import CheckpointError, read_info
from advprop_core.text import join, parse_radius, radius
from advprop_core.training.recipe import USED_BY, Recipe
from advprop_core.training.recipe_files import make_recipe, merge, read_recipe
from advprop_core.types import NORMS, ModelInfo

Values = dict[str, Any]
"""A recipe as nested plain values; every table in it is a mapping."""


def resolve(name: str | None, options: Mapping[str, Any]) -> tuple[Recipe, list[str]]:
    """The recipe of that name with the options on top.

    Args:
        name: Of a shipped recipe or a file; None for the defaults.
        options: As :func:`~.train_options.with_recipe_options` names them; None if not given.

    Returns:
        The recipe, and sentences on what was chosen for the person.

    Raises:
        InputError: For what cannot be, or would have no effect.
    """
    asked = nested_values(options)
    if text := asked.pop("auxiliaries", None):
        asked["auxiliaries"] = _read_auxiliaries(text)
    base = merge({}, read_recipe(name)) if name else {}
    if asked.get("objective", base.get("objective")) != base.get("objective"):
        base = {key: value for key, value in base.items() if key not in USED_BY}
    source = _read_source({**base, **asked}, is_arch_asked="architecture" in asked)
    notes = []
    if source and "size" not in {*asked, *base}:
        asked["size"] = source.input_size
        notes.append(f"images are {source.input_size} pixels, as the network's were")
    _require_radius(base.get("attack", {}), asked.get("attack", {}))
    merged = merge(_without_stale_steps(base, asked), asked)
    recipe = make_recipe(merged)
    _require_effect(recipe, asked.get("attack", {}))
    notes += _dropped_step(base, merged, recipe)
    notes += _lost_branches(source, recipe)
    return recipe, notes


def _read_auxiliaries(text: str) -> list[str]:
    inputs = [word.strip() for word in text.split(",") if word.strip()]
    if inputs == ["1"]:
        return []  # one branch, shown the attack
    if len(inputs) == 1 and inputs[0].isdecimal():
        raise InputError(
            f"--auxiliaries {inputs[0]}: say what each of them is shown, such as "
            "--auxiliaries 1/255,4/255"
        )
    return inputs


def _read_source(values: Values, *, is_arch_asked: bool) -> ModelInfo | None:
    """What the header says of the network that training starts from; None if it has no header."""
    start_from = str(values.get("start_from", ""))
    path = bundled_models().get(start_from, Path(start_from))
    if not path.is_file():
        return None
    try:
        source = read_info(path)
    except CheckpointError:  # another layout: opening it will tell whether it can be used
        if "architecture" in values:
            return None
        raise InputError(
            f"{start_from} does not say its architecture: give timm's name of the network with "
            "--arch"
        ) from None
    if is_arch_asked:
        raise InputError(
            f"--arch {values['architecture']} cannot be chosen: the network is that of "
            f"{start_from}, which training starts from"
        )
    return source


def _require_radius(base_attack: Values, asked_attack: Values) -> None:
    """A radius belongs to its norm: 2/255 is much in L-infinity and nothing in L2."""
    base_norm = str(base_attack.get("norm", "linf"))
    norm = str(asked_attack.get("norm", base_norm))
    if "epsilon" in asked_attack:
        refuse_whole_radius(asked_attack["epsilon"], norm, "epsilon")
    elif norm in NORMS and norm != base_norm:
        raise InputError(
            f"a radius belongs to its norm: give --epsilon for {norm} too, such as "
            f"{'0.5' if norm == 'l2' else '2/255'}"
        )


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
    stale = (
        {"step_size"}
        if changed & {"name", "norm", "epsilon", "steps"} and not is_still_gd
        else set()
    )
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
            raise InputError(f"{key} is for {join(users)}: {recipe.objective} has no use for it")
    if recipe.objective == "vanilla" and asked_attack:
        raise InputError(
            f"vanilla is trained without an attack, so {join([*asked_attack])} would have no "
            "effect: leave that out, or choose another --objective"
        )
    if recipe.attack.name == "gd" and "epsilon" in asked_attack:
        raise InputError(
            "gd has no radius but steps times step_size, so epsilon would have no effect: leave "
            "--epsilon out"
        )
    if recipe.trainable != "all" and not recipe.start_from:
        raise InputError(
            f"trainable is {recipe.trainable}, but the other layers of a new network are random: "
            "give --start-from, or train all of it"
        )


def _dropped_step(base: Values, merged: Values, recipe: Recipe) -> list[str]:
    old = base.get("attack", {}).get("step_size")
    if old is None or merged["attack"].get("step_size") is not None:
        return []
    step = radius(recipe.attack.config().step_size, recipe.attack.norm)
    return [
        f"the recipe's step_size of {old} is of another attack: a step is now {step}; --step-size "
        "chooses it"
    ]


def _lost_branches(source: ModelInfo | None, recipe: Recipe) -> list[str]:
    lost = [*source.branches][1 + recipe.auxiliary_count :] if source else []
    if not lost:
        return []
    branches = "branch" if recipe.auxiliary_count == 1 else "branches"
    return [
        f"{join(lost)} of {recipe.start_from} will not be in the result: {recipe.objective} trains "
        f"{recipe.auxiliary_count or 'no'} auxiliary {branches}"
    ]
