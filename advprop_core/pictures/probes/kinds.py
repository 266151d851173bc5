"""Names of the probes and the settings of one; loads no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from advprop_core.errors import InputError
from advprop_core.text import did_you_mean

PROBES: Final[Mapping[str, tuple[float | None, ...]]] = MappingProxyType(
    {
        "patch-shuffle": (2.0, 4.0, 8.0),
        "grey": (None,),
        "edges": (16.0, 8.0),
        "low-pass": (16.0, 8.0, 4.0),
        "high-pass": (4.0, 8.0, 16.0),
    }
)
"""Each kind with the strengths that are looked at unless others are named, mildest first."""


@dataclass(frozen=True)
class ProbeConfig:
    """One thing that photos lose.

    Attributes:
        kind: One of `PROBES`.
        strength: By kind; more is stronger for `patch-shuffle` and `high-pass`, and milder for
            `edges` and `low-pass`.

            - `patch-shuffle`: patches along each side, a whole number of at least 2.
            - `grey`: none.
            - `edges`, `low-pass`, `high-pass`: cut-off of a Gaussian filter in cycles per image
              (along the shorter side), above 0: a wave of that frequency keeps exp(-1/2) = 61 %
              of its height in what is smooth, and the rest of it in what `high-pass` leaves.
        seed: What the draws depend on, a whole number of at least 0. Kinds without chance, which
            are all but `patch-shuffle`, ignore it.

    Raises:
        TypeError: An attribute is of the wrong type.
        ValueError: An attribute is out of its range.
    """

    kind: str
    strength: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _require_kind(self.kind)
        _require_strength(self.kind, self.strength)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise TypeError(f"seed must be a whole number, got {self.seed!r}.")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, got {self.seed}: drop the sign.")


def describe_probe(kind: str, strength: float | None) -> str:
    """``4 × 4 patches shuffled``, ``grey``, ``low-pass, 8 cycles per image``."""
    if strength is None:
        return kind
    if kind == "patch-shuffle":
        return f"{strength:g} × {strength:g} patches shuffled"
    return f"{kind}, {strength:g} cycles per image"


def require_room(config: ProbeConfig, side: int) -> None:
    """Refuses patches that would be smaller than a pixel.

    Args:
        config: Any probe.
        side: The shorter one of a picture, pixels.

    Raises:
        ValueError: If there are more patches along the side than pixels.
    """
    if config.kind == "patch-shuffle" and config.strength is not None and config.strength > side:
        raise InputError(
            f"strength of patch-shuffle must be at most the picture's side, got "
            f"{config.strength:g} patches for {side} pixels: give fewer."
        )


def _require_kind(kind: object) -> None:
    if not isinstance(kind, str):
        raise TypeError(f"kind must be the name of a probe, got {kind!r}.")
    if kind not in PROBES:
        raise InputError(f"There is no probe {kind!r}. {did_you_mean(kind, PROBES)}")


def _require_strength(kind: str, strength: object) -> None:
    if kind == "grey":
        if strength is not None:
            raise InputError(f"strength must be left out for grey, got {strength!r}.")
        return
    shuffles = kind == "patch-shuffle"
    rule = (
        "a whole number of patches along each side, at least 2"
        if shuffles
        else "a cut-off in cycles per image, above 0"
    )
    if isinstance(strength, bool) or not isinstance(strength, (int, float)):
        raise TypeError(f"strength of {kind} must be {rule}, got {strength!r}.")
    fits = strength >= 2 and strength % 1 == 0 if shuffles else strength > 0
    if not (math.isfinite(strength) and fits):
        example = PROBES[kind][-1]
        raise InputError(
            f"strength of {kind} must be {rule}, got {strength:g}: such as {example:g}."
        )
