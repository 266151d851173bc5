"""Recipes as TOML files: those that ship with the package, and a person's own."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from advprop_core.files import write_whole
from advprop_core.text import parse_radius
from advprop_core.training.recipe import Attacker, Augmentation, Recipe

RECIPE = "recipe.toml"
"""In a run folder."""
_FOLDER = Path(__file__).parent / "recipes"
_TABLES: dict[str, type] = {"attack": Attacker, "augmentation": Augmentation}
_RADII = ("epsilon", "step_size")


def shipped_recipes() -> dict[str, str]:
    """Name of each recipe of the package to its first line, which says what it is for."""
    return {
        path.stem: path.read_text("utf-8").splitlines()[0].lstrip("# ")
        for path in sorted(_FOLDER.glob("*.toml"))
    }


def read_recipe(name: str) -> dict[str, Any]:
    """The values in a shipped recipe or a TOML file, as nested plain values.

    Raises:
        ValueError: If there is no such recipe, or the file is not TOML.
    """
    known = shipped_recipes()
    path = _FOLDER / f"{name}.toml" if name in known else Path(name)
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise ValueError(
            f"there is no recipe {name!r}: give a TOML file or one of {', '.join(known)}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"recipe {name} is not TOML: {error}") from None


def make_recipe(values: Mapping[str, Any]) -> Recipe:
    """A recipe from nested plain values, such as a TOML file's.

    Radii may be texts such as ``4/255``.

    Raises:
        TypeError: For a value of the wrong kind.
        ValueError: For an unknown key (near matches are listed) or a value out of its range.
    """
    own = dict(values)
    if own.get("objective") == "adv-reg":  # which is defined with this attack alone
        own = merge({"attack": {"name": "fgsm"}}, own)
    for name, kind in _TABLES.items():
        table = own.get(name, {})
        if not isinstance(table, Mapping):
            raise TypeError(f"recipe key {name} must be a table, got {table!r}")
        own[name] = kind(**_checked(kind, dict(table), f"{name}."))
    if isinstance(own.get("auxiliaries"), list):
        own["auxiliaries"] = tuple(map(str, own["auxiliaries"]))
    return Recipe(**_checked(Recipe, own, ""))


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the changes on top, table by table.

    Raises:
        ValueError: If a table would take the place of something else.
    """
    merged = dict(values)
    for key, value in changes.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and not isinstance(below, Mapping | None):
            raise ValueError(f"recipe key {key} must be a table, got {below!r}")
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def write_recipe(path: Path, recipe: Recipe) -> None:
    """Write the recipe so that ``--recipe FILE`` reads it back as it is."""
    values = recipe.to_json()
    tables = {name: values.pop(name) for name in _TABLES}
    lines = [_line(key, value) for key, value in values.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(_line(key, value) for key, value in table.items())]
    write_whole(path, "\n".join(line for line in lines if line is not None) + "\n")


def _line(key: str, value: Any) -> str | None:
    if value is None:  # TOML has no null; leaving the key out means the default, which is None
        return None
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _checked(kind: type, values: dict[str, Any], prefix: str) -> dict[str, Any]:
    hints = get_type_hints(kind)
    for key, value in values.items():
        if key not in {one.name for one in fields(kind)}:
            raise ValueError(f"recipe has an unknown key {prefix}{key}{_near(key)}")
        if key in _RADII and isinstance(value, str):
            values[key] = parse_radius(value)
        _require_kind(f"{prefix}{key}", values[key], hints[key])
    return values


def _near(key: str) -> str:
    """The keys of any table that read like this one."""
    dotted: dict[str, list[str]] = {}
    for prefix, kind in (("", Recipe), *((f"{name}.", kind) for name, kind in _TABLES.items())):
        for one in fields(kind):
            dotted.setdefault(one.name, []).append(prefix + one.name)
    near = [full for one in difflib.get_close_matches(key, dotted, 3, 0.5) for full in dotted[one]]
    if near:
        return f"; near matches: {', '.join(near)}"
    return f"; there are {', '.join(full for several in dotted.values() for full in several)}"


def _require_kind(name: str, value: Any, hint: Any) -> None:
    kinds = _kinds(hint)
    accepted = tuple(kinds | {int}) if float in kinds else tuple(kinds)
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(sorted(kind.__name__ for kind in kinds - {type(None)}))
        wanted = wanted.replace("tuple", "a list")
        raise TypeError(f"recipe key {name} must be {wanted}, got {value!r}")


def _kinds(hint: Any) -> set[type]:
    """The classes of a field's values."""
    if get_origin(hint) is Literal:
        return {str}
    if get_origin(hint) is UnionType:
        return set(get_args(hint))
    return {get_origin(hint) or hint}
