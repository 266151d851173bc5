"""Accuracies as figures."""

import pytest

from advprop_core.report.colours import branch_colour
from app.figures import robustness as figures
from app.figures.style import INK
from tests.core.evaluation.rows import attacked, corrupted, make_row

BLUE, ORANGE = "#0072B2", "#D55E00"


@pytest.fixture
def rows():
    clean = [
        make_row("one", "main", 0.9),
        make_row("two", "main", 0.8),
        make_row("two", "aux", 0.7),
    ]
    under_attack = [
        attacked("one", "main", 0.1, 4 / 255), attacked("one", "main", 0.4, 1 / 255),
        attacked("two", "main", 0.5, 4 / 255), attacked("two", "aux", 0.6, 4 / 255),
    ]  # fmt: skip
    return clean, under_attack


def test_curves_begin_clean_and_go_outwards(rows):
    figure = figures.curves(*rows, ["one", "two"])
    lines = {line.name: line for line in figure.data if line.showlegend is not False}
    assert list(lines) == ["one, main", "two, main", "two, aux"]
    assert list(lines["one, main"].x) == pytest.approx([0, 1, 4])
    assert list(lines["one, main"].y) == [0.9, 0.4, 0.1]
    assert [line.line.color for line in lines.values()] == [BLUE, BLUE, ORANGE]
    assert [line.line.dash for line in lines.values()] == ["solid", "dash", "dash"]
    assert [line.marker.symbol for line in lines.values()] == ["circle", "square", "square-open"]


def test_bands_are_the_intervals_there_and_back(rows):
    band = figures.curves(*rows, ["one", "two"]).data[0]
    assert list(band.x) == pytest.approx([0, 1, 4, 4, 1, 0])
    assert list(band.y) == pytest.approx([1.0, 0.5, 0.2, 0.0, 0.3, 0.8])
    assert band.fillcolor == "rgba(0,114,178,0.14)"


def test_an_attack_through_another_branch_is_another_line():
    under_attack = [
        attacked("a", "aux", 0.5, 1 / 255),
        attacked("a", "aux", 0.7, 1 / 255, attack_branch="main"),
    ]
    figure = figures.curves([make_row("a", "aux", 0.9)], under_attack, ["a"])
    names = [line.name for line in figure.data if line.showlegend is not False]
    assert names == ["a, aux", "a, aux, attacked through main"]


def test_radii_of_l2_are_lengths():
    figure = figures.curves(
        [make_row("a", "main", 0.9)], [attacked("a", "main", 0.5, 0.5, norm="l2")], ["a"]
    )
    assert list(figure.data[1].x) == [0, 0.5]
    assert "length" in figure.layout.xaxis.title.text


def test_dots_with_whiskers_stand_apart():
    found = [
        figures.Dot("clean", "a", "main", 0.9, (0.8, 0.95)),
        figures.Dot("clean", "a", "aux", 0.8, (0.7, 0.9)),
        figures.Dot("fog", "a", "aux", 0.5, (0.4, 0.6)),
    ]
    figure = figures.dots(found, ["a"], "Right answers")
    main, aux = figure.data
    assert list(aux.error_x.array) == pytest.approx([0.1, 0.1])
    assert list(main.error_x.arrayminus) == pytest.approx([0.1])
    places = [*main.y, *aux.y]
    assert len(set(places)) == 3
    assert list(figure.layout.yaxis.ticktext) == ["clean", "fog"]
    first, second = figure.layout.yaxis.tickvals
    assert first == pytest.approx((main.y[0] + aux.y[0]) / 2)
    assert second == pytest.approx(aux.y[1] - 0.5)
    low, high = figure.layout.yaxis.range
    assert low > max(places) > min(places) > high


def test_a_difference_has_its_zero_in_the_middle():
    first = [corrupted("a", "main", 0.5, k, s) for k in ("fog", "jpeg_compression") for s in (1, 3)]
    second = [corrupted("a", "aux", 0.5, "fog", 1), corrupted("a", "aux", 0.7, "fog", 3),
              corrupted("a", "aux", 0.4, "jpeg_compression", 1)]  # fmt: skip
    (cells,) = figures.difference(first, second).data
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
        figures.reliability(make_row("a", "aux", 0.5), dark=dark),
        figures.errors([corrupted("a", "aux", 0.5, "fog", 1)], dark=dark),
    ):
        assert figure.layout.font.color == INK[dark]
        assert all(one.error_y.color == INK[dark] for one in figure.data if one.type == "bar")
        assert figure.layout.template.layout.paper_bgcolor != "white"


def test_whiskers_of_a_branch_keep_its_colour_on_dark_ground():
    bias = {"model": "one", "branch": "aux", "shape_bias": 0.75, "interval": [0.5, 0.9]}
    (dot,) = figures.shape_biases([bias], dark=True).data
    assert dot.error_x.color == branch_colour("aux")


def test_names_of_files_are_no_markup():
    name = "<b>x</b>"
    figure = figures.curves([make_row(name)], [attacked(name, "main", 0.5, 1 / 255)], [name])
    assert figure.data[1].name == "&lt;b&gt;x&lt;/b&gt;, main"
