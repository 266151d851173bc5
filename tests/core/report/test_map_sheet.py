"""The picture of all maps."""

import numpy as np
import pytest
import torch
from PIL import ImageColor

from advprop_core.attribution.methods import METHODS
from advprop_core.attribution.rows import MapRow
from advprop_core.report import drawing
from advprop_core.report.colours import COLOUR_SCALES
from advprop_core.report.map_sheet import _TILE, draw_map_sheet, row_span
from advprop_core.types import AttributionMap, Comparison, PerturbationFacts, Prediction

WORDS = ("a model on a photo", "Maps for “tench”.", ["Left out: CAM."])


def make_row(method, values, layer=None):
    """(kind, branch) to a map, or to the number that it is everywhere."""
    maps = {
        (kind, branch): AttributionMap(
            torch.as_tensor(one).float().expand(8, 8), method, branch, kind, 0, layer
        )
        for (kind, branch), one in values.items()
    }
    return MapRow(method, METHODS[method], layer, maps)


def draw(rows):
    """On black photos, with a prediction for every map of the first row."""
    answer = Prediction(torch.zeros(1), torch.ones(1))
    facts = PerturbationFacts(0.0, 0.0, 0.0, 0.0, {}, None)
    black = torch.zeros(3, 8, 8)
    answers = dict.fromkeys(rows[0].maps, answer)
    comparison = Comparison(black, black, answers, {}, facts, None, 0, "main")
    return draw_map_sheet(rows, comparison, ["tench"], *WORDS)


def shades(image):
    return {tuple(one) for one in np.asarray(image).reshape(-1, 3)}


def test_branches_have_their_colours():
    cells = [("clean", "main"), ("clean", "aux")]
    ramp = torch.linspace(0, 1, 64).view(8, 8)
    grey_levels = shades(draw([make_row("saliency", dict.fromkeys(cells, ramp))]))
    assert ImageColor.getrgb("#0072B2") in grey_levels
    assert ImageColor.getrgb("#D55E00") in grey_levels


def test_the_colours_of_a_row_are_shared_by_its_maps():
    cells = [("clean", "main"), ("clean", "aux")]
    ramp = torch.linspace(0, 1, 64).view(8, 8)
    row = make_row("saliency", {cells[0]: ramp, cells[1]: ramp / 10})
    image = np.asarray(draw([row]))
    bottom, right = image.shape[0] - 80, image.shape[1] - 40  # above the note, left of the margin
    aux = image[bottom - 100 : bottom, right - _TILE : right]
    main = image[bottom - 100 : bottom, right - 2 * _TILE - 16 : right - _TILE - 16]
    assert row_span(row) == (0.0, pytest.approx(0.98, abs=0.01))
    assert main[..., 0].mean() > 2 * aux[..., 0].mean()  # yellow against dark blue


def test_a_map_that_says_nothing_is_said_in_words():
    cells = [("clean", "main")]
    empty = draw([make_row("saliency", {cells[0]: 0.0})])
    assert ImageColor.getrgb(drawing.FAINT) in shades(empty)
    dark = ImageColor.getrgb(COLOUR_SCALES["magnitude"][0])
    assert dark not in shades(empty)


def test_it_grows_with_rows_and_columns():
    ramp = torch.linspace(0, 1, 64).view(8, 8)
    cells = [
        (kind, branch) for branch in ("main", "aux", "aux2") for kind in ("clean", "adversarial")
    ]
    rows = [make_row("hires-cam", dict.fromkeys(cells, ramp), layer) for layer in ("s1", "s2")]
    wide = draw(rows)
    narrow = draw([make_row("hires-cam", {cells[0]: ramp}, "s1")])
    assert narrow.width == 900
    assert wide.width == 2 * 40 + 290 + 6 * 236 - 16
    assert wide.height - narrow.height == pytest.approx(236, abs=60)


def test_signed_rows_have_a_symmetric_span():
    ramp = torch.linspace(-1, 0.5, 64).view(8, 8)
    low, high = row_span(make_row("hires-cam", {("clean", "main"): ramp}, "s3"))
    assert low == -high
