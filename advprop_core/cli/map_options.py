"""What ``explain`` is asked."""

from pathlib import Path
from typing import Annotated, Final

import typer

from advprop_core.attribution.methods import METHODS, STAGES, MapChoice
from advprop_core.cli.fields import ClassName, Folder, Names, Number, option_set
from advprop_core.cli.options import (
    AimOptions,
    AnswerOptions,
    AttackOptions,
    ModelsOptions,
    ReportOptions,
)
from advprop_core.cli.values import split_list
from advprop_core.errors import InputError
from advprop_core.text import did_you_mean
from advprop_core.types import AttackConfig

ALL: Final = "all"


@option_set
class ExplainOptions(ReportOptions, AimOptions, AttackOptions, AnswerOptions, ModelsOptions):
    """What ``explain`` is asked; some of it is for a photo, some for a data set."""

    image: Annotated[Path, typer.Argument(metavar="IMAGE")]
    """A photo: JPEG, PNG, WebP, AVIF, TIFF … Or a built-in data set with known objects, shapes or
    shapes-conflict: then the command measures how much of each map lies on the object."""
    out: Folder | None = None
    """Folder for the maps of a photo. It is created if needed, and its files are overwritten."""
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Kinds of map. For several, repeat the option or use commas. By default grad-cam. "
            f"{ALL}, or of {', '.join(METHODS)}.",
        ),
    ] = None
    layer: Names | None = None
    """Layer for maps such as grad-cam, for example s3 or layer4.1. For several layers, repeat the
    option or use commas; `stages` means every stage of the network. By default the deepest stage
    whose map has at least 5×5 cells."""
    class_index: ClassName | None = None
    """Class that all maps explain: name, id or index. By default the true class or, if it is
    not known, the class that is predicted for the clean photo."""
    metrics: bool = False
    """Measure how far each map can be trusted. This takes some seconds per map."""
    attack: Annotated[str | None, "KIND"] = None  # type: ignore[assignment]
    """Explain the attacked photo too: pgd (random start), i-fgsm (no random start) or fgsm (one
    step of size epsilon). By default only the clean photo."""
    window: Annotated[int | None, "PX"] = None
    """Side of occlusion's square; an eighth of the image."""
    stride: Annotated[int | None, "PX"] = None
    """Distance between two positions of that square; by default half its side."""
    samples: Number | None = None
    """Random copies or masks of smoothgrad, vargrad (16), gradient-shap (64), rise (1000)."""
    limit: Number | None = None
    """Scenes of a built-in data set. By default 100."""

    def read_choice(self) -> MapChoice:
        """Which maps are asked for.

        Raises:
            InputError: For an unknown method, or an option that no chosen method has a use for.
        """
        named = split_list(self.method) or ["grad-cam"]
        for name in named:
            if name not in METHODS and name != ALL:
                hint = did_you_mean(name, (ALL, *METHODS))
                raise InputError(f"--method has no {name!r}. {hint}")
        methods = tuple(METHODS) if ALL in named else tuple(named)
        layers = tuple(split_list(self.layer))
        if STAGES in layers and len(layers) > 1:
            raise InputError(
                f"--layer must be {STAGES} alone or names of layers, got {list(layers)}"
            )
        options = {"window": self.window, "stride": self.stride, "samples": self.samples}
        users = {
            option: [name for name in METHODS if option in METHODS[name].options]
            for option, value in options.items()
            if value is not None
        }
        if layers:
            users["layer"] = [name for name in METHODS if METHODS[name].needs_layer]
        for option, fitting in users.items():
            if not {*fitting} & {*methods}:
                raise InputError(
                    f"--{option} is for {', '.join(fitting)}, and --method is {', '.join(methods)}"
                )
        return MapChoice(methods, frozenset(named) - {ALL}, layers, options, self.seed)

    def read_optional_attack(self) -> AttackConfig | None:
        """The attack, if there is one.

        Raises:
            InputError: For what cannot be, or options of an attack without one.
        """
        if self.attack is not None:
            return self.read_attack()
        others = (self.epsilon, self.step_size, self.steps, self.attack_branch, self.target_class)
        if self.norm != "linf" or any(given is not None for given in others):
            raise InputError(
                "--norm, --epsilon, --step-size, --steps, --attack-branch and --target-class "
                "describe an attack: name it too, such as --attack pgd"
            )
        return None
