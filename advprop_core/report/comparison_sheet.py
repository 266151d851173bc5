"""One picture of a comparison: photos, predictions and maps."""

from dataclasses import dataclass

from PIL import Image

from advprop_core.attribution.methods import METHODS
from advprop_core.pictures import decoding
from advprop_core.report import drawing
from advprop_core.report.colours import Cell, Sign, Span, amplification, branch_colour, map_spans
from advprop_core.types import Comparison, InputKind

_MARGIN = 40
_WIDTH = 1280
_GAP = 24
_TILE = (_WIDTH - 2 * _MARGIN - 2 * _GAP) // 3
_MAP = 264
_HALF = (_WIDTH - 2 * _MARGIN - 2 * _GAP) // 2
_ANSWERS = 5
_SCALES = {
    "each": "Each has its own colour scale",
    "row": "Each branch has its own colour scale",
    "shared": "All share one scale",
}
_KINDS: tuple[tuple[InputKind, str], ...] = (("clean", "clean"), ("adversarial", "perturbed"))


@dataclass(frozen=True)
class Captions:
    """The words on the picture.

    Attributes:
        title: Model and photo.
        outcome: What happened, in a sentence.
        perturbation: How it was made.
        facts: The measured figures.
        names: Name of each class.
        scale: Which maps share their colours, see :func:`~advprop_core.report.colours.map_spans`.
    """

    title: str
    outcome: str
    perturbation: str
    facts: str
    names: tuple[str, ...]
    scale: str = "shared"


def draw_comparison(comparison: Comparison, captions: Captions) -> Image.Image:
    """Clean, perturbation, perturbed; then each branch's maps and predictions."""
    canvas = Image.new("RGB", (_WIDTH, 4000), drawing.PAPER)
    text = drawing.Text(canvas)
    wide = _WIDTH - 2 * _MARGIN
    text.write((_MARGIN, 36), captions.title, 30, width=wide)
    y = text.paragraph((_MARGIN, 84), captions.outcome, 20, wide)
    y = _draw_photos(canvas, comparison, captions, round(y) + 18)
    for branch in comparison.branches:
        y = _draw_branch(canvas, comparison, captions, branch, y)
    y = _draw_legend(canvas, comparison, captions, y)
    return canvas.crop((0, 0, _WIDTH, y + _MARGIN - 12))


def _draw_photos(canvas: Image.Image, comparison: Comparison, captions: Captions, y: int) -> int:
    perturbation = (comparison.adversarial - comparison.clean).numpy()
    factor = amplification(perturbation)
    noise = drawing.perturbation_image(perturbation, factor)
    tiles = (
        ("clean photo", drawing.enlarge(decoding.to_image(comparison.clean), _TILE)),
        (f"perturbation × {factor}", drawing.enlarge(noise, _TILE, smooth=False)),
        ("perturbed photo", drawing.enlarge(decoding.to_image(comparison.adversarial), _TILE)),
    )
    text = drawing.Text(canvas)
    for index, (caption, tile) in enumerate(tiles):
        x = _MARGIN + index * (_TILE + _GAP)
        text.write((x, y), caption, 18, colour=drawing.MUTED)
        canvas.paste(tile, (x, y + 28))
    return y + 28 + _TILE + 36


def _draw_branch(
    canvas: Image.Image,
    comparison: Comparison,
    captions: Captions,
    branch: str,
    y: int,
) -> int:
    """One row: a rule in the branch's colour, then (map, bars) for each kind of input."""
    text = drawing.Text(canvas)
    colour, names = branch_colour(branch), captions.names
    spans = _spans(comparison, captions.scale)
    text.draw.rectangle([_MARGIN, y, _WIDTH - _MARGIN - 1, y + 3], colour)
    for position, (kind, words) in enumerate(_KINDS):
        x = _MARGIN + position * (_HALF + 2 * _GAP)
        drawing.write_head(text, (x, y + 14), branch, f"on the {words} photo")
        pixels = comparison.clean if kind == "clean" else comparison.adversarial
        left = x
        if comparison.maps:
            values = comparison.maps[kind, branch].values
            tile = drawing.map_tile(pixels, values, _sign(comparison), spans[kind, branch], _MAP)
            canvas.paste(tile, (x, y + 48))
            left += _MAP + 20
        rows = [
            (names[index], share, index == comparison.true_class)
            for index, share in _answers(comparison, kind, branch)
        ]
        box = (left, y + 48, x + _HALF, y + 48 + _MAP)
        drawing.bars(canvas, box, rows, colour)
    return y + 48 + _MAP + 30


def _answers(comparison: Comparison, kind: InputKind, branch: str) -> list[tuple[int, float]]:
    """The most probable classes; the true one takes the last place where it is none of them."""
    prediction, truth = comparison.predictions[kind, branch], comparison.true_class
    top = [*prediction.top(_ANSWERS)]
    if truth is not None and all(index != truth for index, _ in top):
        top = [*top[: _ANSWERS - 1], (truth, float(prediction.probabilities[truth]))]
    return top


def _draw_legend(canvas: Image.Image, comparison: Comparison, captions: Captions, y: int) -> int:
    text = drawing.Text(canvas)
    left = _MARGIN
    lines = [
        f"Perturbation: {captions.perturbation}.",
        f"{captions.facts[:1].upper()}{captions.facts[1:]}.",
    ]
    if comparison.maps:
        lines.insert(0, _draw_scale(canvas, comparison, captions, y))
        left += _MAP + 20
    elif comparison.maps_refused:
        lines.append(f"No maps: {comparison.maps_refused}.")
    if comparison.true_class is not None:
        lines.append(f"A dot marks the true class, {captions.names[comparison.true_class]}.")
    below = float(y)
    for line in lines:
        corner = (left, below)
        below = text.paragraph(corner, line, 16, _WIDTH - _MARGIN - left, colour=drawing.MUTED) + 4
    return max(round(below), y + 48)


def _draw_scale(canvas: Image.Image, comparison: Comparison, captions: Captions, y: int) -> str:
    """The colour bar of the maps, and what it belongs to."""
    first = next(iter(comparison.maps.values()))
    method = METHODS[first.method]
    corner, size = (_MARGIN, y + 4), (_MAP, 14)
    span = _spans(comparison, captions.scale)[first.input_kind, first.branch]
    is_shared = captions.scale == "shared"  # else the bar has other numbers in each map
    drawing.draw_scale(canvas, corner, size, method.sign, span if is_shared else None)
    layer = f" at {first.layer}" if first.layer else ""
    classes = {drawn.class_index for drawn in comparison.maps.values()}
    what = f"“{captions.names[first.class_index]}”" if len(classes) == 1 else "each one's answer"
    return (
        f"Maps: {method.title}{layer} for {what}, over the photo in grey. "
        f"{_SCALES[captions.scale]}, which ends at the 99th percentile."
    )


def _sign(comparison: Comparison) -> Sign:
    return METHODS[next(iter(comparison.maps.values())).method].sign


def _spans(comparison: Comparison, scale: str) -> dict[Cell, Span]:
    if not comparison.maps:
        return {}
    values = {cell: drawn.values.numpy() for cell, drawn in comparison.maps.items()}
    return map_spans(values, _sign(comparison), scale)
