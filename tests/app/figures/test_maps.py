"""Figures of the Maps page, on maps made by hand."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from advprop_core.faithfulness.agreement import Agreement
from advprop_core.faithfulness.curves import Curve, Curves
from advprop_core.faithfulness.maps import Undefined
from advprop_core.report import colours
from advprop_core.types import AttributionMap
from app.figures import map_tables as tables
from app.figures import maps as figures
from app.maps import checked
from app.maps import words as map_words
from app.maps.map_set import MapSet

KINDS = ("clean", "adversarial")


@pytest.fixture
def make_maps(make_result):
    """(branch=(clean value, perturbed value) …) to 4×4 maps of one kind, each with one value."""
    corner = torch.zeros(4, 4)
    corner[0, 3] = 1.0

    def make(method="saliency", **branches):
        branches = branches or {"main": (1.0, 4.0), "aux": (2.0, 2.0)}
        shares = dict.fromkeys(branches, ((0.9, 0.1), (0.2, 0.8)))
        values = {
            (method, kind, branch): AttributionMap(level * corner, method, branch, kind, 0, None)
            for branch, levels in branches.items()
            for kind, level in zip(KINDS, levels, strict=True)
        }
        strips = {
            (kind, branch): torch.stack([torch.full((4, 4), 0.5), torch.eye(4)])
            for branch in branches
            for kind in KINDS
        }
        agreement = {(method, kind): Agreement(0.5, 0.2, 0.25) for kind in KINDS}
        return MapSet(make_result(**shares), values, {}, ("s1", "s2"), strips, agreement)

    return make


class Table(HTMLParser):
    """The rows of a table of pictures: what stands in each cell, a picture by its words."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.text = [], text
        self.feed(text.partition("</table>")[0])

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "img":
            self.rows[-1][-1] = dict(attributes)["alt"]

    def handle_data(self, data):
        self.rows[-1][-1] += data


def grid(found, sign="magnitude"):
    maps = found.of("saliency")
    return Table(tables.method_table(found.comparison, maps, sign, "Saliency", 0.6))


def test_rows_are_branches_and_their_difference_columns_inputs_and_theirs(make_maps):
    head, *rows = grid(make_maps()).rows
    assert head == ["", "Clean", "Perturbed", "Clean − perturbed"]
    assert [row[0] for row in rows] == ["■ main", "■ aux", "main − aux"]
    assert rows[0][1].startswith("Saliency, main, clean picture: strongest at")
    assert rows[1][3] == "Saliency, aux, clean minus perturbed: empty"
    assert rows[2][2].startswith("Saliency, main minus aux, perturbed picture: ")
    assert rows[2][3] == ""


def test_one_scale_for_maps_and_a_symmetric_one_for_differences(make_maps):
    text = grid(make_maps()).text
    ends = re.compile('from (.*?) to (.*?)"')
    (low, high), (less, more) = ends.findall(text)
    assert low == "0"
    assert float(high) > 1, "the strongest map decides"
    assert less == f"−{more}"
    assert "green is more on the clean picture or in main, violet more" in text
    (low, high), _ = ends.findall(grid(make_maps(), "signed").text)
    assert low == f"−{high}"


def test_differences_have_no_colour_of_a_branch():
    ends = {colours.COLOUR_SCALES["change"][place] for place in (0, -1)}
    assert not ends & {*colours.BRANCH_COLOURS}
    less, none, more = colours.colourise(np.float32([[-1, 0, 1]]), "change", (-1.0, 1.0))[:, 0].T
    assert more[1] > more[0], "more is green"
    assert less[2] > less[1], "less is violet"
    assert min(none) > 0.9


def test_a_single_branch_has_no_row_of_differences(make_maps):
    rows = grid(make_maps(main=(1.0, 4.0)), "signed").rows
    assert [row[0] for row in rows[1:]] == ["■ main"]


def test_names_are_no_markup(make_maps):
    found = make_maps()
    strips = {row: layers.numpy() for row, layers in found.strips.items()}
    text = tables.strip_table(found.comparison, ("<b>", "s2"), strips, 0.6)
    assert "<b>" not in text
    assert "&lt;b&gt;" in text


def test_curves_differ_in_more_than_their_colour():
    line = Curve(torch.linspace(0, 1, 3), torch.ones(3))
    found = {
        (kind, branch): Curves(line, line, line, line)
        for kind in ("clean", "adversarial")
        for branch in ("main", "aux")
    }
    shown = [
        t
        for t in go.Figure(figures.curves(found, ["main", "aux"], "deletion")).data
        if t.showlegend
    ]
    assert len({t.line.dash for t in shown}) == len({t.name for t in shown}) == 4


