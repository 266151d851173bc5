"""A command's options are the fields of a dataclass, and a field's docstring is its help."""

import ast
import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import (
    Annotated,
    Any,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import typer

Options = TypeVar("Options")

# What an option takes; the text is what its help shows for the value.
Name = Annotated[str, "NAME"]
Names = Annotated[list[str], "NAME"]
ClassName = Annotated[str, "CLASS"]
Number = Annotated[int, "N"]
Folder = Annotated[Path, "DIR"]
File = Annotated[Path, "FILE"]
DataSet = Annotated[str, "DIR"]


@dataclass_transform(kw_only_default=True, frozen_default=True)
def option_set(definition: type[Options]) -> type[Options]:
    """A frozen dataclass whose fields are options, so that a required one may follow another."""
    return dataclass(frozen=True, kw_only=True)(definition)


def with_options(
    command: Callable[..., None], further: Sequence[inspect.Parameter] = ()
) -> Callable[..., None]:
    """Give a command an option for each field of the dataclass that it takes.

    Args:
        command: Takes that dataclass, and second the values of further options, if there are any.
        further: Parameters as Typer reads them.
    """
    options_class = next(iter(inspect.signature(command, eval_str=True).parameters.values()))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        others = [{p.name: given.pop(p.name) for p in further}] if further else []
        command(options_class.annotation(**given), *others)

    # Typer asks for the signature and passes what it names as keywords.
    parameters = [*options_of(options_class.annotation), *further]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def options_of(owner: type) -> Iterator[inspect.Parameter]:
    """A parameter as Typer reads it for each field of the class, the required ones first."""
    hints, helps = get_type_hints(owner, include_extras=True), docstrings(owner)
    # As Typer's help lists them, and as a signature may.
    for field in sorted(fields(owner), key=lambda field: field.default is not MISSING):
        hint, option = hints[field.name], typer.Option()
        # `Name | None` hides what is annotated one level down.
        annotated = [part for part in (hint, *get_args(hint)) if get_origin(part) is Annotated]
        if annotated:
            kind, about = get_args(annotated[0])
            hint = kind if annotated[0] is hint else kind | None
            option = typer.Option(metavar=about) if isinstance(about, str) else copy.copy(about)
        elif hint is bool:
            option = typer.Option(f"--{field.name.replace('_', '-')}")  # without a --no-
        option.help = option.help or helps[field.name]
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=Annotated[hint, option],
        )


def docstrings(owner: type) -> dict[str, str]:
    """Docstring of each field of a dataclass; Python itself does not keep them."""
    texts: dict[str, str] = {}
    for base in reversed(owner.__mro__):
        texts |= (
            _docstrings_in(base.__module__).get(base.__name__, {}) if is_dataclass(base) else {}
        )
    return texts


@functools.cache
def _docstrings_in(module: str) -> dict[str, dict[str, str]]:
    """Class to field to docstring; of a module at once, for asking for one class parses it all."""
    classes: dict[str, dict[str, str]] = {}
    for definition in ast.parse(inspect.getsource(sys.modules[module])).body:
        for statements in pairwise(getattr(definition, "body", [])):
            match definition, *statements:
                case (
                    ast.ClassDef(class_name),
                    ast.AnnAssign(target=ast.Name(name)),
                    ast.Expr(ast.Constant(str(text))),
                ):
                    classes.setdefault(class_name, {})[name] = " ".join(text.split())
    return classes
