"""Pictures with PIL: maps and perturbations as images, text and bars."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from advprop_core.pictures import decoding
from advprop_core.report.colours import Array, Sign, Span, amplify, branch_colour, overlay
from advprop_core.text import percent

INK: Final = "#1F2933"
MUTED: Final = "#5B6770"
FAINT: Final = "#E4E8EC"
PAPER: Final = "#FFFFFF"
# The font that comes with PIL has ASCII and little else.
_SPELLED: Final = {"×": "x", "−": "-", "–": "-", "—": "-", "∞": "inf", "ε": "epsilon", "≤": "<=",
                   "≥": ">="}  # fmt: skip
_ARROW: Final = "→"
MAP_OPACITY: Final = 0.85
"""Of maps over photos: the ends of the scale stand out and the photo below stays visible."""
_LOSSLESS = 256  # px; a larger picture would take minutes on a slow line


def to_image(values: Array) -> Image.Image:
    """(3, H, W) in [0, 1] as an 8-bit RGB image, by the rounding of what is measured."""
    return decoding.to_image(torch.from_numpy(values))


def to_webp(values: Array, *, exact: bool = False) -> bytes:
    """(3, H, W) in [0, 1] as a WebP in its own size, with its exact colours where it is small."""
    image, buffer = to_image(values), io.BytesIO()
    lossless = exact and max(image.size) <= _LOSSLESS
    # More effort would take ten times as long for 3 % fewer bytes: a page draws many of them.
    image.save(buffer, "WEBP", lossless=lossless, quality=20 if lossless else 90, method=1)
    return buffer.getvalue()


def perturbation_image(perturbation: Array, factor: int) -> Image.Image:
    """A (3, H, W) perturbation, times the factor, on mid-grey: no change is grey."""
    return to_image(amplify(perturbation, factor))


def colour_bar(size: tuple[int, int], sign: Sign) -> Image.Image:
    """The colours from low to high as they look over mid-grey, an image of (width, height)."""
    width, height = size
    ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    ground = np.full((3, height, width), 0.5, dtype=np.float32)
    return to_image(overlay(ground, ramp, sign, (0.0, 1.0), MAP_OPACITY))


def draw_scale(
    image: Image.Image,
    corner: tuple[int, int],
    size: tuple[int, int],
    sign: Sign,
    span: Span | None,
) -> None:
    """A colour bar of (width, height) with the values at both ends below it, where all share it."""
    (x, y), (width, height) = corner, size
    image.paste(colour_bar(size, sign), corner)
    if span is None:
        return
    low, high = (f"{value:.2g}" for value in span)
    text = Text(image)
    text.write((x, y + height + 6), low, 15)
    text.write((x + width, y + height + 6), high, 15, align="right")


def map_tile(pixels: Tensor, values: Tensor, sign: Sign, span: Span, side: int) -> Image.Image:
    """A map (H, W) over its photo (3, H, W) in grey, as a square image."""
    blended = overlay(pixels.numpy(), values.numpy(), sign, span, MAP_OPACITY)
    return enlarge(to_image(blended), side)


def write_head(text: Text, corner: tuple[int, int], branch: str, words: str) -> None:
    """A branch's name in its colour, and what else stands above its pictures in grey."""
    x, y = corner
    text.write(corner, branch, 20, colour=branch_colour(branch))
    text.write((x + text.width(f"{branch}  ", 20), y + 2), words, 18, colour=MUTED)


def enlarge(image: Image.Image, side: int, *, smooth: bool = True) -> Image.Image:
    """A square image at another side; not smooth shows each pixel as a block."""
    resampling = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return image.resize((side, side), resampling)


class Text:
    """Writes on an image in PIL's own font."""

    def __init__(self, image: Image.Image) -> None:
        self.draw = ImageDraw.Draw(image)

    def write(
        self,
        corner: tuple[float, float],
        text: str,
        size: int,
        *,
        colour: str = INK,
        width: float | None = None,
        align: Literal["left", "right"] = "left",
    ) -> None:
        """One line, its capitals' top-left (or top-right) corner at ``corner``.

        An arrow is drawn; a text wider than ``width`` is cut off with an ellipsis.
        """
        x, y = corner
        line = self._shorten(text, size, width)
        if align == "right":
            x -= self.width(line, size)
        for index, piece in enumerate(line.split(_ARROW)):
            if index:
                self._arrow(x, y, size, colour)
                x += _arrow_width(size)
            self.draw.text((x, y), spell(piece), colour, _font(size))
            x += self.draw.textlength(spell(piece), _font(size))

    def paragraph(
        self, corner: tuple[float, float], text: str, size: int, width: float, *, colour: str = INK
    ) -> float:
        """Lines broken at spaces; returns the y below the last."""
        x, y = corner
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
        pieces = text.split(_ARROW)
        letters = sum(self.draw.textlength(spell(piece), _font(size)) for piece in pieces)
        return letters + (len(pieces) - 1) * _arrow_width(size)

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
    spelled = "".join(_SPELLED.get(letter, letter) for letter in text)
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", spelled)
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
