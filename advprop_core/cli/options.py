"""A command's options are the fields of a dataclass, and a field's docstring is its help."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import typer

from advprop_core.attacks.named import gradient_attack, read_radius
from advprop_core.cli import values
from advprop_core.models.settings import ModelSettings, read_channels, read_class_names
from advprop_core.types import NORMS, AttackConfig

if TYPE_CHECKING:
    from advprop_core.models.checkpoints import Checkpoint

# What an option takes; the text is what its help shows for the value.
Name = Annotated[str, "NAME"]
Names = Annotated[list[str], "NAME"]
ClassName = Annotated[str, "CLASS"]
Number = Annotated[int, "N"]
Folder = Annotated[Path, "DIR"]
File = Annotated[Path, "FILE"]
DataSet = Annotated[str, "DIR"]

Options = TypeVar("Options")

_FOREIGN = "Describe a model file of another program, if the file does not do so"


@dataclass_transform(kw_only_default=True, frozen_default=True)
def options_class(definition: type[Options]) -> type[Options]:
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


def options_of(options_class: type) -> Iterator[inspect.Parameter]:
    """A parameter as Typer reads it for each field of the class, the required ones first."""
    hints, helps = get_type_hints(options_class, include_extras=True), docstrings(options_class)
    for field in sorted(fields(options_class), key=lambda field: field.default is not MISSING):
        hint, option = hints[field.name], typer.Option()
        # `Name | None` hides what is annotated one level down.
        inner = next(
            (part for part in (hint, *get_args(hint)) if get_origin(part) is Annotated), None
        )
        if inner is not None:
            kind, about = get_args(inner)
            hint = kind if inner is hint else kind | None
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


@cache
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


@options_class
class ReportOptions:
    """Of every command that reports."""

    json_file: Annotated[str | None, typer.Option("--json", metavar="FILE")] = None
    """Write the results as JSON too; - means standard output."""


@options_class
class ForeignOptions:
    """What a foreign model file does not say itself."""

    arch: Annotated[str | None, typer.Option(metavar="NAME", rich_help_panel=_FOREIGN)] = None
    """timm's name of the network."""
    size: Annotated[int | None, typer.Option(metavar="PIXELS", rich_help_panel=_FOREIGN)] = None
    """Side of the network's square input."""
    mean: Annotated[str | None, typer.Option(metavar="R,G,B", rich_help_panel=_FOREIGN)] = None
    """Mean that the network subtracts from each channel, for pixels from 0 to 1."""
    std: Annotated[str | None, typer.Option(metavar="R,G,B", rich_help_panel=_FOREIGN)] = None
    """Standard deviation by which it divides each channel."""
    classes: Annotated[str | None, typer.Option(metavar="FILE", rich_help_panel=_FOREIGN)] = None
    """Class names: a text file with one name on each line, or a list with commas."""

    @property
    def settings(self) -> ModelSettings:
        """What they say.

        Raises:
            InputError: For what cannot be read, or cannot be.
        """
        return ModelSettings(
            architecture=self.arch,
            size=self.size,
            mean=None if self.mean is None else read_channels(self.mean, "--mean"),  # type: ignore[arg-type]
            std=None if self.std is None else read_channels(self.std, "--std"),  # type: ignore[arg-type]
            classes=None if self.classes is None else read_class_names(self.classes),
        )


@options_class
class ModelOptions(ForeignOptions):
    """Of commands that take one model."""

    model: Annotated[str, "M"]
    """A bundled name (see `advprop models`), a checkpoint file, or a timm name."""

    def open(self) -> Checkpoint:
        """The model; what was guessed or ignored is said on standard error."""
        return open_model(self.model, self.settings)


@options_class
class ModelsOptions(ForeignOptions):
    """Of commands that take several models."""

    model: Annotated[list[str], "M"]
    """A bundled name (see `advprop models`), a checkpoint file, or a timm name. To compare several,
    repeat the option or use commas."""

    def open(self) -> dict[str, Checkpoint]:
        """Name as given to opened model; what was guessed or ignored is said on standard error."""
        from advprop_core.models.bundle import says_all_itself

        names, opened = values.split_list(self.model), {}
        for name in names:
            # Of several, the settings are for those that need them.
            needs_none = len(names) > 1 and says_all_itself(name)
            opened[name] = open_model(name, ModelSettings() if needs_none else self.settings)
        return opened


def open_model(name: str, settings: ModelSettings) -> Checkpoint:
    """The model; what was guessed or ignored is said on standard error."""
    from advprop_core.models import bundle

    checkpoint = bundle.open_model(name, **settings.given)
    for note in checkpoint.notes:
        typer.echo(note, err=True)
    return checkpoint


@options_class
class AttackOptions:
    """Of commands that attack."""

    attack: Annotated[str, "KIND"] = "pgd"
    """pgd (random start), i-fgsm (no random start) or fgsm (one step of size epsilon)."""
    norm: Annotated[str, "NORM"] = "linf"
    """What epsilon bounds: linf, the largest change of any channel value; or l2, the length of the
    whole change."""
    epsilon: Annotated[str | None, "E"] = None
    """Radius of the perturbation in pixel units on [0, 1], such as 4/255 or 0.0157. By default
    4/255 for linf and 1 for l2."""
    step_size: Annotated[str | None, "S"] = None
    """Move per step, in the unit of epsilon. By default 2.5 × epsilon / steps."""
    steps: Number | None = None
    """Steps of pgd and i-fgsm. By default 10."""
    seed: Number = 0
    """Seed of all random numbers. The same seed gives the same result."""

    def read_attack(self) -> AttackConfig:
        """The attack that the options describe.

        Raises:
            InputError: For an unknown kind or norm, a value out of its range, or an option that
                the kind has no use for (which would otherwise be ignored in silence).
        """
        norm = values.read_choice(self.norm, NORMS, "--norm")
        radius = read_radius(self.epsilon or values.DEFAULT_RADII[norm], norm, "--epsilon")
        step = values.read_step_size(self.step_size)
        return gradient_attack(
            self.attack, norm, radius, steps=self.steps, step_size=step, seed=self.seed
        )


@options_class
class AimOptions:
    """Of commands that attack a photo: through which branch, and towards what."""

    attack_branch: Name | None = None
    """Branch whose gradient makes the perturbation. By default the branch of --branch, or main if
    --branch names several or none."""
    target_class: ClassName | None = None
    """Class that the attack aims at: name, id or index. By default the attack is untargeted: it
    moves the prediction away from the true class. If the true class is not known, it moves away
    from the attack branch's own clean prediction."""


@options_class
class AnswerOptions:
    """Of commands that ask branches about a photo."""

    branch: Names | None = None
    """Branch that predicts: main, aux, aux2 … For several, repeat the option or use commas. By
    default all branches."""
    true_class: ClassName | None = None
    """Class that the photo shows: name, id or index. By default the name of the photo's folder, if
    it is one of the model's classes. Otherwise the class is unknown."""
