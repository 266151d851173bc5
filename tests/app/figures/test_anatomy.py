"""Figures of the Anatomy page."""

import base64
import io
import json
import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image

from advprop_core.anatomy.dial import Blended, Curve, Way
from advprop_core.anatomy.distance import LayerDistance
from advprop_core.anatomy.excitement import Excitement
from advprop_core.anatomy.gap import Gap, GapRow, Score
from advprop_core.anatomy.halves import ENDS, MIXTURES, Mixture, MixtureAccuracy
from advprop_core.report.colours import BRANCH_COLOURS
from advprop_core.types import AttributionMap, Prediction
from app.anatomy.halves import table as halves_table
from app.figures import anatomy, gap, halves, map_tables, norm_layers, style
from app.figures.numbers import to_csv

NAMES = ("star", "heart", "ring", "a name that is far too long to stand beside a bar")
WAY = Way("aux")
MAIN, AUX = BRANCH_COLOURS[:2]
GRID = [(kind, branch) for branch in ("main", "aux") for kind in ("clean", "adversarial")]


def of_kind(figure, kind):
    return [trace for trace in figure.data if isinstance(trace, kind)]


def drawn(text):
    """The pictures of a table as arrays."""
    sources = re.findall('src="data:image/webp;base64,(.*?)"', text)
    files = (io.BytesIO(base64.b64decode(source)) for source in sources)
    return [np.asarray(Image.open(file).convert("RGB")).astype(int) for file in files]


def prediction(*shares):
    probabilities = torch.tensor(shares)
    return Prediction(probabilities.clamp_min(1e-9).log(), probabilities)


def flat(value):
    return [[value] * 4] * 4


@pytest.fixture
def found(make_result):
    both = {"main": ((0.7, 0.1, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1)),
            "aux": ((0.6, 0.2, 0.1, 0.1), (0.5, 0.3, 0.1, 0.1))}  # fmt: skip
    return make_result(**both, maps={cell: flat(float(i)) for i, cell in enumerate(GRID)})


def blend_at(t, way=WAY, value=1.5, clean=(0.8, 0.1, 0.1, 0.0), adversarial=(0.3, 0.5, 0.1, 0.1)):
    one = AttributionMap(torch.tensor(flat(value)), "grad-cam", "blend", "clean", 0, "act1")
    predictions = {"clean": prediction(*clean), "adversarial": prediction(*adversarial)}
    return Blended(way, t, predictions, dict.fromkeys(predictions, one))


# -- the dial --------------------------------------------------------------------------------------


def test_a_colour_between_two_is_their_mean():
    assert anatomy.colour_between("#000000", "#FFFFFF", 0) == "#000000"
    assert anatomy.colour_between("#000000", "#FFFFFF", 1) == "#FFFFFF"
    assert anatomy.colour_between("#0000FF", "#FF0000", 0.5) == "#800080"


def test_maps_stand_between_the_branches_in_the_order_of_the_dial(found):
    text = map_tables.blend_table(found, blend_at(0.5), "magnitude", "Saliency", 1.0)
    heads = re.findall('<th scope="col">(.*?)</th>', text)
    between = anatomy.colour_between(MAIN, AUX, 0.5)
    assert heads == [
        "Picture",
        *(
            f'<span style="color:{colour}">■</span> {name}'
            for name, colour in (("main", MAIN), ("50 %", between), ("aux", AUX))
        ),
    ]
    assert re.findall('<th scope="row">(.*?)</th>', text) == ["Clean", "Perturbed"]
    photo, main, blend, aux, perturbed, *_ = drawn(text)
    assert abs(photo - 128).max() <= 1  # lossy
    # One scale for six maps of 0 to 3: main's 0 is see-through, aux's 2 stronger than 1.5.
    assert abs(main - 128).max() <= 2
    assert 2 < abs(blend - 128).max() < abs(aux - 128).max()
    assert abs(perturbed - 132).max() <= 1


def test_bars_have_one_value_for_main_the_blend_and_aux(found):
    figure = go.Figure(anatomy.bars(found, blend_at(0.25), "adversarial", NAMES))
    main, blend, aux = of_kind(figure, go.Bar)
    assert [bar.name for bar in (main, blend, aux)] == ["main", "25 %", "aux"]
    assert [main.marker.color, aux.marker.color] == [MAIN, AUX]
    assert main.x == pytest.approx((0.1, 0.7, 0.1, 0.1))
    assert blend.x == pytest.approx((0.3, 0.5, 0.1, 0.1))
    assert aux.text == ("50 %", "30 %", "10 %", "10 %")
    labels = figure.layout.yaxis.ticktext
    assert labels[:2] == ("✓ star", "heart")
    assert len(labels[3]) == 20
    assert labels[3].endswith("…")


