"""Parts of a picture that a person marks, and what is put in their place; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, get_args

from advprop_core.errors import InputError

Fill = Literal["grey", "black", "blur"]
FILLS: tuple[Fill, ...] = get_args(Fill)
MOST_REGIONS = 24
WHOLE = 1000  # a side of the picture, in the unit of a region


@dataclass(frozen=True)
class Region:
    """A rectangle in thousandths of the picture's side, so that it fits any resolution.

    Attributes:
        left: From the picture's left edge.
        top: From its upper edge.
        width: At least 1; the rectangle ends inside the picture.
        height: Likewise.

    Raises:
        TypeError: If a number is not whole.
        ValueError: If the rectangle is empty or reaches beyond the picture.
    """

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{field.name} must be a whole number, got {value!r}")
        for start, length in (("left", "width"), ("top", "height")):
            begin, extent = getattr(self, start), getattr(self, length)
            if begin < 0 or extent < 1 or begin + extent > WHOLE:
                raise InputError(
                    f"{start} and {length} must stay within 0 to {WHOLE} (thousandths of the "
                    f"picture's side) and {length} be at least 1, got {begin} and {extent}"
                )


@dataclass(frozen=True)
class EraseConfig:
    """Which parts of a picture are erased, and how.

    Attributes:
        regions: At most :data:`MOST_REGIONS`; without any, nothing is changed.
        fill: ``grey`` or ``black`` paint over them, ``blur`` takes their details away.

    Raises:
        TypeError: If something else than regions is given.
        ValueError: For too many regions or another fill.
    """

    regions: tuple[Region, ...]
    fill: Fill = "grey"

    def __post_init__(self) -> None:
        if any(not isinstance(region, Region) for region in self.regions):
            raise TypeError(f"regions must hold Region objects, got {self.regions!r}")
        if len(self.regions) > MOST_REGIONS:
            raise InputError(f"regions must be at most {MOST_REGIONS}, got {len(self.regions)}")
        if self.fill not in FILLS:
            raise InputError(f"fill must be one of {', '.join(FILLS)}, got {self.fill!r}")


def parse_regions(text: str) -> tuple[Region, ...]:
    """Read regions as :func:`format_regions` writes them.

    Raises:
        ValueError: If the text is anything else; the message says what.
    """
    pieces = text.split("_") if text else []
    if len(pieces) > MOST_REGIONS:
        raise InputError(f"regions must be at most {MOST_REGIONS}, got {len(pieces)}")
    return tuple(_parse(piece) for piece in pieces)


def _parse(piece: str) -> Region:
    numbers = piece.split(".")
    # isdigit alone would let other scripts' digits in, and int() a million of them.
    if len(numbers) != 4 or not all(n.isascii() and n.isdigit() and len(n) <= 4 for n in numbers):
        raise InputError(
            f"a region must be left.top.width.height in thousandths of the side, got {piece!r}"
        )
    return Region(*map(int, numbers))


def format_regions(regions: Sequence[Region]) -> str:
    """Regions as a short text that a link can hold: ``100.200.300.50_0.0.90.90``."""
    return "_".join(f"{r.left}.{r.top}.{r.width}.{r.height}" for r in regions)
