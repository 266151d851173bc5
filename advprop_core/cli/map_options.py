"""What ``explain`` is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from advprop_core.attribution.methods import METHODS, STAGES, MapChoice
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


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(ReportOptions, AimOptions, AttackOptions, AnswerOptions, ModelsOptions):
    """What ``explain`` is asked; some of it is for a photo, some for a data set."""

    image: Annotated[Path, typer.Argument(metavar="IMAGE")]
    """A photo: JPEG, PNG, WebP, AVIF, TIFF … Or a built-in data set whose objects are known, shapes
    or shapes-conflict: then it is measured how much of the maps lies on them."""
    out: Annotated[Path | None, typer.Option(metavar="DIR")] = None
    """Folder for the maps of a photo; made if need be, and overwritten."""
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Maps, repeated or with commas; grad-cam by default. {ALL}, or of "
            f"{', '.join(METHODS)}.",
        ),
    ] = None
    layer: Annotated[list[str] | None, typer.Option(metavar="NAME")] = None
    """Layer that maps such as grad-cam read, such as s3 or layer4.1; repeated or with commas, one
    map each; `stages` for every stage of the network. By default the deepest stage whose map has at
    least 5×5 cells."""
    class_index: Annotated[str | None, typer.Option(metavar="CLASS")] = None
    """Class whose score the maps explain, the same in all of them: name, id or index. By default
    the true class; where that is not known, the class that was predicted for the clean photo."""
    metrics: bool = False
    """Measure how far each map can be trusted; some seconds per map."""
    attack: Annotated[str | None, typer.Option(metavar="KIND")] = None  # type: ignore[assignment]
    """Explain the attacked photo too: pgd (random start), i-fgsm (no random start) or fgsm (one
    step of size epsilon). The clean photo alone by default."""
    window: Annotated[int | None, typer.Option(metavar="PX")] = None
    """Side of occlusion's square; an eighth of the image."""
    stride: Annotated[int | None, typer.Option(metavar="PX")] = None
    """How far that square moves; half its side by default."""
    samples: Annotated[int | None, typer.Option(metavar="N")] = None
    """Random copies or masks of smoothgrad, vargrad (16), gradient-shap (64), rise (1000)."""
    limit: Annotated[int | None, typer.Option(metavar="N")] = None
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
