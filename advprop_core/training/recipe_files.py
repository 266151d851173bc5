"""Recipes as TOML files: those that ship with the package, and a person's own."""

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from advprop_core.errors import InputError, about
from advprop_core.files import write_whole
from advprop_core.text import did_you_mean, parse_radius
from advprop_core.training.recipe import Attacker, Augmentation, Recipe

RECIPE = "recipe.toml"
"""In a run folder."""
TABLES: dict[str, type[Attacker | Augmentation]] = {
    "attack": Attacker,
    "augmentation": Augmentation,
}
"""Fields of a recipe that hold a table of fields."""
RADII = ("epsilon", "step_size")
"""Fields that people may write as ``4/255``."""
_FOLDER = Path(__file__).parent / "recipes"
_OF_OBJECTIVES: dict[str, dict[str, Any]] = {
    "adv-reg": {"attack": {"name": "fgsm"}},  # which is defined with one attack only
    # Some hundred steps of norm layers alone: they take a higher rate than whole networks.
    "auxiliary": {
        "batch_size": 32,
        "learning_rate": 0.3,
        "warmup_epochs": 0.03,
        "attack": {"epsilon": 1 / 255},
        "augmentation": {"crop_scale": 0.5},
    },
}
"""Defaults that are other than those of most objectives."""


def shipped_recipes() -> dict[str, str]:
    """Name of each recipe of the package to its first line, which says what it is for."""
    return {
        path.stem: path.read_text("utf-8").splitlines()[0].lstrip("# ")
        for path in sorted(_FOLDER.glob("*.toml"))
    }


def read_recipe(name: str) -> dict[str, Any]:
    """The values in a shipped recipe or a TOML file, as nested plain values.

    Raises:
        InputError: If there is no such recipe, or the file is not TOML.
    """
    shipped = shipped_recipes()
    path = _FOLDER / f"{name}.toml" if name in shipped else Path(name)
    if not path.is_file():  # reading a folder or a pipe would fail later, or never end
        raise InputError(
            f"there is no recipe {name!r}: give a TOML file or one of {', '.join(shipped)}"
        )
    return read_toml(path, f"recipe {name}")


def read_toml(path: Path, title: str) -> dict[str, Any]:
    """The values in a TOML file; raises InputError, which calls it by the title, if it is none."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:  # also for bytes that are no text, and numbers without end
        raise InputError(f"{title} is not TOML: {error}") from None
    except RecursionError:
        raise InputError(f"{title} is nested too deeply: it has at most one table level") from None


def make_recipe(values: Mapping[str, Any]) -> Recipe:
    """A recipe from nested plain values, such as a TOML file's.

    Radii may be texts such as ``4/255``.

    Raises:
        InputError: For an unknown key (near matches are listed), or a value of the wrong kind or
            out of its range.
    """
    recipe_values = merge(_OF_OBJECTIVES.get(str(values.get("objective")), {}), values)
    refuse_unknown_keys("A recipe", recipe_values, _names(Recipe), _PLACES)
    for name, table_class in TABLES.items():
        written = recipe_values.get(name, {})
        refuse_unknown_keys("A recipe", written, _names(table_class), _PLACES, f"{name}.")
        with about(name):
            table: dict[str, Any] = {
                key: parse_radius(value) if key in RADII and isinstance(value, str) else value
                for key, value in written.items()
            }
            recipe_values[name] = table_class(**table)
    auxiliaries = values.get("auxiliaries", [])
    if not isinstance(auxiliaries, list):
        raise InputError(f"recipe key auxiliaries must be a list, got {auxiliaries!r}")
    recipe_values["auxiliaries"] = tuple(map(str, auxiliaries))  # a radius may be a number
    return Recipe(**recipe_values)


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the changes on top, table by table.

    Raises:
        InputError: If what must be a table is none.
    """
    merged = {**values, **changes}
    for name in TABLES:
        tables = [source[name] for source in (values, changes) if name in source]
        for table in tables:
            if not isinstance(table, Mapping):
                raise InputError(f"recipe key {name} must be a table, got {table!r}")
        if tables:
            merged[name] = {key: value for table in tables for key, value in table.items()}
    return merged


def write_recipe(path: Path, recipe: Recipe) -> None:
    """Write the recipe so that ``--recipe FILE`` reads it back as it is."""
    values = recipe.to_json()
    tables = {name: values.pop(name) for name in TABLES}
    lines = _lines(values)
    for name, table in tables.items():
        lines += ["", f"[{name}]", *_lines(table)]
    write_whole(path, "\n".join(lines) + "\n")


def _lines(table: Mapping[str, Any]) -> list[str]:
    """TOML has no null; leaving a key out means its default, which is None for all that may be."""
    return [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in table.items()
        if value is not None
    ]


def refuse_unknown_keys(
    what: str,
    values: Iterable[str],
    keys: Collection[str],
    places: Mapping[str, str] | None = None,
    prefix: str = "",
) -> None:
    """Refuse, by an InputError, a key that is none of these.

    ``places`` says where each key is that a person may mean; by default it is one of ``keys``.
    """
    places = places or {key: key for key in keys}
    for key in values:
        if key not in keys:
            hint = f"Did you mean {places[key]}?" if key in places else did_you_mean(key, places)
            raise InputError(f"{what} has no key {prefix}{key}. {hint}")


def _names(recipe_class: type) -> list[str]:
    return [field.name for field in fields(recipe_class)]


_PLACES = {name: name for name in _names(Recipe)} | {
    name: f"{table}.{name}" for table, owner in TABLES.items() for name in _names(owner)
}
"""Key to where it is in a recipe."""
