"""How ``compare`` changes a photo: an attack, a noise, erased parts, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.cli.options import AttackOptions
from advprop_core.errors import InputError
from advprop_core.pictures.regions import FILLS, EraseConfig, parse_regions

if TYPE_CHECKING:
    from advprop_core.compare.experiment import Perturbation

NOTHING = "none"


@dataclass(frozen=True, kw_only=True)
class PerturbationOptions(AttackOptions):
    """Of commands that change a photo in any way."""

    attack: Annotated[str, typer.Option(metavar="KIND")] = "pgd"
    """pgd (random start), i-fgsm (no random start), fgsm (one step of size epsilon); or none, to
    leave the photo as it is."""
    noise: Annotated[str | None, typer.Option(metavar="KIND")] = None
    """Random noise instead of an attack: gaussian, poisson or salt-and-pepper."""
    severity: Annotated[float, typer.Option(metavar="S")] = 0.1
    """Of the noise, in [0, 1]: standard deviation, or share of pixels."""
    erase: Annotated[str | None, typer.Option(metavar="REGIONS")] = None
    """Erased parts instead of an attack: left.top.width.height in thousandths of the side, and _
    between several."""
    fill: Annotated[str, typer.Option(metavar="KIND")] = "grey"
    """What erased parts are filled with: grey, black or blur."""

    def read_perturbation(self) -> Perturbation | None:
        """What the options describe; None where the photo is left as it is.

        Raises:
            InputError: For a value that cannot be, or options of several kinds.
        """
        kinds = [
            option
            for option, is_given in (
                ("--noise", self.noise is not None),
                ("--erase", self.erase is not None),
                ("--attack", self.attack != "pgd" or self._has_attack_options),
            )
            if is_given
        ]
        if len(kinds) > 1:
            raise InputError(
                f"{kinds[0]} and options of {kinds[1]} exclude each other: a photo is perturbed in "
                "one way"
            )
        if self.noise is not None:
            from advprop_core.pictures.noise import NoiseConfig  # here: it loads torch

            return NoiseConfig(self.noise, self.severity, self.seed)
        if self.erase is not None:
            if self.fill not in FILLS:
                raise InputError(f"--fill must be one of {', '.join(FILLS)}, got {self.fill!r}")
            return EraseConfig(parse_regions(self.erase), self.fill)
        if self.attack != NOTHING:
            return self.read_attack()
        if self._has_attack_options:
            raise InputError("--attack none has no --epsilon, --step-size, --steps or --norm")
        return None

    @property
    def _has_attack_options(self) -> bool:
        others = (self.epsilon, self.step_size, self.steps)
        return self.norm != "linf" or any(given is not None for given in others)
