"""The options of ``train``, made from the recipe's fields, so that each is written once."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, fields
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from advprop_core.text import exact_radius
from advprop_core.training.recipe import Recipe
from advprop_core.training.recipe_files import RADII, TABLES

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


def with_recipe_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command an option for every field of a recipe, in place of ``**recipe_values``."""
    signature = inspect.signature(command, eval_str=True)
    parameters = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    # Typer asks for the signature and passes what it names as keywords.
    command.__signature__ = signature.replace(parameters=[*parameters, *_options()])  # type: ignore[attr-defined]
    return command


def nested_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the given options say of a recipe, in the shape of its file: one table a ``__``."""
    values: dict[str, Any] = {}
    for name, value in options.items():
        *table, key = name.split("__")
        if value is not None:
            (values.setdefault(table[0], {}) if table else values)[key] = value
    return values


def _options() -> Iterator[inspect.Parameter]:
    panel = ""
    for field in fields(Recipe):
        panel = _PANELS.get(field.name, panel)
        if table := TABLES.get(field.name):
            for inner in fields(table):
                yield _option(f"{field.name}__{inner.name}", inner, table, panel)
        else:
            yield _option(field.name, field, Recipe, panel)


def _option(name: str, field: Field[Any], recipe_class: type, panel: str) -> inspect.Parameter:
    hint, description = _described(recipe_class)[field.name]
    kind, metavar = _kind_and_metavar(field.name, hint)
    flag = _FLAGS.get(name, field.name).replace("_", "-")
    option = typer.Option(
        f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}",
        help=description + _default(field),
        metavar=metavar,
        rich_help_panel=panel,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,  # which stands for "not given": a recipe file may say something else
        annotation=Annotated[kind | None, option],
    )


def _kind_and_metavar(name: str, hint: Any) -> tuple[type, str | None]:
    """What the command line parses a field's text into, and what its help writes for the text."""
    if get_origin(hint) is UnionType:
        (hint,) = set(get_args(hint)) - {NoneType}
    if get_origin(hint) is Literal:
        return str, "NAME"
    if get_origin(hint) is tuple:
        return str, "LIST"
    return (str, "RADIUS") if name in RADII else (hint, None)


def _default(field: Field[Any]) -> str:
    value: Any = field.default
    if not value:  # nothing, none or zero: the description says what that means
        return ""
    if value is True:
        return " By default on."
    text = exact_radius(value) if field.name in RADII else f"{value}"
    return f" By default {text.removesuffix('.0')}."


@cache
def _described(recipe_class: type) -> dict[str, tuple[Any, str]]:
    """Type and docstring of each field; Python itself does not keep docstrings of fields."""
    (definition,) = ast.parse(inspect.getsource(recipe_class)).body
    assert isinstance(definition, ast.ClassDef)
    hints, described = get_type_hints(recipe_class), {}
    for statement in pairwise(definition.body):
        match statement:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                described[name] = hints[name], " ".join(text.split())
    return described
