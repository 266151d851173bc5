"""Parts of a picture that a person marks, and what is put in their place; loads no torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from annotated_types import MaxLen

from advprop_core.errors import Checked, Count, Index, InputError

Fill = Literal["grey", "black", "blur"]
FILLS: tuple[Fill, ...] = get_args(Fill)
MOST_REGIONS = 24
WHOLE = 1000  # a side of the picture, in the unit of a region
_REGION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)


@dataclass(frozen=True)
class Region(Checked):
    """A rectangle in thousandths of the picture's side, so that it fits any resolution.

    Attributes:
        left: From the picture's left edge.
        top: From its upper edge.
        width: At least 1; the rectangle ends inside the picture.
        height: Likewise.

    Raises:
        InputError: If a number is not whole, or the rectangle is empty or leaves the picture.
    """

    left: Index
    top: Index
    width: Count
    height: Count

    def __post_init__(self) -> None:
        super().__post_init__()
        for start, length in (("left", "width"), ("top", "height")):
            end = getattr(self, start) + getattr(self, length)
            if end > WHOLE:
                raise InputError(
                    f"{start} and {length} must end within {WHOLE} (thousandths of the picture's "
                    f"side), got {end}"
                )


@dataclass(frozen=True)
class EraseConfig(Checked):
    """Which parts of a picture are erased, and how.

    Attributes:
        regions: At most :data:`MOST_REGIONS`; without any, nothing is changed.
        fill: ``grey`` or ``black`` paint over them, ``blur`` takes their details away.

    Raises:
        InputError: For anything but regions, too many of them, or another fill.
    """

    regions: Annotated[tuple[Region, ...], MaxLen(MOST_REGIONS)]
    fill: Fill = "grey"


def parse_regions(text: str) -> tuple[Region, ...]:
    """Read regions as :func:`format_regions` writes them.

    Raises:
        InputError: If the text is anything else; the message says what.
    """
    pieces = text.split("_") if text else []
    if len(pieces) > MOST_REGIONS:
        raise InputError(f"regions must be at most {MOST_REGIONS}, got {len(pieces)}")
    regions = []
    for piece in pieces:
        if not (numbers := _REGION.fullmatch(piece)):
            raise InputError(
                f"a region must be left.top.width.height in thousandths of the side, got {piece!r}"
            )
        regions.append(Region(*map(int, numbers.groups())))
    return tuple(regions)


def format_regions(regions: Sequence[Region]) -> str:
    """Regions as a short text that a link can hold: ``100.200.300.50_0.0.90.90``."""
    return "_".join(f"{r.left}.{r.top}.{r.width}.{r.height}" for r in regions)
