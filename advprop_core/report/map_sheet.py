"""One picture of all maps: a row per method, a column per branch and input."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from advprop_core.attribution.rows import MapRow
from advprop_core.faithfulness.maps import flaw
from advprop_core.pictures import decoding
from advprop_core.report import drawing
from advprop_core.report.colours import Span, branch_colour, colour_span
from advprop_core.types import InputKind

_MARGIN = 40
_LABEL = 290  # width of the column with names and scales; wider where the page has room
_TILE = 220
_GAP = 16
_NARROWEST = 900  # so that the words at the top have room
_READING = (
    "The maps of a row share one colour scale, which ends at the 99th percentile of their values. "
    "Yellow is much. Where a map has a sign, blue is negative and orange is positive. Where a map "
    "is near zero, the photo shows through in grey."
)


@dataclass(frozen=True)
class Column:
    """What all the maps below one another are of.

    Attributes:
        kind: Kind of input.
        branch: Which branch.
        pixels: (3, H, W) of the input.
        says: What the branch predicts, in words.
    """

    kind: InputKind
    branch: str
    pixels: Tensor
    says: str


def row_span(row: MapRow) -> Span:
    """The values at both ends of the colours that the maps of a row share."""
    return colour_span(
        [attribution.values.numpy() for attribution in row.maps.values()], row.method.sign
    )


def draw_map_sheet(
    rows: Sequence[MapRow],
    columns: Sequence[Column],
    title: str,
    subject: str,
    notes: Sequence[str] = (),
) -> Image.Image:
    """Maps in a grid: a row per method, a column per branch and input.

    The title is model and photo; the subject is what is explained, and how the photo was perturbed;
    notes stand below.
    """
    sheet = _Sheet(columns, len(rows))
    sheet.write((_MARGIN, 36), title, 30, width=sheet.wide)
    y = round(sheet.paragraph((_MARGIN, 84), subject, 20, sheet.wide)) + 20
    y = sheet.heads(y)
    for row in rows:
        y = sheet.row(row, y)
    for note in notes:
        below = sheet.paragraph((_MARGIN, y + 6), note, 16, sheet.wide, colour=drawing.MUTED)
        y = round(below)
    return sheet.image.crop((0, 0, sheet.image.width, y + _MARGIN - 12))


class _Sheet(drawing.Page):
    """Words at the left, columns of tiles at the right; what draws returns the y below it."""

    def __init__(self, columns: Sequence[Column], rows: int) -> None:
        tiles = len(columns) * (_TILE + _GAP) - _GAP
        width = max(2 * _MARGIN + _LABEL + tiles, _NARROWEST)
        super().__init__(width, (rows + 1) * (_TILE + _GAP) + 1200)
        self.columns, self.wide = columns, width - 2 * _MARGIN
        first = width - _MARGIN - tiles
        self.lefts = range(first, first + tiles, _TILE + _GAP)
        self.label = first - _MARGIN - 2 * _GAP

    def heads(self, y: int) -> int:
        """How to read the maps; branch, input, prediction and the input itself."""
        self.paragraph((_MARGIN, y + 70), _READING, 15, self.label, colour=drawing.MUTED)
        for x, column in zip(self.lefts, self.columns, strict=True):
            self.draw.rectangle([x, y, x + _TILE - 1, y + 3], branch_colour(column.branch))
            self.head((x, y + 12), column.branch, f"{column.kind} photo")
            self.write((x, y + 42), column.says, 17, width=_TILE)
            self.paste((x, y + 70), decoding.to_image(column.pixels), _TILE)
        return y + 70 + _TILE + _GAP

    def row(self, row: MapRow, y: int) -> int:
        """Name, what it measures and the scale; then the maps, or why there is nothing to see."""
        below = self.paragraph((_MARGIN, y + 2), row.method.title, 20, self.label)
        if row.layer:
            self.write((_MARGIN, below), f"at {row.layer}", 17, width=self.label)
            below += 26
        measures = row.method.sentence.partition(". ")[0].rstrip(".") + "."
        corner = (_MARGIN, below + 2)
        below = self.paragraph(corner, measures, 14, self.label, colour=drawing.MUTED)
        sign, span = row.method.sign, row_span(row)
        self.scale((_MARGIN, round(below) + 10), drawing.colour_bar((_TILE, 12), sign), span)
        for x, column in zip(self.lefts, self.columns, strict=True):
            values = row.maps[column.kind, column.branch].values
            if undefined := flaw(values):
                self.draw.rectangle([x, y, x + _TILE - 1, y + _TILE - 1], drawing.FAINT)
                words = undefined.reason[:1].upper() + undefined.reason[1:] + "."
                corner, width = (x + _GAP, y + _TILE // 2 - 20), _TILE - 2 * _GAP
                self.paragraph(corner, words, 17, width, colour=drawing.MUTED)
            else:
                tile = drawing.map_image(column.pixels, values, sign, span)
                self.paste((x, y), tile, _TILE)
        return y + _TILE + _GAP
