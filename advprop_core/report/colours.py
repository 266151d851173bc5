"""Values as colours, in numpy alone: branches, maps, perturbations.

Command line, reports and app take their colours from here, so that a picture means the same
wherever it is drawn.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from advprop_core.types import InputKind

Array = NDArray[np.float32]
Sign = Literal["magnitude", "signed", "change"]
Span = tuple[float, float]
Rgb = tuple[int, ...]
Cell = tuple[InputKind, str]
"""Kind of input, and branch."""

BRANCH_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe-Ito: main, aux, and further auxiliary branches in turn."""

CHANGE_COLOURS: Final = ("#762A83", "#C2A5CF", "#F7F7F7", "#A6DBA0", "#1B7837")
"""A loss, no change, a gain: no colour of a branch, and told apart without colour vision."""

COLOUR_SCALES: Final[dict[Sign, tuple[str, ...]]] = {
    "magnitude": (  # viridis, of matplotlib: cividis is grey in its middle, like the photo below
        "#440154", "#482878", "#3E4989", "#31688E", "#26828E",
        "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C", "#FDE725",
    ),
    "signed": (  # blue, against; white, nothing; orange, for
        "#084A82", "#2E7EBB", "#8DBFE0", "#FFFFFF", "#FDBA7F", "#E4731C", "#9C3D00",
    ),
    "change": CHANGE_COLOURS,  # of two maps: violet, less; white, as much; green, more
}  # fmt: skip
"""Colours of each scale at equal distances, low to high."""

# The share of the values that may lie beyond the colours. A gradient map has a few extreme pixels
# that would leave everything else dark; SmoothGrad's authors (arXiv 1706.03825) cap at the 99th
# percentile, and captions here say so.
_PERCENTILE: Final = 99
# Readers multiply by these in their heads.
_FACTORS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


def branch_colour(branch: str) -> str:
    """Colour of a branch, whichever others are shown: blue for main, orange for aux."""
    index = 0 if branch == "main" else int(branch.removeprefix("aux") or 1)
    return BRANCH_COLOURS[index % len(BRANCH_COLOURS)]


def amplification(perturbation: Array) -> int:
    """The largest round factor that clips nothing around mid-grey; 1 for a larger perturbation.

    It depends on the largest absolute change alone: 20 for 4/255, 100 for 1/255.
    """
    largest = float(np.abs(perturbation).max())
    fitting = [factor for factor in _FACTORS if largest > 0 and factor * largest <= 0.5]
    return fitting[-1] if fitting else 1


def amplify(perturbation: Array, factor: int) -> Array:
    """A perturbation of any shape, times the factor, around mid-grey, in [0, 1]."""
    return (0.5 + factor * perturbation).clip(0, 1)


def colour_span(maps: Iterable[Array], sign: Sign) -> Span:
    """The values at both ends of the colours of maps that are compared.

    The high end is the 99th percentile of all absolute values. Signed maps and changes begin at its
    negative, so that 0 is white. Others begin at 0, except where all but a hundredth of the values
    lie in the upper half, as in maps by RISE: these would be one colour. Maps of zeros get a span
    of 1.
    """
    values = np.concatenate([values.ravel() for values in maps])
    sizes = np.abs(values)
    high = float(np.percentile(sizes, _PERCENTILE)) or float(sizes.max()) or 1.0
    if sign != "magnitude":
        return -high, high
    low = float(np.percentile(values, 100 - _PERCENTILE))
    return (low if high / 2 < low < high else 0.0), high


def map_spans(maps: Mapping[Cell, Array], sign: Sign, scale: str) -> dict[Cell, Span]:
    """(input kind, branch) to the values at both ends of the colours of its map.

    ``scale`` says which maps share their colours: ``each`` none, ``row`` those of a branch,
    ``shared`` all.
    """
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for kind, branch in maps:
        group = {"shared": (), "row": (branch,), "each": (kind, branch)}[scale]
        groups.setdefault(group, []).append((kind, branch))
    spans: dict[Cell, Span] = {}
    for cells in groups.values():
        spans |= dict.fromkeys(cells, colour_span([maps[cell] for cell in cells], sign))
    return spans


def colour_stops(sign: Sign) -> list[tuple[float, Rgb, float]]:
    """A scale as (position in [0, 1], colour, cover in [0, 1]), low to high.

    The cover is how much of a photo the colour hides. It is 0 where a map says nothing, so that
    the photo stays visible there, and 1 at the ends that mean much.
    """
    colours = COLOUR_SCALES[sign]
    positions = np.linspace(0, 1, len(colours)).tolist()
    stops = []
    for position, colour in zip(positions, colours, strict=True):
        cover = position**1.5 if sign == "magnitude" else abs(2 * position - 1)
        stops.append((position, tuple(bytes.fromhex(colour[1:])), cover))
    return stops


def colourise(values: Array, sign: Sign, span: Span) -> Array:
    """A map (H, W) in its colours, (3, H, W) in [0, 1]; what lies beyond the span is clipped."""
    return _interpolate(values, sign, span)[0]


def overlay(photo: Array, values: Array, sign: Sign, span: Span, opacity: float) -> Array:
    """A map over its photo in grey, so that every colour is the map's.

    Args:
        photo: (3, H, W) in [0, 1].
        values: (H, W).
        sign: Which scale.
        span: Values at both ends of the colours, from :func:`colour_span`.
        opacity: How much of the photo the ends of the scale hide, in [0, 1].

    Returns:
        (3, H, W) in [0, 1].
    """
    colours, cover = _interpolate(values, sign, span)
    weight = opacity * cover
    return (1 - weight) * grey(photo) + weight * colours


def grey(photo: Array) -> Array:
    """(3, H, W) without its colours."""
    return np.repeat(np.tensordot(_LUMA, photo, 1)[None], 3, axis=0)


def _interpolate(values: Array, sign: Sign, span: Span) -> tuple[Array, Array]:
    """Colours (3, H, W) and cover (H, W)."""
    low, high = span
    share = np.clip((values - low) / (high - low), 0, 1)
    positions, colours, covers = zip(*colour_stops(sign), strict=True)
    channels = [np.interp(share, positions, levels) / 255 for levels in zip(*colours, strict=True)]
    cover = np.interp(share, positions, covers).astype(np.float32)
    return np.stack(channels).astype(np.float32), cover
