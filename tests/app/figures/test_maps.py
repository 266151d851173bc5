"""Figures of the Maps page, on maps made by hand."""

from types import SimpleNamespace

import plotly.graph_objects as go
import pytest
import torch

from advprop_core.faithfulness.agreement import Agreement
from advprop_core.faithfulness.curves import Curve, Curves
from advprop_core.faithfulness.maps import Undefined
from advprop_core.types import AttributionMap
from app.figures import maps as figures
from app.maps import words as map_words
from app.maps.map_set import MapSet

KINDS = ("clean", "adversarial")


@pytest.fixture
def make_maps(make_result):
    """(branch=(clean values, perturbed values) …) to 2×2 maps of one kind."""

    def make(method="saliency", **branches):
        branches = branches or {"main": (1.0, 4.0), "aux": (2.0, 2.0)}
        shares = dict.fromkeys(branches, ((0.9, 0.1), (0.2, 0.8)))
        values = {
            (method, kind, branch): AttributionMap(
                torch.tensor([[0.0, level], [0.0, 0.0]]), method, branch, kind, 0, None
            )
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


def heat(figure):
    """Subplot to the largest value and colour axis of its heatmap, by size."""
    return {
        trace.xaxis.removeprefix("x"): (float(max(trace.z.ravel(), key=abs)), trace.coloraxis)
        for trace in figure.data
        if isinstance(trace, go.Heatmap)
    }


def grid(found, sign, title):
    return figures.method_grid(found.comparison, found.of("saliency"), sign, title, 0.6)


def test_rows_are_branches_and_their_difference_columns_inputs_and_theirs(make_maps):
    figure = grid(make_maps(), "magnitude", "Saliency")
    assert heat(figure) == {
        "": (1.0, "coloraxis"),
        "2": (4.0, "coloraxis"),
        "3": (-3.0, "coloraxis2"),  # clean − perturbed
        "4": (2.0, "coloraxis"),
        "5": (2.0, "coloraxis"),
        "6": (0.0, "coloraxis2"),
        "7": (-1.0, "coloraxis2"),  # main − aux
        "8": (2.0, "coloraxis2"),
    }
    titles = [a.text for a in figure.layout.annotations]
    assert titles[0] == '<span style="color:#0072B2">■</span> <b>main</b> · Clean'
    assert titles[5] == '<span style="color:#D55E00">■</span> <b>aux</b> · Difference'
    assert titles[6:] == ["<b>main − aux</b>"] * 2


def test_one_scale_for_maps_and_a_symmetric_one_for_differences(make_maps):
    figure = grid(make_maps(), "magnitude", "Saliency")
    assert figure.layout.coloraxis.cmin == 0
    assert figure.layout.coloraxis.colorbar.title.text == "Saliency score"
    changes = figure.layout.coloraxis2
    assert changes.cmin == -changes.cmax
    signed = grid(make_maps(), "signed", "Saliency")
    assert signed.layout.coloraxis.cmin == -signed.layout.coloraxis.cmax


def test_a_single_branch_has_no_row_of_differences(make_maps):
    figure = grid(make_maps(main=(1.0, 4.0)), "signed", "S")
    assert list(heat(figure)) == ["", "2", "3"]


def test_curves_differ_in_more_than_their_colour():
    line = Curve(torch.linspace(0, 1, 3), torch.ones(3))
    found = {
        (kind, branch): Curves(line, line, line, line)
        for kind in ("clean", "adversarial")
        for branch in ("main", "aux")
    }
    shown = [t for t in figures.curves(found, ["main", "aux"]).data if t.showlegend]
    assert len({t.line.dash for t in shown}) == len({t.name for t in shown}) == 4


def test_the_strip_has_a_picture_for_each_branch_input_and_stage(make_maps):
    found = make_maps()
    figure = figures.strip(found.comparison, found.stages, found.strips, 0.6)
    assert len([t for t in figure.data if isinstance(t, go.Image)]) == 4 * 2
    titles = [a.text for a in figure.layout.annotations]
    assert titles[:2] == ["s1", "s2"]
    assert titles[2].endswith("· clean")


def test_curves_stand_beside_their_random_orders():
    line = Curve(torch.tensor([0.0, 1.0]), torch.tensor([0.9, 0.1]))
    chance = Curve(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5]))
    one = Curves(line, line, chance, chance)
    figure = figures.curves({("clean", "main"): one, ("adversarial", "aux"): one}, ("main", "aux"))
    colours = [trace.line.color for trace in figure.data]
    assert colours == ["#8A949E", "#0072B2"] * 2 + ["#8A949E", "#D55E00"] * 2
    assert [t.name for t in figure.data if t.showlegend] == ["main · clean", "aux · perturbed"]
    assert {t.line.dash for t in figure.data[4:]} == {"dashdot"}


def test_agreement_in_words(make_maps):
    found = make_maps()
    assert map_words.agreement(found, "saliency") == (
        "**main** beside **aux**: on the clean picture rank correlation 0.50, 25 % of the top "
        "tenth in common; on the perturbed picture rank correlation 0.50, 25 % of the top tenth "
        "in common."
    )
    found.across_branches["saliency", "clean"] = Agreement(*[Undefined("it is constant")] * 3)
    assert "on the clean picture they cannot be compared" in map_words.agreement(found, "saliency")
    found.across_branches.clear()
    assert map_words.agreement(found, "saliency") is None


def test_the_column_of_other_branches_names_them_where_there_are_several():
    one, two = (SimpleNamespace(rank_correlation=value) for value in (0.25, -0.5))
    assert map_words._others(SimpleNamespace(across_branches={"aux": one})) == "0.25"
    both = SimpleNamespace(across_branches={"aux": one, "aux2": two})
    assert map_words._others(both) == "aux 0.25, aux2 -0.50"
    assert map_words._others(SimpleNamespace(across_branches={})) == "–"
