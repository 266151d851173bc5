"""One picture of what predictions rest on, and one of the mean influence between classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from advprop_core.report import drawing
from advprop_core.report.colours import Array, Span, branch_colour, colour_span, colourise

_MARGIN: Final = 40
_LABEL: Final = 240  # width of the column that says whose training images these are
_TILE: Final = 120
_GAP: Final = 12
_BLOCK_GAP: Final = 36  # between helpful and harmful images
_MATRIX: Final = 360
_HEADS: Final = ("Helpful: they lower the loss", "Harmful: they raise the loss")


@dataclass(frozen=True)
class Tile:
    """One training image.

    Attributes:
        picture: The image.
        class_name: Its label.
        score: Its influence, in words.
    """

    picture: Image.Image
    class_name: str
    score: str


@dataclass(frozen=True)
class Strip:
    """The training images that one prediction rests on.

    Attributes:
        model: Name of the network.
        branch: Name of the branch.
        says: Its answer, in words.
        meant: Whose loss is meant, in words.
        helpful: Most helpful first.
        harmful: Most harmful first.
    """

    model: str
    branch: str
    says: str
    meant: str
    helpful: Sequence[Tile]
    harmful: Sequence[Tile]


def draw_influence_sheet(
    photo: Image.Image, strips: Sequence[Strip], title: str, subject: str
) -> Image.Image:
    """The photo, and below it a row of helpful and harmful training images for each branch."""
    most = max([len(side) for s in strips for side in (s.helpful, s.harmful)] + [3])
    block = most * (_TILE + _GAP) - _GAP
    width = 2 * _MARGIN + _LABEL + 2 * block + _BLOCK_GAP
    row_height = _TILE + 56
    top = 290
    canvas = Image.new("RGB", (width, top + len(strips) * row_height + _MARGIN), drawing.PAPER)
    text = drawing.Text(canvas)
    text.write((_MARGIN, 36), title, 30, width=width - 2 * _MARGIN)
    canvas.paste(drawing.enlarge(photo, 160), (_MARGIN, 86))
    text.paragraph((_MARGIN + _LABEL, 90), subject, 20, width - 2 * _MARGIN - _LABEL)
    blocks = (_MARGIN + _LABEL, _MARGIN + _LABEL + block + _BLOCK_GAP)
    for x, head in zip(blocks, _HEADS, strict=True):
        text.write((x, top - 34), head, 20, width=block)
    for number, strip in enumerate(strips):
        y = top + number * row_height
        _write_label(text, strip, y)
        for x, tiles in zip(blocks, (strip.helpful, strip.harmful), strict=True):
            if not tiles:
                text.write((x, y + 8), "none", 17, colour=drawing.MUTED)
            for position, tile in enumerate(tiles):
                _draw_tile(canvas, text, tile, x + position * (_TILE + _GAP), y)
    return canvas


def _write_label(text: drawing.Text, strip: Strip, y: int) -> None:
    wide = _LABEL - 2 * _GAP
    colour = branch_colour(strip.branch)
    text.draw.rectangle([_MARGIN, y, _MARGIN + wide, y + 3], colour)
    text.write((_MARGIN, y + 12), strip.branch, 20, colour=colour, width=wide)
    text.write((_MARGIN, y + 40), strip.model, 17, colour=drawing.MUTED, width=wide)
    below = text.paragraph((_MARGIN, y + 66), strip.says, 17, wide)
    text.paragraph((_MARGIN, below + 2), strip.meant, 15, wide, colour=drawing.MUTED)


def _draw_tile(canvas: Image.Image, text: drawing.Text, tile: Tile, x: int, y: int) -> None:
    canvas.paste(drawing.enlarge(tile.picture, _TILE), (x, y))
    text.write((x, y + _TILE + 6), tile.class_name, 16, width=_TILE)
    text.write((x, y + _TILE + 26), tile.score, 14, colour=drawing.MUTED, width=_TILE)


def draw_matrices(
    matrices: Sequence[tuple[str, str, Array]], class_names: Sequence[str], title: str
) -> Image.Image:
    """Mean influence of training classes (across) on test classes (down), a square per branch.

    ``matrices`` are model, branch, and (C, C) values, in class-index order.
    """
    label = 150
    wide = _MATRIX + label + _BLOCK_GAP
    size = (2 * _MARGIN + len(matrices) * wide, _MARGIN + 130 + _MATRIX + 80)
    canvas = Image.new("RGB", size, drawing.PAPER)
    text = drawing.Text(canvas)
    text.write((_MARGIN, 36), title, 26, width=size[0] - 2 * _MARGIN)
    for number, (model, branch, values) in enumerate(matrices):
        x, y = _MARGIN + number * wide + label, _MARGIN + 110
        drawing.write_head(text, (x, y - 34), branch, model)
        span = colour_span([values.astype(np.float32)], "signed")
        square = drawing.to_image(colourise(values.astype(np.float32), "signed", span))
        canvas.paste(drawing.enlarge(square, _MATRIX, smooth=False), (x, y))
        step = _MATRIX / len(class_names)
        if step >= 14:
            for row, name in enumerate(class_names):
                corner = (x - 8, y + (row + 0.5) * step - 8)
                text.write(corner, name, 14, width=label - 16, align="right")
        _draw_scale(canvas, text, (x, y + _MATRIX + 14), span)
    return canvas


def _draw_scale(
    canvas: Image.Image, text: drawing.Text, corner: tuple[int, int], span: Span
) -> None:
    """The colours of a matrix, with the values at both ends below."""
    ramp = np.tile(np.linspace(*span, _MATRIX, dtype=np.float32), (12, 1))
    canvas.paste(drawing.to_image(colourise(ramp, "signed", span)), corner)
    x, y = corner
    text.write((x, y + 18), f"{span[0]:.2g}", 15)
    text.write((x + _MATRIX, y + 18), f"{span[1]:.2g}", 15, align="right")
