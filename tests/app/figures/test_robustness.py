"""Accuracies as figures."""

import plotly.graph_objects as go
import pytest

from advprop_core.evaluation.studies import Gain
from advprop_core.report import grids, plots
from advprop_core.report.colours import BRANCH_COLOURS, branch_colour
from app.figures import robustness as figures
from app.figures.style import INK, TO_DARK, on_page
from tests.core.evaluation.rows import attacked, corrupted, make_row


def test_a_difference_has_its_zero_in_the_middle():
    gains = {("fog", 1): 0.0, ("fog", 3): 0.2, ("jpeg_compression", 1): -0.1}
    (cells,) = go.Figure(figures.difference(gains)).data
    assert cells.z[0] == pytest.approx([0.0, 0.2])
    assert cells.z[1][0] == pytest.approx(-0.1)
    assert cells.z[1][1] is None
    assert [list(line) for line in cells.text] == [["0", "+20"], ["−10", ""]]
    assert -cells.zmin == cells.zmax == pytest.approx(0.2)
    assert list(cells.y) == ["fog", "jpeg compression"]
    assert not {colour for _, colour in cells.colorscale} & {*BRANCH_COLOURS}


@pytest.mark.parametrize("dark", [False, True])
def test_figures_of_the_report_stand_on_the_pages_ground(dark):
    ink = TO_DARK[INK] if dark else INK
    for spec in (
        plots.reliability(make_row("a", "aux", 0.5)),
        grids.heat_map([corrupted("a", "aux", 0.5, "fog", 1)]),
    ):
        figure = go.Figure(on_page(spec, dark=dark))
        assert figure.layout.font.color == figure.layout.xaxis.tickfont.color == ink
        assert all(bar.error_y.color == ink for bar in figure.data if bar.type == "bar")
        assert figure.layout.template.layout.paper_bgcolor != "white"


def test_whiskers_of_a_branch_keep_its_colour_on_dark_ground():
    bias = {"model": "one", "branch": "aux", "shape_bias": 0.75, "interval": [0.5, 0.9]}
    (dot,) = on_page(plots.shape_biases([bias]), dark=True)["data"]
    assert dot["error_x"]["color"] == branch_colour("aux")


def test_the_better_side_of_an_error_is_where_it_falls():
    def side(measure):
        gain = Gain("a", "main", measure, 0.1, -0.02, (-0.03, -0.01), 3)
        return gain.direction, go.Figure(figures.gains([gain], {"a": "a"})).layout.xaxis.title.text

    assert side("clean") == (-1, "← worse · points · better →")
    assert side("calibration") == (1, "← better · points · worse →")


def test_at_a_glance_the_most_robust_is_on_top_and_its_figures_stand_beside_it():
    clean = [make_row("net-a", "main", 0.9), make_row("net-b", "aux", 0.8)]
    hit = [attacked("net-a", "main", 0.1, 4 / 255), attacked("net-b", "aux", 0.7, 4 / 255)]
    chart = go.Figure(figures.standings(clean, hit))
    assert chart.layout.yaxis.ticktext == ("b,<br>aux", "a,<br>main")
    texts = [trace for trace in chart.data if trace.mode == "text"]
    assert [[*map(str.strip, trace.text)] for trace in texts] == [
        ["70 %", "80 %"],
        ["10 %", "90 %"],
    ]
    assert texts[0].textposition == ("middle left", "middle right")
    assert texts[0].x[0] == pytest.approx(hit[1]["interval"][0]), "outside of the whisker"
