"""One picture of a comparison: photos, predictions and maps."""

from collections.abc import Sequence

from PIL import Image

from advprop_core.attribution.methods import METHODS
from advprop_core.compare.experiment import Perturbation
from advprop_core.pictures import decoding
from advprop_core.report import drawing
from advprop_core.report.colours import amplification, branch_colour, map_spans
from advprop_core.report.comparison_words import describe_change, describe_facts, outcome
from advprop_core.types import Comparison, InputKind

_MARGIN = 40
_WIDTH = 1280
_GAP = 24
_WIDE = _WIDTH - 2 * _MARGIN
_TILE = (_WIDE - 2 * _GAP) // 3
_MAP = 264
_HALF = (_WIDE - 2 * _GAP) // 2
_ANSWERS = 5
_SCALES = {
    "each": "Each has its own colour scale",
    "row": "Each branch has its own colour scale",
    "shared": "All share one scale",
}


def draw_comparison(
    comparison: Comparison,
    perturbation: Perturbation | None,
    title: str,
    names: Sequence[str],
    scale: str = "shared",
) -> Image.Image:
    """Clean, perturbation, perturbed; then each branch's maps and predictions.

    Args:
        comparison: What is drawn.
        perturbation: How the photo was changed; None for a photo that was left as it is.
        title: Model and photo.
        names: Name of each class.
        scale: Which maps share their colours, see :func:`~advprop_core.report.colours.map_spans`.
    """
    sheet = _Sheet(comparison, names, scale)
    sheet.write((_MARGIN, 36), title, 30, width=_WIDE)
    y = round(sheet.paragraph((_MARGIN, 84), outcome(comparison, names), 20, _WIDE)) + 18
    y = sheet.photos(y)
    for branch in comparison.branches:
        y = sheet.branch(branch, y)
    y = sheet.legend(describe_change(comparison, perturbation, names), y)
    return sheet.image.crop((0, 0, _WIDTH, y + _MARGIN - 12))


class _Sheet(drawing.Page):
    """Each method draws a part from ``y`` on, and returns where the next one begins."""

    def __init__(self, comparison: Comparison, names: Sequence[str], scale: str) -> None:
        super().__init__(_WIDTH, 4000)  # more than is needed: the rest is cut off
        self.comparison, self.names, self.scale_kind = comparison, names, scale
        if comparison.maps:
            self.first_map = next(iter(comparison.maps.values()))
            self.method = METHODS[self.first_map.method]
            values = {cell: drawn.values.numpy() for cell, drawn in comparison.maps.items()}
            self.spans = map_spans(values, self.method.sign, scale)

    def photos(self, y: int) -> int:
        clean, adversarial = self.comparison.clean, self.comparison.adversarial
        perturbation = (adversarial - clean).numpy()
        factor = amplification(perturbation)
        tiles = (
            ("clean photo", decoding.to_image(clean)),
            (f"perturbation × {factor}", drawing.perturbation_image(perturbation, factor)),
            ("perturbed photo", decoding.to_image(adversarial)),
        )
        for index, (caption, tile) in enumerate(tiles):
            x = _MARGIN + index * (_TILE + _GAP)
            self.write((x, y), caption, 18, colour=drawing.MUTED)
            # Every pixel of the perturbation was chosen: smoothing would hide that.
            self.paste((x, y + 28), tile, _TILE, smooth=index != 1)
        return y + 28 + _TILE + 36

    def branch(self, branch: str, y: int) -> int:
        """One row: a rule in the branch's colour, then (map, bars) for each kind of input."""
        comparison, colour = self.comparison, branch_colour(branch)
        self.draw.rectangle([_MARGIN, y, _WIDTH - _MARGIN - 1, y + 3], colour)
        inputs: tuple[tuple[InputKind, str], ...] = (
            ("clean", "clean"),
            ("adversarial", "perturbed"),
        )
        for position, (kind, words) in enumerate(inputs):
            x = _MARGIN + position * (_HALF + 2 * _GAP)
            self.head((x, y + 14), branch, f"on the {words} photo")
            left = x
            if comparison.maps:
                pixels = comparison.clean if kind == "clean" else comparison.adversarial
                values, span = comparison.maps[kind, branch].values, self.spans[kind, branch]
                tile = drawing.map_image(pixels, values, self.method.sign, span)
                self.paste((x, y + 48), tile, _MAP)
                left += _MAP + 20
            rows = [
                (self.names[index], share, index == comparison.true_class)
                for index, share in _answers(comparison, kind, branch)
            ]
            self.bars((left, y + 48, x + _HALF, y + 48 + _MAP), rows, colour)
        return y + 48 + _MAP + 30

    def legend(self, change: str, y: int) -> int:
        comparison, left = self.comparison, _MARGIN
        facts = describe_facts(comparison)
        lines = [f"Perturbation: {change}.", f"{facts[:1].upper()}{facts[1:]}."]
        if comparison.maps:
            lines.insert(0, self._maps_in_words())
            bar = drawing.colour_bar((_MAP, 14), self.method.sign)
            # Unless all share their colours, the bar means other numbers in each map.
            shared = self.spans[self.first_map.input_kind, self.first_map.branch]
            self.scale((_MARGIN, y + 4), bar, shared if self.scale_kind == "shared" else None)
            left += _MAP + 20
        elif comparison.maps_refused:
            lines.append(f"No maps: {comparison.maps_refused}.")
        if comparison.true_class is not None:
            lines.append(f"A dot marks the true class, {self.names[comparison.true_class]}.")
        below = float(y)
        for line in lines:
            width = _WIDTH - _MARGIN - left
            below = self.paragraph((left, below), line, 16, width, colour=drawing.MUTED) + 4
        return max(round(below), y + 48)

    def _maps_in_words(self) -> str:
        first = self.first_map
        layer = f" at {first.layer}" if first.layer else ""
        classes = {drawn.class_index for drawn in self.comparison.maps.values()}
        what = f"“{self.names[first.class_index]}”" if len(classes) == 1 else "each one's answer"
        return (
            f"Maps: {self.method.title}{layer} for {what}, over the photo in grey. "
            f"{_SCALES[self.scale_kind]}, which ends at the 99th percentile."
        )


def _answers(comparison: Comparison, kind: InputKind, branch: str) -> list[tuple[int, float]]:
    """The most probable classes; the true one takes the last place where it is none of them."""
    prediction, truth = comparison.predictions[kind, branch], comparison.true_class
    top = [*prediction.top(_ANSWERS)]
    if truth is not None and all(index != truth for index, _ in top):
        top = [*top[: _ANSWERS - 1], (truth, float(prediction.probabilities[truth]))]
    return top
