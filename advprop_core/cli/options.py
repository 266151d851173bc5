"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.attacks.named import gradient_attack, read_radius
from advprop_core.cli import values
from advprop_core.cli.fields import ClassName, Name, Names, Number, option_set
from advprop_core.models.settings import ModelSettings, read_channels, read_class_names
from advprop_core.types import NORMS, AttackConfig, Norm

if TYPE_CHECKING:
    from advprop_core.models.checkpoints import Checkpoint

_FOREIGN = "Describe a model file of another program, if the file does not do so"


@option_set
class ReportOptions:
    """Of every command that reports."""

    json_file: Annotated[str | None, typer.Option("--json", metavar="FILE")] = None
    """Write the results as JSON too; - means standard output."""


@option_set
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


@option_set
class ModelOptions(ForeignOptions):
    """Of commands that take one model."""

    model: Annotated[str, "M"]
    """A bundled name (see `advprop models`), a checkpoint file, or a timm name."""

    def open(self) -> Checkpoint:
        """The model; what was guessed or ignored is said on standard error."""
        return open_model(self.model, self.settings)


@option_set
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


@option_set
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
        norm = self.read_norm()
        radius = read_radius(self.epsilon or values.DEFAULT_RADII[norm], norm, "--epsilon")
        return self.gradient_attack(self.attack, norm, radius)

    def read_norm(self) -> Norm:
        """The norm; an InputError for what is none."""
        return values.read_choice(self.norm, NORMS, "--norm")

    def gradient_attack(self, kind: str, norm: Norm, radius: float) -> AttackConfig:
        """An attack with the steps and the seed of the options."""
        step = values.read_step_size(self.step_size)
        return gradient_attack(kind, norm, radius, steps=self.steps, step_size=step, seed=self.seed)


@option_set
class AimOptions:
    """Of commands that attack a photo: through which branch, and towards what."""

    attack_branch: Name | None = None
    """Branch whose gradient makes the perturbation. By default the branch of --branch, or main if
    --branch names several or none."""
    target_class: ClassName | None = None
    """Class that the attack aims at: name, id or index. By default the attack is untargeted: it
    moves the prediction away from the true class. If the true class is not known, it moves away
    from the attack branch's own clean prediction."""


@option_set
class AnswerOptions:
    """Of commands that ask branches about a photo."""

    branch: Names | None = None
    """Branch that predicts: main, aux, aux2 … For several, repeat the option or use commas. By
    default all branches."""
    true_class: ClassName | None = None
    """Class that the photo shows: name, id or index. By default the name of the photo's folder, if
    it is one of the model's classes. Otherwise the class is unknown."""
