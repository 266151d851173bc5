"""Each picture of the board alone, as a file."""

from __future__ import annotations

from collections.abc import Callable

from advprop_core.attribution.methods import METHODS
from advprop_core.report.colours import amplification, amplify, map_spans, overlay
from advprop_core.types import INPUT_KINDS, Comparison, InputKind
from app.figures.pictures import to_png
from app.figures.style import COLUMN_TITLES

Makers = dict[str, Callable[[], bytes]]
"""What a person reads of a picture, to what makes its PNG."""
_CLEAN, _CHANGE = "Clean picture", "Change, amplified"


def pictures(result: Comparison) -> Makers:
    """What the network was shown, pixel by pixel, and what lies between, amplified."""

    def change() -> bytes:
        moved = (result.adversarial - result.clean).numpy()
        return to_png(amplify(moved, amplification(moved)))

    return {
        _CLEAN: lambda: to_png(result.clean.numpy(), 1),
        "Perturbed picture": lambda: to_png(result.adversarial.numpy(), 1),
        _CHANGE: change,
    }


def maps(result: Comparison, scale: str, opacity: float) -> Makers:
    """Each map over its picture in grey, in the colours that it has on the board."""

    def maker(kind: InputKind, branch: str) -> Callable[[], bytes]:
        def make() -> bytes:
            drawn = result.maps[kind, branch]
            sign = METHODS[drawn.method].sign
            values = {cell: other.values.numpy() for cell, other in result.maps.items()}
            span = map_spans(values, sign, scale)[kind, branch]
            photo = getattr(result, kind).numpy()
            return to_png(overlay(photo, values[kind, branch], sign, span, opacity))

        return make

    return {
        f"Map of {branch}, {COLUMN_TITLES[kind].lower()} picture": maker(kind, branch)
        for branch in result.branches
        for kind in INPUT_KINDS
        if (kind, branch) in result.maps
    }
