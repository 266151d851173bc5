"""Accuracies as figures."""

import pytest

from advprop_core.report import grids, plots
from advprop_core.report.colours import branch_colour
from app.figures import robustness as figures
from app.figures.style import INK
from tests.core.evaluation.rows import corrupted, make_row

BLUE, ORANGE = "#0072B2", "#D55E00"


def test_a_difference_has_its_zero_in_the_middle():
    gains = {("fog", 1): 0.0, ("fog", 3): 0.2, ("jpeg_compression", 1): -0.1}
    (cells,) = figures.difference(gains).data
    assert cells.z[0] == pytest.approx([0.0, 0.2])
    assert cells.z[1][0] == pytest.approx(-0.1)
    assert cells.z[1][1] is None
    assert [list(line) for line in cells.text] == [["0", "+20"], ["−10", ""]]
    assert -cells.zmin == cells.zmax == pytest.approx(0.2)
    assert list(cells.y) == ["fog", "jpeg compression"]
    assert (cells.colorscale[0][1], cells.colorscale[-1][1]) == (BLUE, ORANGE)


@pytest.mark.parametrize("dark", [False, True])
def test_figures_of_the_report_stand_on_the_pages_ground(dark):
    for figure in (
        figures.of_report(plots.reliability(make_row("a", "aux", 0.5)), dark),
        figures.of_report(grids.heat_map([corrupted("a", "aux", 0.5, "fog", 1)]), dark),
    ):
        assert figure.layout.font.color == INK[dark]
        assert all(one.error_y.color == INK[dark] for one in figure.data if one.type == "bar")
        assert figure.layout.template.layout.paper_bgcolor != "white"


def test_whiskers_of_a_branch_keep_its_colour_on_dark_ground():
    bias = {"model": "one", "branch": "aux", "shape_bias": 0.75, "interval": [0.5, 0.9]}
    (dot,) = figures.of_report(plots.shape_biases([bias]), dark=True).data
    assert dot.error_x.color == branch_colour("aux")
