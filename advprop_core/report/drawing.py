"""Pictures with PIL: maps and perturbations as images; pages with text, tiles and bars."""

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
_SPELLED: Final = str.maketrans(
    {"×": "x", "−": "-", "–": "-", "—": "-", "∞": "inf", "ε": "epsilon", "≤": "<=", "≥": ">=",
     "→": "->"}
)  # fmt: skip
MAP_OPACITY: Final = 0.85
"""Of maps over photos: the ends of the scale stand out and the photo below stays visible."""
Corner = tuple[float, float]
"""x from the left and y from the top, in pixels."""
_ARROW, _ARROW_WIDTH = "→", 1.1  # of the size of the letters
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


def map_image(pixels: Tensor, values: Tensor, sign: Sign, span: Span) -> Image.Image:
    """A map (H, W) over its photo (3, H, W) in grey."""
    return to_image(overlay(pixels.numpy(), values.numpy(), sign, span, MAP_OPACITY))


def enlarge(image: Image.Image, side: int, *, smooth: bool = True) -> Image.Image:
    """A square image at another side; not smooth shows each pixel as a block."""
    resampling = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return image.resize((side, side), resampling)


def spell(text: str) -> str:
    """The text in letters that PIL's own font has: ``é`` as ``e``, ``×`` as ``x``."""
    return "".join(
        letter if letter.isascii() or letter in "…·“”’±" else "?"
        for letter in unicodedata.normalize("NFKD", text.translate(_SPELLED))
        if not unicodedata.combining(letter)
    )


class Page:
    """A white picture that is drawn on, with text in PIL's own font; corners are top left."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def write(
        self,
        corner: Corner,
        text: str,
        size: int,
        *,
        colour: str = INK,
        width: float | None = None,
        align: Literal["left", "right"] = "left",
    ) -> None:
        """One line; ``align`` says which end of it is at the corner.

        An arrow is drawn, for PIL's font has none. A text wider than ``width`` is cut off with an
        ellipsis.
        """
        line = text
        while width is not None and text and self.width(line, size) > width:
            text = text[:-1].rstrip()
            line = f"{text}…"
        x, y = corner
        x -= self.width(line, size) if align == "right" else 0
        for index, piece in enumerate(line.split(_ARROW)):
            if index:
                self._arrow(x, y, size, colour)
                x += _ARROW_WIDTH * size
            self.draw.text((x, y), spell(piece), colour, ImageFont.load_default(size))
            x += self.width(piece, size)

    def paragraph(
        self, corner: Corner, text: str, size: int, width: float, *, colour: str = INK
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
        pieces, font = text.split(_ARROW), ImageFont.load_default(size)
        arrows = (len(pieces) - 1) * _ARROW_WIDTH * size
        return arrows + sum(self.draw.textlength(spell(piece), font) for piece in pieces)

    def _arrow(self, x: float, y: float, size: int, colour: str) -> None:
        left, right = x + 0.12 * size, x + (_ARROW_WIDTH - 0.12) * size
        middle, head, thick = y + 0.62 * size, 0.22 * size, max(1, round(size / 12))
        self.draw.line([(left, middle), (right, middle)], colour, thick)
        for tip in (-head, head):
            self.draw.line([(right - head, middle + tip), (right, middle)], colour, thick)

    def paste(
        self, corner: tuple[int, int], image: Image.Image, side: int, *, smooth: bool = True
    ) -> None:
        """A square image at this side; not smooth shows each pixel as a block."""
        self.image.paste(enlarge(image, side, smooth=smooth), corner)

    def head(self, corner: Corner, branch: str, words: str) -> None:
        """A branch's name in its colour, and what else stands above its pictures in grey."""
        x, y = corner
        self.write(corner, branch, 20, colour=branch_colour(branch))
        self.write((x + self.width(f"{branch}  ", 20), y + 2), words, 18, colour=MUTED)

    def scale(self, corner: tuple[int, int], bar: Image.Image, span: Span | None) -> None:
        """A colour bar with the values at both ends below it, where all share them."""
        self.image.paste(bar, corner)
        if span is not None:
            x, y = corner[0], corner[1] + bar.height + 6
            self.write((x, y), f"{span[0]:.2g}", 15)
            self.write((x + bar.width, y), f"{span[1]:.2g}", 15, align="right")

    def bars(
        self,
        box: tuple[int, int, int, int],
        rows: Sequence[tuple[str, float, bool]],
        colour: str,
    ) -> None:
        """Probabilities as horizontal bars, each under its name.

        Args:
            box: (left, top, right, bottom), shared evenly by the rows, of which it holds at least
                five.
            rows: (name, probability in [0, 1], whether it is the true class), best first.
            colour: Of the bars; the true class gets a dot of ink before its name.
        """
        left, top, right, bottom = box
        height = (bottom - top) / max(len(rows), 5)
        for index, (name, probability, is_true) in enumerate(rows):
            y = top + index * height
            indent = 0
            if is_true:
                self.draw.ellipse([left, y + 7, left + 8, y + 15], fill=INK)
                indent = 15
            strong = INK if index == 0 or is_true else MUTED
            width = right - left - indent - 62  # beside the percentage
            self.write((left + indent, y), name, 17, colour=strong, width=width)
            self.write((right, y), percent(probability), 17, colour=strong, align="right")
            y += 25
            self.draw.rounded_rectangle([left, y, right, y + 9], 4, fill=FAINT)
            if (length := probability * (right - left)) >= 1:
                # PIL draws no corner that is rounder than the bar is long.
                radius = min(4, length / 2)
                self.draw.rounded_rectangle([left, y, left + length, y + 9], radius, colour)
