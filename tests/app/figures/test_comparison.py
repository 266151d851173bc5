import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image

from advprop_core.pictures.decoding import quantize
from advprop_core.report.colours import branch_colour
from app.figures import comparison, pictures, style
from app.figures import maps as map_figures

NAMES = ("star", "heart")
GRID = [(kind, branch) for branch in ("main", "aux") for kind in ("clean", "adversarial")]


def of_kind(figure, kind):
    return [trace for trace in figure.data if isinstance(trace, kind)]


def drawn(result, *options):
    """Its maps alone, as the Playground shows them."""
    return map_figures.method_grid(result, result.maps, *options, NAMES, differences=False)


def cell(trace):
    """Which subplot a trace is in: ``''`` is the first, then ``2``, ``3``."""
    return trace.xaxis.removeprefix("x")


def test_bars_have_the_branchs_values_and_colour_on_both_inputs(make_result):
    figure = comparison.predictions(make_result(), NAMES)
    bars = of_kind(figure, go.Bar)
    assert [cell(bar) for bar in bars] == ["", "2", "3", "4"]
    assert [bar.marker.color for bar in bars] == ["#0072B2"] * 2 + ["#D55E00"] * 2
    expected = [(0.9, 0.1), (0.8, 0.2), (0.7, 0.3), (0.6, 0.4)]
    for bar, shares in zip(bars, expected, strict=True):
        assert bar.x == pytest.approx(shares, abs=1e-6)
    titles = [a.text for a in figure.layout.annotations]
    assert titles == [
        f'<span style="color:{colour}">■</span> <b>{branch}</b> · {title}'
        for branch, colour in (("main", "#0072B2"), ("aux", "#D55E00"))
        for title in ("Clean", "Perturbed")
    ]


def test_no_word_crosses_the_end_of_a_bar(make_result):
    figure = comparison.predictions(make_result(), NAMES)
    for bar, words in zip(of_kind(figure, go.Bar), of_kind(figure, go.Scatter), strict=True):
        assert bar.opacity is None, "nothing lies on it that had to show through"
        for place, above in zip(bar.y, words.y, strict=True):
            assert place - bar.width / 2 - above > 0.25, "of a row, for half a line of text"


def test_every_axis_of_bars_is_the_same_whole_scale(make_result):
    figure = comparison.predictions(make_result(), NAMES)
    axes = [figure.layout[f"xaxis{n}"] for n in ("", 2, 3, 4)]
    assert {tuple(axis.range) for axis in axes} == {(0, 1)}


def test_the_true_class_has_a_tick_where_it_is_known(make_result):
    ticked = comparison.predictions(make_result(true_class=1), NAMES)
    words = [trace.text for trace in of_kind(ticked, go.Scatter)]
    assert words[0] == ("star 90 %", "✓ heart 10 %")
    assert words[1] == ("✓ heart 80 %", "star 20 %")
    plain = comparison.predictions(make_result(true_class=None), NAMES)
    assert not any("✓" in w for trace in of_kind(plain, go.Scatter) for w in trace.text)


def test_five_bars_at_most(make_result):
    shares = tuple(i / 55 for i in range(1, 11))
    figure = comparison.predictions(
        make_result(main=(shares, shares)), [f"c{i}" for i in range(10)]
    )
    assert [len(bar.x) for bar in of_kind(figure, go.Bar)] == [5, 5]
    assert of_kind(figure, go.Scatter)[0].text[0].startswith("c9 ")


def test_ink_is_readable_on_both_grounds(make_result):
    for dark in (False, True):
        words = of_kind(comparison.predictions(make_result(), NAMES, dark=dark), go.Scatter)
        assert {trace.textfont.color for trace in words} == {style.INK[dark]}


def test_one_branch_one_row(make_result):
    result = make_result(main=((0.9, 0.1), (0.2, 0.8)))
    assert len(of_kind(comparison.predictions(result, NAMES), go.Bar)) == 2
    assert len(of_kind(drawn(result, "magnitude", "Saliency", 0.5), go.Heatmap)) == 2


