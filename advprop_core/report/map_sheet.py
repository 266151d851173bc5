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
    tiles = len(columns) * (_TILE + _GAP) - _GAP
    width = max(2 * _MARGIN + _LABEL + tiles, _NARROWEST)
    page = _Page(width, width - _MARGIN - tiles, (len(rows) + 1) * (_TILE + _GAP) + 1200)
    page.text.write((_MARGIN, 36), title, 30, width=page.wide)
    y = round(page.text.paragraph((_MARGIN, 84), subject, 20, page.wide)) + 20
    y = _draw_heads(page, columns, y)
    for row in rows:
        y = _draw_row(page, row, columns, y)
    for note in notes:
        corner = (_MARGIN, y + 6)
        y = round(page.text.paragraph(corner, note, 16, page.wide, colour=drawing.MUTED))
    return page.canvas.crop((0, 0, width, y + _MARGIN - 12))


class _Page:
    """The canvas, and where its columns are."""

    def __init__(self, width: int, first: int, height: int) -> None:
        self.canvas = Image.new("RGB", (width, height), drawing.PAPER)
        self.text = drawing.Text(self.canvas)
        self.wide = width - 2 * _MARGIN
        self.label = first - _MARGIN - 2 * _GAP
        self.first = first

    def left(self, column: int) -> int:
        return self.first + column * (_TILE + _GAP)


def _draw_heads(page: _Page, columns: Sequence[Column], y: int) -> int:
    """How to read the maps; branch, input, prediction and the input itself."""
    page.text.paragraph((_MARGIN, y + 70), _READING, 15, page.label, colour=drawing.MUTED)
    for position, column in enumerate(columns):
        x = page.left(position)
        page.text.draw.rectangle([x, y, x + _TILE - 1, y + 3], branch_colour(column.branch))
        drawing.write_head(page.text, (x, y + 12), column.branch, f"{column.kind} photo")
        page.text.write((x, y + 42), column.says, 17, width=_TILE)
        photo = drawing.enlarge(decoding.to_image(column.pixels), _TILE)
        page.canvas.paste(photo, (x, y + 70))
    return y + 70 + _TILE + _GAP


def _draw_row(page: _Page, row: MapRow, columns: Sequence[Column], y: int) -> int:
    """Name, what it measures and the scale; then the maps."""
    below = page.text.paragraph((_MARGIN, y + 2), row.method.title, 20, page.label)
    if row.layer:
        page.text.write((_MARGIN, below), f"at {row.layer}", 17, width=page.label)
        below += 26
    measures = row.method.sentence.partition(". ")[0].rstrip(".") + "."
    corner = (_MARGIN, below + 2)
    below = page.text.paragraph(corner, measures, 14, page.label, colour=drawing.MUTED)
    corner = (_MARGIN, round(below) + 10)
    drawing.draw_scale(page.canvas, corner, (_TILE, 12), row.method.sign, row_span(row))
    for index, column in enumerate(columns):
        page.canvas.paste(_tile(row, column), (page.left(index), y))
    return y + _TILE + _GAP


def _tile(row: MapRow, column: Column) -> Image.Image:
    """The map over the photo in grey; one that says nothing is said in words."""
    values = row.maps[column.kind, column.branch].values
    if undefined := flaw(values):
        tile = Image.new("RGB", (_TILE, _TILE), drawing.FAINT)
        words = undefined.reason[:1].upper() + undefined.reason[1:] + "."
        corner = (_GAP, _TILE // 2 - 20)
        drawing.Text(tile).paragraph(corner, words, 17, _TILE - 2 * _GAP, colour=drawing.MUTED)
        return tile
    return drawing.map_tile(column.pixels, values, row.method.sign, row_span(row), _TILE)
