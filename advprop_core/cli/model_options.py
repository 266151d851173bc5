"""Options for what a foreign model file does not say itself; each is written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from advprop_core.cli.values import split_list
from advprop_core.models.settings import ModelSettings, read_channels, read_class_names

if TYPE_CHECKING:
    from advprop_core.models.checkpoints import Checkpoint

_OPTIONS: dict[str, tuple[type, str, str]] = {
    "arch": (str, "NAME", "timm's name of the network."),
    "size": (int, "PIXELS", "Side of the network's square input."),
    "mean": (str, "R,G,B", "What the network subtracts per channel, for pixels from 0 to 1."),
    "std": (str, "R,G,B", "What it divides by per channel."),
    "classes": (str, "FILE", "Class names: a text file with one a line, or a list with commas."),
}
_PANEL = "A model file of another program, where it does not say it itself"


def with_model_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command these options; it receives what they say as ``settings``."""
    signature = inspect.signature(command, eval_str=True)
    others = [p for p in signature.parameters.values() if p.name != "settings"]

    @functools.wraps(command)
    def run(**options: Any) -> None:
        given = {name: options.pop(name) for name in _OPTIONS}
        command(**options, settings=_read(**given))

    options = [_parameter(name, *described) for name, described in _OPTIONS.items()]
    # Typer asks for the signature and passes what it names as keywords.
    run.__signature__ = signature.replace(parameters=[*others, *options])  # type: ignore[attr-defined]
    return run


def open_models(names: Sequence[str], settings: ModelSettings) -> dict[str, Checkpoint]:
    """Name as given to opened model; says on standard error what was guessed or ignored.

    Of several, the settings are for those that need them.
    """
    from advprop_core.models.bundle import open_model, says_all_itself

    separate = split_list(names)
    checkpoints = {}
    for name in separate:
        needs_none = len(separate) > 1 and says_all_itself(name)
        checkpoints[name] = open_model(name, **({} if needs_none else settings.given))
        for note in checkpoints[name].notes:
            typer.echo(note, err=True)
    return checkpoints


def open_one(name: str, settings: ModelSettings) -> Checkpoint:
    """The model, however its name reads; says on standard error what was guessed or ignored."""
    from advprop_core.models.bundle import open_model

    checkpoint = open_model(name, **settings.given)
    for note in checkpoint.notes:
        typer.echo(note, err=True)
    return checkpoint


def _parameter(name: str, kind: type, metavar: str, description: str) -> inspect.Parameter:
    option = typer.Option(f"--{name}", metavar=metavar, help=description, rich_help_panel=_PANEL)
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _read(
    arch: str | None, size: int | None, mean: str | None, std: str | None, classes: str | None
) -> ModelSettings:
    return ModelSettings(
        architecture=arch,
        size=size,
        mean=None if mean is None else read_channels(mean, "--mean"),  # type: ignore[arg-type]
        std=None if std is None else read_channels(std, "--std"),  # type: ignore[arg-type]
        classes=None if classes is None else read_class_names(classes),
    )