def test_more_auxiliaries_than_colours_go_round():
    colours = [branch_colour(name) for name in ("main", "aux", *(f"aux{i}" for i in range(2, 8)))]
    assert colours[:2] == ["#0072B2", "#D55E00"]
    assert len(set(colours)) == 6
    assert colours[6] == colours[0]


def test_four_maps_over_their_own_photos_on_one_colour_scale(make_result):
    maps = {cell: [[i, i + 1.0], [0.0, 2.0]] for i, cell in enumerate(GRID)}
    result = make_result(maps=maps)
    figure = drawn(result, "magnitude", "Grad-CAM", 0.6)
    heats, photos = of_kind(figure, go.Heatmap), of_kind(figure, go.Image)
    assert [cell(h) for h in heats] == [cell(p) for p in photos] == ["", "2", "3", "4"]
    assert {h.coloraxis for h in heats} == {"coloraxis"}
    assert {h.opacity for h in heats} == {0.6}
    assert [float(h.z[0][0]) for h in heats] == [0, 1, 2, 3]
    clean, perturbed = (decoded(photos[n].source) for n in (0, 1))
    assert abs(clean.astype(int) - 128).max() <= 1
    assert abs(perturbed.astype(int) - 132).max() <= 1
    assert figure.layout.coloraxis.cmin == 0
    assert 3.8 < figure.layout.coloraxis.cmax <= 4
    assert figure.layout.coloraxis.colorbar.title.text == "Grad-CAM score"


def decoded(uri):
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


def test_signed_maps_have_a_range_symmetric_around_zero(make_result):
    maps = {key: [[-1.0, 0.0], [0.0, 4.0]] for key in GRID}
    axis = drawn(make_result(maps=maps), "signed", "IG", 1.0).layout.coloraxis
    assert axis.cmin == -axis.cmax
    assert 3.9 < axis.cmax <= 4
    assert axis.colorbar.tickvals == (axis.cmin, 0, axis.cmax)


@pytest.mark.parametrize("sign", ["magnitude", "signed"])
def test_maps_of_nothing_are_drawn_all_the_same(make_result, sign):
    maps = {key: [[0.0, 0.0], [0.0, 0.0]] for key in GRID}
    axis = drawn(make_result(maps=maps), sign, "Grad-CAM", 0.6).layout.coloraxis
    assert axis.cmax == 1
    assert axis.cmin < axis.cmax


@pytest.mark.parametrize("sign", ["magnitude", "signed"])
def test_the_photo_shows_through_where_a_map_is_zero(sign):
    scale = style.colour_scale(sign)
    opacities = [float(colour.rstrip(")").split(",")[-1]) for _, colour in scale]
    assert [scale[0][0], scale[-1][0]] == [0, 1]
    zero = 0 if sign == "magnitude" else len(scale) // 2
    assert min(opacities) == opacities[zero] == 0
    assert opacities[-1] == 1
    assert opacities[0] == (opacities[zero] if sign == "magnitude" else 1)


def test_pngs_decode_to_what_was_given():
    values = np.linspace(0, 1, 48, dtype=np.float32).reshape(3, 4, 4)
    image = Image.open(io.BytesIO(pictures.to_png(values, 0)))
    assert np.array_equal(
        np.asarray(image), (values.transpose(1, 2, 0) * 255).round().astype(np.uint8)
    )
    halves = np.full((3, 4, 4), 2.5 / 255, np.float32)  # a picture that was moved by half a level
    image = Image.open(io.BytesIO(pictures.to_png(halves, 0)))
    measured = quantize(torch.from_numpy(halves)).permute(1, 2, 0).numpy() * 255
    assert np.array_equal(np.asarray(image), measured)
    assert Image.open(io.BytesIO(pictures.to_png(values, 10))).size == (8, 8)
    assert Image.open(io.BytesIO(pictures.to_png(values, 3))).size == (4, 4)
