"""What a photo loses on purpose, to see what a network reads: outlines, texture, colour, detail.

- `patch-shuffle` cuts a photo into a grid and deals the patches out anew: outlines go, texture
  stays (as in Naseer et al., arXiv 2105.10497).
- `grey` takes colour away and leaves the luma of ITU-R BT.601.
- `edges` leaves dark lines on white: texture finer than the smoothing goes with surfaces, so the
  coarser it is, the more the lines are a silhouette's (edges as in Geirhos et al., arXiv
  1811.12231, by Canny's method).
- `low-pass` and `high-pass` leave coarse or fine structure, as in Geirhos et al., arXiv
  1808.08750, in colour.

Sizes are in patches per side or in cycles per image, so that they mean the same at every
resolution. Names and settings load no torch; :mod:`.apply` does the work.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from annotated_types import Ge

from advprop_core.errors import Checked, InputError
from advprop_core.language import _
from advprop_core.text import did_you_mean

PROBES: Final[dict[str, tuple[float | None, ...]]] = {
    "patch-shuffle": (2.0, 4.0, 8.0),
    "grey": (None,),
    "edges": (16.0, 8.0),
    "low-pass": (16.0, 8.0, 4.0),
    "high-pass": (4.0, 8.0, 16.0),
}
"""Each kind with the strengths that are looked at unless others are named, mildest first."""


@dataclass(frozen=True)
class ProbeConfig(Checked):
    """One thing that photos lose; an InputError for a value of the wrong kind or out of its range.

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
    """

    kind: str
    strength: float | None = None
    seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in PROBES:
            raise InputError(f"There is no probe {self.kind!r}. {did_you_mean(self.kind, PROBES)}")
        if self.kind == "grey":
            if self.strength is not None:
                raise InputError(f"strength must be left out for grey, got {self.strength:g}")
            return
        strength, rule = self.strength or 0, "a cut-off in cycles per image, above 0"
        fits = strength > 0
        if self.kind == "patch-shuffle":
            rule, fits = "a whole number of patches, at least 2", strength >= 2 and not strength % 1
        if not fits:
            given = "none" if self.strength is None else f"{strength:g}"
            example = PROBES[self.kind][-1]
            raise InputError(
                f"strength of {self.kind} must be {rule}, such as {example:g}, got {given}"
            )


def describe_probe(kind: str, strength: float | None) -> str:
    """``4 × 4 patches shuffled``, ``grey``, ``low-pass, 8 cycles per image``."""
    if strength is None:
        return _(kind)
    if kind == "patch-shuffle":
        return _("{count:g} × {count:g} patches shuffled", count=strength)
    return _("{kind}, {count:g} cycles per image", kind=_(kind), count=strength)


def require_room(config: ProbeConfig, side: int) -> None:
    """Refuses more patches along a picture's shorter side than this has pixels."""
    if config.kind == "patch-shuffle" and config.strength is not None and config.strength > side:
        raise InputError(
            f"strength of patch-shuffle must be at most the picture's side, got "
            f"{config.strength:g} patches for {side} pixels: give fewer."
        )
