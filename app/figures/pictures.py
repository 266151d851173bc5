"""Pictures as files: each picture of the board alone."""

from collections.abc import Callable
from functools import partial

from PIL import Image

from advprop_core.pictures.decoding import encode_png
from advprop_core.report.colours import Array
from advprop_core.report.drawing import to_image
from advprop_core.types import INPUT_KINDS, Comparison, InputKind
from app.figures.board import amplified, overlaid
from app.figures.style import KIND_TITLES
from app.language.text import N_, Sentence

Makers = dict[str, Callable[[], bytes]]
"""What a person reads of a picture, in English for its file, to what makes its PNG."""


def to_png(values: Array, side: int = 448) -> bytes:
    """(3, H, W) in [0, 1] as a PNG, enlarged by a whole factor, so that its pixels can be seen."""
    image = to_image(values)
    if (factor := side // image.width) > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.NEAREST)
    return encode_png(image)


def makers(result: Comparison, scale: str = "each", opacity: float = 1.0) -> Makers:
    """What the network was shown, pixel by pixel, what lies between, amplified, and the maps.

    Maps stand over their pictures, in the colours that they have on the board.
    """

    def map_png(cell: tuple[InputKind, str]) -> bytes:
        return to_png(overlaid(result, scale, opacity)[cell])

    maps: Makers = {
        Sentence(
            "Map of {branch}, {kind} picture", branch=branch, kind=Sentence(KIND_TITLES[kind])
        ): partial(map_png, (kind, branch))
        for branch in result.branches
        for kind in INPUT_KINDS
        if (kind, branch) in result.maps
    }
    return {
        N_("Clean picture"): partial(to_png, result.clean.numpy(), 1),
        N_("Perturbed picture"): partial(to_png, result.adversarial.numpy(), 1),
        N_("Change, amplified"): lambda: to_png(amplified(result)[0]),
        **maps,
    }
