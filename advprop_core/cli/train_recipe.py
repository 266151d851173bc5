"""Which recipe a training run follows: a file's, that of the run it continues, the flags."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advprop_core.cli.values import refuse_whole_radius
from advprop_core.models.bundle import bundled_models
from advprop_core.models.header import CheckpointError, read_info
from advprop_core.text import parse_radius, radius
from advprop_core.training.recipe import USED_BY, Recipe
from advprop_core.training.recipe_files import make_recipe, merge, read_recipe
from advprop_core.types import NORMS, ModelInfo


def resolve(
    recipe: str | None, own: Mapping[str, Any], changes: list[str]
) -> tuple[Recipe, list[str]]:
    """The recipe, the flags on top, and on top of them what ``--set`` says.

    Args:
        recipe: Name or file; None for the defaults.
        own: What the flags say; None where they say nothing.
        changes: Texts ``KEY=VALUE``.

    Returns:
        The recipe, and sentences on what was chosen for the person.

    Raises:
        ValueError: For what cannot be, or would have no effect.
    """
    asked = given(own)
    for change in changes:
        asked = merge(asked, _read_change(change))
    below = _without_old_weights(read_recipe(recipe) if recipe else {}, asked.get("objective"))
    source = _source({**below, **asked}, "architecture" in asked)
    notes = []
    if source and "size" not in {*asked, *below}:
        asked["size"] = source.input_size
        notes.append(f"images are {source.input_size} pixels, as the network's were")
    merged = merge(_without_old_steps(below, asked.get("attack")), asked)
    _require_radius(_table(below), _table(asked))
    try:
        made = make_recipe(merged)
    except TypeError as error:  # in a library the caller's mistake, here the person's
        raise ValueError(str(error)) from None
    _require_use(made, _table(asked))
    old, new = _table(below).get("step_size"), _table(merged).get("step_size")
    if old is not None and new is None:
        notes.append(
            f"the recipe's step_size of {old} is of another attack: a step is now "
            f"{radius(made.attack.config().step_size, made.attack.norm)}; --step-size chooses it"
        )
    if source and (lost := [*source.branches][1 + made.auxiliary_count :]):
        notes.append(
            f"{' and '.join(lost)} of {made.start_from} will not be in the result: "
            f"{made.objective} trains {made.auxiliary_count or 'no'} auxiliary "
            f"branch{'' if made.auxiliary_count == 1 else 'es'}"
        )
    return made, notes


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was not said."""
    return {key: value for key, value in values.items() if value not in (None, {})}


def _table(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is said of the attack."""
    attack = values.get("attack")
    return attack if isinstance(attack, Mapping) else {}


def _source(values: Mapping[str, Any], arch: bool) -> ModelInfo | None:
    """What the header says of the network that training starts from; None if there is no header.

    Args:
        values: Of the recipe.
        arch: Whether an architecture was asked for.
    """
    start_from = str(values.get("start_from", ""))
    if not start_from:
        return None
    path = bundled_models().get(start_from, Path(start_from))
    source, foreign = None, False
    try:
        source = read_info(path) if path.is_file() else None
    except CheckpointError:  # another layout; whether it can be used is found out on opening it
        foreign = True
    if arch and not foreign:
        raise ValueError(
            f"--arch {values['architecture']} cannot be chosen: the network is that of "
            f"{start_from}, which training starts from"
        )
    if foreign and "architecture" not in values:
        raise ValueError(
            f"{start_from} does not say its architecture: give timm's name of the network with "
            "--arch"
        )
    return source


def _require_radius(below: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """A radius belongs to its norm."""
    norm = asked.get("norm", below.get("norm", "linf"))
    if "epsilon" in asked:
        refuse_whole_radius(str(asked["epsilon"]), str(norm), "epsilon")
    elif norm in NORMS and norm != below.get("norm", "linf"):
        raise ValueError(
            f"a radius belongs to its norm: give --epsilon for {norm} too, such as "
            f"{'0.5' if norm == 'l2' else '2/255'}"
        )


def _require_use(recipe: Recipe, attack: Mapping[str, Any]) -> None:
    """What was asked for must have an effect."""
    for key, users in USED_BY.items():
        if recipe.objective not in users and getattr(recipe, key) != getattr(Recipe(), key):
            raise ValueError(
                f"{key} is for {' and '.join(users)}: {recipe.objective} has no use for it"
            )
    if recipe.objective == "vanilla" and attack:
        raise ValueError(
            f"vanilla is trained without an attack, so {' and '.join(attack)} would have no "
            "effect: leave that out, or choose another --objective"
        )
    if recipe.attack.name == "gd" and "epsilon" in attack:
        raise ValueError(
            "gd has no radius but steps times step_size, so epsilon would have no effect: leave "
            "--epsilon out"
        )
    if recipe.trainable != "all" and not recipe.start_from:
        raise ValueError(
            f"trainable is {recipe.trainable}, and the rest of a new network is random: give "
            "--start-from, or train all of it"
        )


def _without_old_weights(recipe: dict[str, Any], objective: Any) -> dict[str, Any]:
    """A recipe's weights belong to its objective: another one has others, or none."""
    if objective in (None, recipe.get("objective")):
        return recipe
    return {key: value for key, value in recipe.items() if key not in USED_BY}


def _without_old_steps(recipe: dict[str, Any], attack: Any) -> dict[str, Any]:
    """A recipe's step belongs to the attack it describes: another one has a step of its own."""
    old = recipe.get("attack")
    if not (isinstance(old, dict) and isinstance(attack, dict)):
        return recipe
    other = {key for key, value in attack.items() if not _same(old.get(key), value)}
    gone = {"step_size"} if other & {"name", "norm", "epsilon", "steps"} else set()
    if attack.get("name", old.get("name")) == old.get("name") == "gd":
        gone = set()  # its step is its strength
    gone |= {"steps"} if attack.get("name") == "fgsm" else set()
    return {**recipe, "attack": {key: value for key, value in old.items() if key not in gone}}


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a recipe mean the same: ``4/255`` may be written as a number."""
    try:
        return parse_radius(str(one)) == parse_radius(str(other))
    except ValueError:
        return bool(one == other)


def _read_change(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ValueError(f"--set needs KEY=VALUE, got {text!r}")
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        read = value.strip()  # words need no quotes
    for part in reversed(key.strip().split(".")):
        read = {part: read}
    changed: dict[str, Any] = read
    return changed