def test_the_classes_are_the_same_on_both_pictures_and_hold_what_must_be_seen(make_result):
    shares = tuple(0.19 - 0.02 * i for i in range(10))
    found = make_result(
        main=(shares, shares), aux=(shares, shares), true_class=8,
        maps={cell: flat(1.0) for cell in GRID},
    )  # fmt: skip
    last = (*[0.05] * 9, 0.55)
    blend = blend_at(0.5, clean=shares, adversarial=last)
    names = [f"c{i}" for i in range(10)]
    labels = [
        go.Figure(anatomy.bars(found, blend, kind, names)).layout.yaxis.ticktext
        for kind in ("clean", "adversarial")
    ]
    assert labels[0] == labels[1]
    assert labels[0] == ("c0", "c1", "✓ c8", "c9")


def curve_of(way=WAY, kinds=("clean", "adversarial")):
    lines = {
        "clean": torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.8, 0.2]]),
        "adversarial": torch.tensor([[0.1, 0.9], [0.3, 0.7], [0.5, 0.5]]),
    }
    return Curve(way, (0, 0.5, 1), {kind: lines[kind] for kind in kinds})


def test_the_curve_has_a_line_per_picture_its_ends_and_the_present_place():
    figure = go.Figure(anatomy.curve([curve_of()], blend_at(0.5), 0))
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.name for line in lines] == ["clean", "perturbed"]
    assert [line.line.dash for line in lines] == ["solid", "dot"]
    assert lines[1].y == pytest.approx((0.1, 0.3, 0.5))
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [dot.x for dot in dots] == [(0, 1), (0.5,), (0, 1), (0.5,)]
    assert dots[0].marker.color == (MAIN, AUX)
    assert dots[1].y == pytest.approx((0.8,))
    assert dots[3].y == pytest.approx((0.3,))
    ends = [note.text for note in figure.layout.annotations if "■" in note.text]
    assert [end.partition("</span> ")[2] for end in ends] == ["<b>main</b>", "<b>aux</b>"]


def test_the_end_of_half_a_way_is_not_called_aux():
    way = Way("aux", "statistics")
    figure = go.Figure(anatomy.curve([curve_of(way)], blend_at(0.5, way), 0))
    ends = [note.text for note in figure.layout.annotations if "■" in note.text]
    assert [end.partition("</span> ")[2] for end in ends] == ["<b>main</b>", "<b>towards aux</b>"]
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert dots[0].marker.color == (MAIN, style.FAINT)


def test_a_curve_of_another_way_has_no_mark_of_the_present_place():
    figure = go.Figure(anatomy.curve([curve_of(Way("aux", "statistics"))], blend_at(0.5), 0))
    assert all(trace.x == (0, 1) for trace in figure.data if trace.mode == "markers")


def test_a_second_line_is_faint_and_named_once():
    figure = go.Figure(anatomy.curve([curve_of(), curve_of()], blend_at(0.5), 0))
    faint = [t for t in figure.data if t.mode == "lines" and t.line.color == style.FAINT]
    assert [line.name for line in faint if line.showlegend] == ["not estimated"]
    assert faint[1].y == pytest.approx((0.1, 0.3, 0.5))


# -- the halves ------------------------------------------------------------------------------------

ALIKE = {mixture: MixtureAccuracy(mixture, 100, 80, 40) for mixture in MIXTURES}
ACCURACIES = [MixtureAccuracy(ENDS[0], 100, 80, 40), MixtureAccuracy(ENDS[1], 100, 70, 60)]


def test_bars_of_halves_have_the_colour_of_their_branch_and_wilson_intervals():
    figure = go.Figure(
        halves.bars([("as trained", ACCURACIES[1]), ("naive", ACCURACIES[0])], "aux")
    )
    clean, attacked = figure.data
    assert clean.marker.color == attacked.marker.color == AUX
    assert attacked.x == (0.6, 0.4)
    assert attacked.y == ("as trained", "naive")
    assert attacked.marker.pattern.shape == "/"
    assert 0.6 + attacked.error_x.array[0] == pytest.approx(0.6907, abs=1e-3)
    assert "60.0 % right attacked (50.2 % to 69.1 %)" in attacked.hovertext[0]


def test_accuracies_along_the_dial_have_intervals_and_the_present_place():
    rows = {
        Mixture(affine, statistics): row
        for affine, row in enumerate(ACCURACIES)
        for statistics in ("clean", "adversarial", affine, 1 - affine)
    }
    figure = go.Figure(halves.line(rows, WAY, 0.3))
    *naive, clean, attacked = figure.data
    assert clean.x == naive[0].x == (0, 1)
    assert {line.line.color for line in naive} == {style.FAINT}
    assert (clean.y, attacked.y) == ((0.8, 0.7), (0.4, 0.6))
    assert attacked.error_y.array[1] == pytest.approx(0.0907, abs=1e-3)
    assert figure.layout.shapes[0].x0 == 0.3
    assert not go.Figure(halves.line(rows, WAY, None)).layout.shapes


