"""Names of the probes and the settings of one; loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from annotated_types import Ge

from advprop_core.errors import InputError
from advprop_core.text import did_you_mean
from advprop_core.types import Checked

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
class ProbeConfig(Checked):
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
        seed: What the draws depend on. Kinds without chance, all but `patch-shuffle`, ignore it.

    Raises:
        InputError: For a value of the wrong kind or out of its range.
    """

    kind: str
    strength: float | None = None
    seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in PROBES:
            raise InputError(f"There is no probe {self.kind!r}. {did_you_mean(self.kind, PROBES)}")
        _require_strength(self.kind, self.strength)


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


def _require_strength(kind: str, strength: float | None) -> None:
    if kind == "grey":
        if strength is not None:
            raise InputError(f"strength must be left out for grey, got {strength:g}")
    elif kind == "patch-shuffle":
        if strength is None or strength < 2 or strength % 1:
            raise _wrong_strength(kind, "a whole number of patches, at least 2", strength)
    elif strength is None or strength <= 0:
        raise _wrong_strength(kind, "a cut-off in cycles per image, above 0", strength)


def _wrong_strength(kind: str, rule: str, strength: float | None) -> InputError:
    example, shown = PROBES[kind][-1], "none" if strength is None else f"{strength:g}"
    return InputError(f"strength of {kind} must be {rule}, such as {example:g}, got {shown}")
