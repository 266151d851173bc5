"""Each picture of the board alone, as a file."""

from collections.abc import Callable

from advprop_core.attribution.methods import METHODS
from advprop_core.report.colours import amplification, amplify, map_spans, overlay
from advprop_core.types import INPUT_KINDS, Comparison, InputKind
from app.figures.pictures import to_png
from app.figures.style import KIND_TITLES
from app.language.text import N_, Sentence

Makers = dict[str, Callable[[], bytes]]
"""What a person reads of a picture, in English for its file, to what makes its PNG."""


def pictures(result: Comparison) -> Makers:
    """What the network was shown, pixel by pixel, and what lies between, amplified."""

    def change() -> bytes:
        moved = (result.adversarial - result.clean).numpy()
        return to_png(amplify(moved, amplification(moved)))

    return {
        N_("Clean picture"): lambda: to_png(result.clean.numpy(), 1),
        N_("Perturbed picture"): lambda: to_png(result.adversarial.numpy(), 1),
        N_("Change, amplified"): change,
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
        Sentence(
            "Map of {branch}, {kind} picture", branch=branch, kind=Sentence(KIND_TITLES[kind])
        ): maker(kind, branch)
        for branch in result.branches
        for kind in INPUT_KINDS
        if (kind, branch) in result.maps
    }