def test_one_line_where_nothing_was_changed():
    figure = go.Figure(anatomy.curve([curve_of(kinds=("clean",))], blend_at(0.5), 0))
    assert [t.name for t in figure.data if t.mode == "lines"] == ["clean"]


# -- layers and channels ---------------------------------------------------------------------------


def distance(layer, stage, **changes):
    values = {name: torch.tensor(list) for name, list in changes.items()}
    count = len(next(iter(values.values()))) if values else 2
    return LayerDistance(layer, stage, count, values)


DISTANCES = (
    distance("stem.bn", "stem", mean_shift=[0.1, -0.3]),
    distance("s1.bn", "s1", mean_shift=[1.0, 1.0]),
    distance("s1.bn2", "s1", gamma_change=[1.0]),
)


def test_the_profile_has_a_bar_per_layer_with_the_mean_size_of_its_changes():
    figure = go.Figure(norm_layers.profile(DISTANCES, "mean_shift", "s1.bn", " σ"))
    (bars,) = figure.data
    assert bars.y[:2] == pytest.approx((0.2, 1.0))
    assert bars.y[2] is None
    assert bars.customdata == ("stem.bn", "s1.bn", "s1.bn2")
    assert bars.marker.line.width == (0, 3, 0)
    assert "largest 0.3 σ" in bars.hovertext[0]
    assert "not in this layer" in bars.hovertext[2]
    stem, first, second = bars.marker.color
    assert stem != first == second
    assert figure.layout.xaxis.ticktext == ("stem", "s1")
    assert figure.layout.xaxis.tickvals == (0, 1.5)


def test_stages_have_colours_that_mean_no_branch():
    colours = norm_layers.stage_colours(["stem", "s1", "s1", "s2"])
    assert list(colours) == ["stem", "s1", "s2"]
    assert len({*colours.values(), *BRANCH_COLOURS}) == 3 + len(BRANCH_COLOURS)
    assert len(norm_layers.stage_colours(["only"])) == 1


def test_channels_are_sorted_and_the_marked_ones_named():
    one = distance("s1.bn", "s1", mean_shift=[0.1, -2.0, 0.9, 0.5])
    figure = go.Figure(norm_layers.channels(one, "mean_shift", [1, 2, 3], " σ"))
    (bars,) = figure.data
    assert bars.y == pytest.approx((0.9, 0.5, 0.1, -2.0))
    ink, faint = style.INK, style.FAINT
    assert bars.marker.color == (ink, ink, faint, ink)
    assert [note.text for note in figure.layout.annotations] == ["channels 2, 3", "channel 1"]
    assert bars.hovertext[0] == "channel 2: +0.9 σ"


def test_excited_channels_have_a_scale_each_over_branches_and_pictures(found):
    def made(value):
        return Excitement("s1.bn", (7, 3), torch.stack([torch.full((4, 4), value), torch.eye(4)]))

    maps = {cell: made(value) for cell, value in zip(GRID, (0.0, 1.0, -2.0, 4.0), strict=True)}
    text = map_tables.excited_table(found, maps, 1.0)
    assert re.findall('<th scope="col">(.*?)</th>', text) == [
        "channel 7<br>± 4", "channel 3<br>± 1"
    ]  # fmt: skip
    assert len(drawn(text)) == 8
    assert all(colour in text for colour in (MAIN, AUX))


# -- the gap ---------------------------------------------------------------------------------------


def score(share, n=1):
    return Score(share, round(share * n), n)


def rows(order, values, n):
    units = ["stem", "s1"] if order != "from_head" else ["s1", "stem"]
    layers = {"stem": ("stem.bn",), "s1": ("s1.bn",)}
    every = ("stem.bn", "s1.bn")
    plan = [(None, ()), *[(u, layers[u]) for u in units], (None, every)]
    if order != "alone":
        plan = [(None, ()), (units[0], layers[units[0]]), (units[1], every)]
    return tuple(
        GapRow(unit, names, {"clean": score(0.9, n), "adversarial": score(values[i], n)})
        for i, (unit, names) in enumerate(plan)
    )


def gap_of(n=1, by="stage"):
    values = {"alone": (0.1, 0.3, 0.2, 0.7), "from_stem": (0.1, 0.3, 0.7),
              "from_head": (0.1, 0.2, 0.7)}  # fmt: skip
    return Gap({order: rows(order, values[order], n) for order in values}, None, by, n)


