"""Arrays to pictures with PIL and numpy alone: colour scales, maps, perturbations, text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from advprop_core.text import percent

Array = NDArray[np.float32]
Sign = Literal["magnitude", "signed"]

INK: Final = "#1F2933"
MUTED: Final = "#5B6770"
FAINT: Final = "#E4E8EC"
PAPER: Final = "#FFFFFF"
BRANCH_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe-Ito: main, aux, and further auxiliary branches in turn."""

COLOUR_SCALES: Final[dict[Sign, tuple[str, ...]]] = {
    "magnitude": (  # cividis: Nuñez, Anderton and Renslow, arXiv 1712.01662
        "#00224E", "#123570", "#3B496C", "#575D6D", "#707173",
        "#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838",
    ),
    "signed": (  # blue, against; white, nothing; orange, for
        "#084A82", "#2E7EBB", "#8DBFE0", "#FFFFFF", "#FDBA7F", "#E4731C", "#9C3D00",
    ),
}  # fmt: skip
"""Anchors of each scale at equal distances, low to high."""

_FACTORS: Final = (1, 2, 3, 5, 10, 15, 20, 30, 50, 100, 200, 500, 1000)
# The font that comes with PIL has ASCII and little else.
_SPELLED: Final = {"×": "x", "−": "-", "–": "-", "—": "-", "∞": "inf", "ε": "epsilon", "≤": "<=",
                   "≥": ">="}  # fmt: skip
_ARROW: Final = "→"


def branch_colour(branch: str) -> str:
    """Colour of a branch, whichever others are shown: blue for main, orange for aux."""
    place = 0 if branch == "main" else int(branch.removeprefix("aux") or 1)
    return BRANCH_COLOURS[place % len(BRANCH_COLOURS)]


def shared_scale(maps: Iterable[Array]) -> float:
    """One scale for maps that are compared: the 99th percentile of all absolute values.

    A single outlying pixel would otherwise leave the rest of a gradient map dark. 0 for maps
    that are zero everywhere.
    """
    values = np.concatenate([np.abs(one).ravel() for one in maps])
    return float(np.quantile(values, 0.99) or values.max())


def shared_start(maps: Iterable[Array], scale: float) -> float:
    """Where the colours of unsigned maps begin that share a scale: 0 wherever possible.

    Some maps, such as RISE's, stay far from 0, and nothing would be seen in them. Where all but
    a hundredth of their values lie in the upper half of the scale, it begins at that hundredth.
    """
    low = float(np.quantile(np.concatenate([one.ravel() for one in maps]), 0.01))
    return low if scale / 2 < low < scale else 0.0


def colourise(values: Array, sign: Sign, scale: float, start: float = 0.0) -> Image.Image:
    """A map in its colours.

    Args:
        values: (H, W), unscaled.
        sign: ``magnitude`` reaches from start to scale, ``signed`` from -scale to scale.
        scale: Value at the end of the colours; what lies beyond is clipped. 0 draws zeros.
        start: Value at their beginning, for ``magnitude``.
    """
    span = scale - start
    share = np.divide(values - start, span) if span > 0 else np.zeros_like(values)
    if sign == "signed":
        share = (share + 1) / 2
    anchors = np.array([ImageColor.getrgb(one) for one in COLOUR_SCALES[sign]], dtype=np.float64)
    places = np.linspace(0, 1, len(anchors))
    flat = np.clip(share, 0, 1).astype(np.float64)
    channels = [np.interp(flat, places, anchors[:, channel]) for channel in range(3)]
    return Image.fromarray(np.round(np.stack(channels, -1)).astype(np.uint8))


def colour_bar(size: tuple[int, int], sign: Sign) -> Image.Image:
    """The colours from low to high, left to right, as an image of (width, height)."""
    low = -1.0 if sign == "signed" else 0.0
    row = np.linspace(low, 1, size[0], dtype=np.float32)
    return colourise(np.tile(row, (size[1], 1)), sign, 1.0)


def overlay(photo: Image.Image, colours: Image.Image, opacity: float) -> Image.Image:
    """A coloured map laid over the photo in grey, both of the photo's size.

    Args:
        photo: RGB.
        colours: What :func:`colourise` made; resized to the photo.
        opacity: Share of the map in [0, 1].
    """
    grey = photo.convert("L").convert("RGB")
    laid = colours.resize(photo.size, Image.Resampling.BICUBIC)
    return Image.blend(grey, laid, opacity)


def amplification(perturbation: Array) -> int:
    """The round factor that makes a perturbation visible without clipping it.

    It brings the largest absolute change to at most 0.4, a channel's range being 1; 1 for none.
    """
    largest = float(np.abs(perturbation).max())
    fitting = [one for one in _FACTORS if largest > 0 and one * largest <= 0.4]
    return fitting[-1] if fitting else 1