def test_the_strip_has_a_picture_for_each_branch_input_and_stage(make_maps):
    found = make_maps()
    strips = {row: layers.numpy() for row, layers in found.strips.items()}
    head, *rows = Table(tables.strip_table(found.comparison, found.stages, strips, 0.6)).rows
    assert head == ["", "s1", "s2"]
    assert [row[0] for row in rows] == [
        "■ mainclean", "■ mainperturbed", "■ auxclean", "■ auxperturbed"
    ]  # fmt: skip
    assert all(row[2].startswith("Grad-CAM, ") for row in rows)


def test_curves_stand_beside_their_random_orders():
    line = Curve(torch.tensor([0.0, 1.0]), torch.tensor([0.9, 0.1]))
    chance = Curve(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5]))
    one = Curves(line, line, chance, chance)
    both = {("clean", "main"): one, ("adversarial", "aux"): one}
    figure = go.Figure(figures.curves(both, ("main", "aux"), "insertion"))
    inks = [trace.line.color for trace in figure.data]
    assert inks == ["#8A949E", "#0072B2", "#8A949E", "#D55E00"]
    assert [t.name for t in figure.data if t.showlegend] == ["main · clean", "aux · perturbed"]
    assert {t.line.dash for t in figure.data[2:]} == {"dashdot"}


def test_agreement_in_words(make_maps):
    found = make_maps()
    assert map_words.agreement(found, "saliency") == (
        "**main** beside **aux**: on the clean picture they agree in part (rank correlation 0.50, "
        "25 % of the top tenth in common); on the perturbed picture they agree in part (rank "
        "correlation 0.50, 25 % of the top tenth in common)."
    )
    found.across_branches["saliency", "clean"] = Agreement(*[Undefined("it is constant")] * 3)
    assert "on the clean picture they cannot be compared" in map_words.agreement(found, "saliency")
    found.across_branches.clear()
    assert map_words.agreement(found, "saliency") is None


def test_the_column_of_other_branches_names_them_where_there_are_several():
    one, two = (SimpleNamespace(rank_correlation=value) for value in (0.25, -0.5))
    assert checked._others(SimpleNamespace(across_branches={"aux": one})) == "0.25"
    both = SimpleNamespace(across_branches={"aux": one, "aux2": two})
    assert checked._others(both) == "aux 0.25, aux2 −0.50"
    assert checked._others(SimpleNamespace(across_branches={})) == "–"


def trusted(gain, error=0.5, sensitivity=0.1, kept=0.1):
    return SimpleNamespace(
        curves=SimpleNamespace(deletion_gain=gain, insertion_gain=gain),
        infidelity=SimpleNamespace(relative=error), sensitivity=sensitivity,
        randomisation=SimpleNamespace(kept=kept), across_branches={}, under_attack=None,
        inside_object=None,
    )  # fmt: skip


def verdict_of(*trusts):
    cells = [("saliency", "clean", f"b{number}") for number in range(len(trusts))]
    return checked.verdict(dict(zip(cells, trusts, strict=True)), "saliency")


def test_a_verdict_weighs_the_checks_of_all_branches():
    assert verdict_of(trusted(0.2)) == (
        "**Saliency** can be trusted here, as far as these checks show (for it: deletion, "
        "insertion, infidelity, sensitivity and random weights)."
    )
    assert "is doubtful here" in verdict_of(trusted(0.2, kept=-0.9))
    assert "should not be trusted here" in verdict_of(trusted(-0.2, error=2.0))
    assert "undecided: deletion and insertion" in verdict_of(trusted(0.2), trusted(-0.2))
    nothing = Undefined("it is constant")
    empty = SimpleNamespace(
        curves=nothing, infidelity=nothing, sensitivity=nothing,
        randomisation=SimpleNamespace(kept=nothing),
    )  # fmt: skip
    assert "is neither confirmed nor refuted here" in verdict_of(empty)


def test_a_row_says_good_and_bad_by_colour_and_by_sign():
    line = checked.row(("saliency", "clean", "main"), trusted(0.2, error=1.0, kept=-0.9))
    assert line["Deletion"] == ":green-background[✓\u00a0+0.20]"
    assert line["Infidelity"] == "1.00"
    assert line["Random weights"] == ":violet-background[✗\u00a0−0.90]"