def test_bars_of_a_gap_begin_at_main_and_end_at_aux():
    figure = go.Figure(gap.bars(gap_of(), "alone", "aux"))
    clean, perturbed = figure.data
    assert perturbed.y == pytest.approx((0.1, 0.3, 0.2, 0.7))
    faint = style.FAINT
    assert clean.marker.color == (MAIN, faint, faint, AUX)
    assert [bar.marker.pattern.shape for bar in (clean, perturbed)] == ["", "/"]
    assert figure.layout.xaxis.ticktext == ("main", "stem", "s1", "aux")
    assert not clean.error_y.visible
    walk = go.Figure(gap.bars(gap_of(), "from_head", "aux"))
    assert walk.layout.xaxis.ticktext == ("main", "+ s1", "aux")


def test_a_short_line_marks_what_a_naive_swap_does():
    naive = {order: rows(order, (0.1, 0.05, 0.15, 0.7), 1) for order in gap_of().rows}
    figure = go.Figure(gap.bars(replace(gap_of(), naive=naive), "alone", "aux"))
    _, _, _, marks = figure.data
    assert marks.y == pytest.approx((0.1, 0.05, 0.15, 0.7))
    assert marks.x[0] > 0, "over the second of two bars"
    assert marks.hovertext[1] == "not estimated: <b>stem</b>: 5.0 %"


def test_many_pictures_have_wilson_intervals():
    figure = go.Figure(gap.bars(gap_of(100), "from_stem", "aux"))
    perturbed = figure.data[1]
    assert perturbed.y == pytest.approx((0.1, 0.3, 0.7))
    low = [y - down for y, down in zip(perturbed.y, perturbed.error_y.arrayminus, strict=True)]
    high = [y + up for y, up in zip(perturbed.y, perturbed.error_y.array, strict=True)]
    assert low == pytest.approx([0.0552, 0.2189, 0.6042], abs=1e-3)
    assert high == pytest.approx([0.1744, 0.3958, 0.7811], abs=1e-3)
    assert "30 of 100" in perturbed.hovertext[1]


def test_the_strip_has_a_column_per_layer_in_every_row():
    stages = {"stem": "first", "s1": "second"}
    figure = go.Figure(gap.strip(replace(gap_of(), by="layer"), "aux", stages))
    (heat,) = figure.data
    assert len(heat.y) == 6
    assert [list(line) for line in heat.z[1::2]] == [
        pytest.approx([0.1, 0.3, 0.2, 0.7]),  # alone: main, stem, s1, aux
        pytest.approx([0.1, 0.3, 0.7, 0.7]),  # from the front
        pytest.approx([0.7, 0.7, 0.2, 0.1]),  # from the back: stem comes in last
    ]
    assert heat.hovertext[5][2].startswith("<b>+ s1</b>")
    assert figure.layout.xaxis.ticktext == ("first", "second")
    assert (heat.zmin, heat.zmax) == (min(map(min, heat.z)), max(map(max, heat.z)))


def test_only_clean_pictures_have_only_their_bars():
    only = {
        order: tuple(replace(r, scores={"clean": r.scores["clean"]}) for r in found)
        for order, found in gap_of().rows.items()
    }
    assert len(go.Figure(gap.bars(replace(gap_of(), rows=only), "alone", "aux")).data) == 1


def test_figures_can_be_sent_to_a_browser(found):
    blend = blend_at(0.5)
    for figure in (
        anatomy.bars(found, blend, "clean", NAMES),
        anatomy.curve([curve_of()], blend, 0),
        norm_layers.profile(DISTANCES, "mean_shift", "", ""),
        gap.bars(gap_of(9), "alone", "aux"),
        gap.strip(gap_of(9), "aux", {"stem": "a", "s1": "b"}),
    ):
        assert len(go.Figure(style.on_page(figure, dark=True)).to_json()) < 100_000


def test_in_another_language_the_numbers_of_a_figure_stay_english(found, monkeypatch):
    def figures():
        blend, table = blend_at(0.5), halves_table(ALIKE, "main", "aux")
        naive = replace(gap_of(9), naive=gap_of(9).rows)
        yield anatomy.curve([curve_of(), curve_of()], blend, 0)
        yield halves.bars(table, "main")
        yield halves.line(ALIKE, WAY, 0.3)
        yield gap.bars(naive, "from_stem", "aux")
        yield gap.strip(gap_of(9), "aux", {"stem": "first", "s1": "second"})

    in_english = [to_csv(figure) for figure in figures()]
    monkeypatch.setattr("app.language.text.current", lambda: "zh")
    for figure, numbers in zip(figures(), in_english, strict=True):
        assert "\\u" in json.dumps(figure), "Chinese on the page"
        assert to_csv(figure) == numbers


def test_stages_that_have_no_room_on_a_phone_are_not_named():
    axis = style.stage_axis(["stem", *["s1"] * 3, *["s2"] * 46])
    assert axis["ticktext"] == ["s1", "s2"]
    assert axis["tickvals"] == [2.0, 26.5]
    assert style.stage_axis(["a", "b", "c"])["ticktext"] == ["a", "b", "c"]