def perturbation_image(perturbation: Array, factor: int) -> Image.Image:
    """A (3, H, W) perturbation, times the factor, on mid-grey: no change is grey."""
    levels = np.clip(0.5 + factor * perturbation, 0, 1) * 255
    return Image.fromarray(np.round(levels).astype(np.uint8).transpose(1, 2, 0).copy())


def enlarge(image: Image.Image, side: int, *, smooth: bool = True) -> Image.Image:
    """A square image at another side; not smooth shows each pixel as a block."""
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return image.resize((side, side), how)


class Text:
    """Writes on an image in PIL's own font.

    Args:
        image: What is written on.
    """

    def __init__(self, image: Image.Image) -> None:
        self.draw = ImageDraw.Draw(image)

    def write(
        self,
        place: tuple[float, float],
        text: str,
        size: int,
        *,
        colour: str = INK,
        width: float | None = None,
        align: Literal["left", "right"] = "left",
    ) -> None:
        """One line, its capitals' top-left (or top-right) corner at ``place``.

        An arrow is drawn; a text wider than ``width`` is cut off with an ellipsis.
        """
        x, y = place
        line = self._shorten(text, size, width)
        if align == "right":
            x -= self.width(line, size)
        for index, part in enumerate(line.split(_ARROW)):
            if index:
                self._arrow(x, y, size, colour)
                x += _arrow_width(size)
            self.draw.text((x, y), spell(part), colour, _font(size))
            x += self.draw.textlength(spell(part), _font(size))

    def paragraph(
        self, place: tuple[float, float], text: str, size: int, width: float, *, colour: str = INK
    ) -> float:
        """Lines broken at spaces; returns the y below the last."""
        x, y = place
        for line in self.lines(text, size, width):
            self.write((x, y), line, size, colour=colour, width=width)
            y += 1.4 * size
        return y

    def lines(self, text: str, size: int, width: float) -> list[str]:
        """The text broken at spaces to fit the width."""
        lines: list[str] = []
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def width(self, text: str, size: int) -> float:
        """Width of one line, in pixels."""
        parts = text.split(_ARROW)
        letters = sum(self.draw.textlength(spell(part), _font(size)) for part in parts)
        return letters + (len(parts) - 1) * _arrow_width(size)

    def _shorten(self, text: str, size: int, width: float | None) -> str:
        if width is None or self.width(text, size) <= width:
            return text
        while text and self.width(f"{text}…", size) > width:
            text = text[:-1].rstrip()
        return f"{text}…"

    def _arrow(self, x: float, y: float, size: int, colour: str) -> None:
        left, right = x + 0.12 * size, x + _arrow_width(size) - 0.12 * size
        middle, head, thick = y + 0.62 * size, 0.22 * size, max(1, round(size / 12))
        self.draw.line([(left, middle), (right, middle)], colour, thick)
        for tip in (-head, head):
            self.draw.line([(right - head, middle + tip), (right, middle)], colour, thick)


def spell(text: str) -> str:
    """The text in letters that PIL's own font has: ``é`` as ``e``, ``×`` as ``x``."""
    known = "".join(_SPELLED.get(letter, letter) for letter in text)
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", known)
        if not unicodedata.combining(letter)
    )
    return "".join(letter if letter.isascii() or letter in "…·“”’±" else "?" for letter in plain)


def bars(
    image: Image.Image,
    box: tuple[int, int, int, int],
    rows: Sequence[tuple[str, float, bool]],
    colour: str,
) -> None:
    """Probabilities as horizontal bars, each under its name.

    Args:
        image: What is drawn on.
        box: (left, top, right, bottom), shared evenly by the rows.
        rows: (name, probability in [0, 1], whether it is the true class), best first.
        colour: Of the bars; the true class gets a dot of ink before its name.
    """
    text = Text(image)
    left, top, right, bottom = box
    height = (bottom - top) / max(len(rows), 5)
    for index, (name, probability, is_true) in enumerate(rows):
        y = top + index * height
        indent = 0
        if is_true:
            text.draw.ellipse([left, y + 7, left + 8, y + 15], fill=INK)
            indent = 15
        strong = INK if index == 0 or is_true else MUTED
        text.write((left + indent, y), name, 17, colour=strong, width=right - left - indent - 62)
        text.write((right, y), percent(probability), 17, colour=strong, align="right")
        y += 25
        text.draw.rounded_rectangle([left, y, right, y + 9], 4, fill=FAINT)
        if (long := probability * (right - left)) >= 1:
            text.draw.rounded_rectangle([left, y, left + long, y + 9], min(4, long / 2), colour)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _arrow_width(size: int) -> float:
    return 1.1 * size
