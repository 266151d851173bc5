"""One picture of what predictions rest on, and one of the mean influence between classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from advprop_core.datasets.listed import ImageList
from advprop_core.influence.tracer import Rest
from advprop_core.report import drawing
from advprop_core.report.colours import Array, branch_colour, colour_span, colourise
from advprop_core.text import percent

_MARGIN: Final = 40
_LABEL: Final = 240  # width of the column that says whose training images these are
_PHOTO: Final = 160
_TILE: Final = 120
_GAP: Final = 12
_BLOCK_GAP: Final = 36  # between helpful and harmful images
_MATRIX: Final = 360
_HEADS: Final = ("Helpful: they lower the loss", "Harmful: they raise the loss")


@dataclass(frozen=True)
class Traced:
    """A prediction, and the training images that it rests on most.

    Attributes:
        model: Name of the network.
        branch: Name of the branch.
        images: All training images.
        rest: What the prediction rests on.
        top: How many images of either side are shown.
    """

    model: str
    branch: str
    images: ImageList
    rest: Rest
    top: int

    @property
    def sides(self) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """(place, score) of the most helpful images, and of the most harmful ones."""
        return self.rest.helpful(self.top), self.rest.harmful(self.top)

    @property
    def answer(self) -> str:
        """``church (93 %)``."""
        name = self.images.classes[self.rest.answer][1]
        return f"{name} ({percent(self.rest.probability)})"

    @property
    def explained(self) -> str:
        """Name of the class whose loss is meant."""
        return self.images.classes[self.rest.class_index][1]

    def label(self, image_index: int) -> tuple[str, str]:
        """(id, name) of a training image's class."""
        return self.images.classes[int(self.images.labels[image_index])]


def write_score(score: float) -> str:
    """``+0.012``, ``−3``."""
    return f"{score:+.2g}".replace("-", "−")


def draw_influence_sheet(
    photo: Image.Image, predictions: Sequence[Traced], title: str, subject: str, unit: str
) -> Image.Image:
    """The photo, and below it a row of helpful and harmful training images for each branch.

    ``unit`` stands behind each score.
    """
    # At least three tiles, so that the headings have room.
    most = max([len(side) for traced in predictions for side in traced.sides] + [3])
    block = most * (_TILE + _GAP) - _GAP
    width = 2 * _MARGIN + _LABEL + 2 * block + _BLOCK_GAP
    row_height, top = _TILE + 56, 290
    page = drawing.Page(width, top + len(predictions) * row_height + _MARGIN)
    page.write((_MARGIN, 36), title, 30, width=width - 2 * _MARGIN)
    page.paste((_MARGIN, 86), photo, _PHOTO)
    page.paragraph((_MARGIN + _LABEL, 90), subject, 20, width - 2 * _MARGIN - _LABEL)
    blocks = (_MARGIN + _LABEL, _MARGIN + _LABEL + block + _BLOCK_GAP)
    for x, head in zip(blocks, _HEADS, strict=True):
        page.write((x, top - 34), head, 20, width=block)
    for number, traced in enumerate(predictions):
        y = top + number * row_height
        _write_label(page, traced, y)
        for left, side in zip(blocks, traced.sides, strict=True):
            if not side:
                page.write((left, y + 8), "none", 17, colour=drawing.MUTED)
            for position, (image_index, score) in enumerate(side):
                x = left + position * (_TILE + _GAP)
                page.paste((x, y), traced.images.picture(image_index, _PHOTO), _TILE)
                page.write((x, y + _TILE + 6), traced.label(image_index)[1], 16, width=_TILE)
                words = f"{write_score(score)}{unit}"
                corner = (x, y + _TILE + 26)
                page.write(corner, words, 14, colour=drawing.MUTED, width=_TILE)
    return page.image


def _write_label(page: drawing.Page, traced: Traced, y: int) -> None:
    wide = _LABEL - 2 * _GAP
    colour = branch_colour(traced.branch)
    page.draw.rectangle([_MARGIN, y, _MARGIN + wide, y + 3], colour)
    page.write((_MARGIN, y + 12), traced.branch, 20, colour=colour, width=wide)
    page.write((_MARGIN, y + 40), traced.model, 17, colour=drawing.MUTED, width=wide)
    below = page.paragraph((_MARGIN, y + 66), f"says {traced.answer}", 17, wide)
    corner = (_MARGIN, below + 2)
    page.paragraph(corner, f"loss of {traced.explained}", 15, wide, colour=drawing.MUTED)


def draw_matrices(
    matrices: Sequence[tuple[str, str, Array]], class_names: Sequence[str], title: str
) -> Image.Image:
    """Mean influence of training classes (across) on test classes (down), a square per branch.

    ``matrices`` are model, branch, and (C, C) float32 values, in class-index order.
    """
    label = 150
    wide = _MATRIX + label + _BLOCK_GAP
    page = drawing.Page(2 * _MARGIN + len(matrices) * wide, _MARGIN + 130 + _MATRIX + 80)
    page.write((_MARGIN, 36), title, 26, width=page.image.width - 2 * _MARGIN)
    for number, (model, branch, values) in enumerate(matrices):
        x, y = _MARGIN + number * wide + label, _MARGIN + 110
        page.head((x, y - 34), branch, model)
        span = colour_span([values], "signed")
        square = drawing.to_image(colourise(values, "signed", span))
        page.paste((x, y), square, _MATRIX, smooth=False)
        step = _MATRIX / len(class_names)
        if step >= 14:  # else the names would overlap
            for row, name in enumerate(class_names):
                corner = (x - 8, y + (row + 0.5) * step - 8)
                page.write(corner, name, 14, width=label - 16, align="right")
        ramp = np.tile(np.linspace(*span, _MATRIX, dtype=np.float32), (12, 1))
        bar = drawing.to_image(colourise(ramp, "signed", span))
        page.scale((x, y + _MATRIX + 14), bar, span)
    return page.image
