"""One picture of all maps: a row per method, a column per branch and input."""

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from advprop_core.attribution.rows import MapRow
from advprop_core.faithfulness.maps import flaw
from advprop_core.pictures import decoding
from advprop_core.report import drawing
from advprop_core.report.colours import Span, branch_colour, colour_span
from advprop_core.text import percent
from advprop_core.types import Comparison, InputKind

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


def row_span(row: MapRow) -> Span:
    """The values at both ends of the colours that the maps of a row share."""
    return colour_span(
        [attribution.values.numpy() for attribution in row.maps.values()], row.method.sign
    )


def draw_map_sheet(
    rows: Sequence[MapRow],
    comparison: Comparison,
    names: Sequence[str],
    title: str,
    subject: str,
    notes: Sequence[str] = (),
) -> Image.Image:
    """Maps in a grid: a row per method, a column per branch and input.

    Args:
        rows: Maps of the same inputs and branches.
        comparison: Holds the inputs and what each branch predicts for them.
        names: Name of each class.
        title: Model and photo.
        subject: What is explained, and how the photo was perturbed.
        notes: What stands below.
    """
    sheet = _Sheet(rows, comparison, names)
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

    def __init__(
        self, rows: Sequence[MapRow], comparison: Comparison, names: Sequence[str]
    ) -> None:
        # All inputs of a branch side by side.
        cells = sorted(rows[0].maps, key=lambda cell: comparison.branches.index(cell[1]))
        tiles = len(cells) * (_TILE + _GAP) - _GAP
        width = max(2 * _MARGIN + _LABEL + tiles, _NARROWEST)
        # Higher than is needed: how long the words are shows as they are written.
        super().__init__(width, (len(rows) + 1) * (_TILE + _GAP) + 1200)
        self.comparison, self.names, self.wide = comparison, names, width - 2 * _MARGIN
        first = width - _MARGIN - tiles
        self.columns = dict(zip(cells, range(first, width, _TILE + _GAP), strict=False))
        self.label = first - _MARGIN - 2 * _GAP

    def heads(self, y: int) -> int:
        """How to read the maps; branch, input, prediction and the input itself."""
        self.paragraph((_MARGIN, y + 70), _READING, 15, self.label, colour=drawing.MUTED)
        for (kind, branch), x in self.columns.items():
            answer = self.comparison.predictions[kind, branch]
            says = f"{percent(answer.confidence)} {self.names[answer.class_index]}"
            self.draw.rectangle([x, y, x + _TILE - 1, y + 3], branch_colour(branch))
            self.head((x, y + 12), branch, f"{kind} photo")
            self.write((x, y + 42), says, 17, width=_TILE)
            self.paste((x, y + 70), decoding.to_image(self._pixels(kind)), _TILE)
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
        for (kind, branch), x in self.columns.items():
            values = row.maps[kind, branch].values
            if undefined := flaw(values):
                self.draw.rectangle([x, y, x + _TILE - 1, y + _TILE - 1], drawing.FAINT)
                words = undefined.reason[:1].upper() + undefined.reason[1:] + "."
                corner, width = (x + _GAP, y + _TILE // 2 - 20), _TILE - 2 * _GAP
                self.paragraph(corner, words, 17, width, colour=drawing.MUTED)
            else:
                tile = drawing.map_image(self._pixels(kind), values, sign, span)
                self.paste((x, y), tile, _TILE)
        return y + _TILE + _GAP

    def _pixels(self, kind: InputKind) -> Tensor:
        return self.comparison.clean if kind == "clean" else self.comparison.adversarial
