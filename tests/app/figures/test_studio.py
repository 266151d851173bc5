import io
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image

from advprop_core.compare.film import Film
from advprop_core.compare.matrix import AttackMatrix
from advprop_core.compare.sweep import Flip, Sweep
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import BranchResult
from advprop_core.types import AttackConfig, Prediction
from app.figures import studio
from app.figures.animation import to_animation
from app.figures.reel import frame_title, make_reel

NAMES = ("star", "heart", "ring", "fish", "a class with a very long name")
TITLES = {"main": "flips to heart at 4/255", "aux": "holds"}
PGD = AttackConfig.pgd(4 / 255)


def says(*shares):
    probabilities = torch.tensor([*shares, *[0.0] * (len(NAMES) - len(shares))])
    return Prediction(probabilities.clamp_min(1e-9).log(), probabilities)


def texts(figure):
    return [annotation.text for annotation in figure.layout.annotations]


# -- the sweep -----------------------------------------------------------------------------------


@pytest.fixture
def swept():
    """At 0, 2, 4 and 16 in 1/255: main falls to heart, aux holds against ring."""
    return Sweep(
        epsilons=(0.0, 2 / 255, 4 / 255, 16 / 255),
        predictions={
            "main": (says(0.9, 0.1), says(0.6, 0.4), says(0.2, 0.8), says(0, 1)),
            "aux": (says(0.9, 0, 0.1), says(0.8, 0, 0.2), says(0.7, 0, 0.3), says(0.6, 0, 0.4)),
        },
        flips={"main": Flip("main", 4 / 255, 2 / 255, 1), "aux": Flip("aux", None, 16 / 255, 0)},
        expected={"main": 0, "aux": 0},
        target_class=None,
        true_class=0,
        attack_branch="main",
        precision=2 / 255,
    )


def test_a_row_for_each_branch_in_its_colour(swept):
    figure = go.Figure(studio.curves(swept, NAMES, "linf", TITLES, 0))
    assert [(t.yaxis, t.line.color, t.line.dash) for t in figure.data] == [
        ("y", "#0072B2", "solid"), ("y", studio.MUTED, "dash"),
        ("y2", "#D55E00", "solid"), ("y2", studio.MUTED, "dash"),
    ]  # fmt: skip
    main, rival = figure.data[:2]
    assert main.x == pytest.approx((0, 2, 4, 16))
    assert main.y == pytest.approx((0.9, 0.6, 0.2, 0))
    assert rival.y == pytest.approx((0.1, 0.4, 0.8, 1))
    assert rival.hovertemplate.startswith("heart %{y:$.0%}<br>ε = %{customdata}"), "in no language"


def test_titles_say_where_each_branch_flips_and_lines_are_named(swept):
    labels = texts(go.Figure(studio.curves(swept, NAMES, "linf", TITLES, 0)))
    assert labels[0] == '<span style="color:#0072B2">■</span> <b>main</b> flips to heart at 4/255'
    assert labels[3] == '<span style="color:#D55E00">■</span> <b>aux</b> holds'
    assert labels[1:3] + labels[4:] == ["<b>✓ star</b>", "heart", "<b>✓ star</b>", "ring"]


def test_a_line_marks_the_flip_and_another_the_strength_chosen(swept):
    shapes = go.Figure(studio.curves(swept, NAMES, "linf", TITLES, 7.5)).layout.shapes
    assert [(s.yref, s.x0, s.line.dash) for s in shapes] == [
        ("y domain", 4, "dash"), ("y domain", 7.5, None), ("y2 domain", 7.5, None)]  # fmt: skip


def test_the_unit_of_the_axis(swept):
    linf = go.Figure(studio.curves(swept, NAMES, "linf", TITLES, 0)).layout.xaxis.title.text
    l2 = go.Figure(studio.curves(swept, NAMES, "l2", TITLES, 0))
    assert linf == "Strength ε, in 1/255"
    assert l2.layout.xaxis.title.text == "Strength ε (L2)"
    assert l2.data[0].x == pytest.approx(swept.epsilons)


def test_a_target_is_followed_even_where_it_never_rises(swept):
    towards = Sweep(**{**swept.__dict__, "target_class": 3})
    figure = go.Figure(studio.curves(towards, NAMES, "linf", TITLES, 0))
    assert [t.line.color for t in figure.data if t.yaxis == "y"] == [
        "#0072B2", "#0072B2", studio.MUTED]  # fmt: skip
    assert "fish (target)" in texts(figure)


def test_long_names_are_cut_beside_a_curve(swept):
    long = Sweep(**{**swept.__dict__, "expected": {"main": 4, "aux": 4}, "true_class": None})
    assert "<b>a class with a…</b>" in texts(
        go.Figure(studio.curves(long, NAMES, "linf", TITLES, 0))
    )


@pytest.mark.parametrize(
    ("heights", "places"),
    [
        ([0.5, 0.9], [0.5, 0.9]),
        ([0.5, 0.5], [0.5, 0.63]),
        ([1.0, 0.99, 0.0], [1.0, 0.87, 0.0]),
        ([0.0, 0.0, 0.01], [0.0, 0.13, 0.26]),
        ([], []),
    ],
)
def test_labels_keep_their_distance_and_stay_inside(heights, places):
    assert studio._spread(heights) == pytest.approx(places)


# -- who fools whom ------------------------------------------------------------------------------


def test_cells_hold_the_answer_and_the_probability_of_the_true_class():
    star, heart = says(0.9, 0.1), says(0.3, 0.7)
    attacked = {("main", "main"): heart, ("main", "aux"): star,
                ("aux", "main"): star, ("aux", "aux"): heart}  # fmt: skip
    result = AttackMatrix({"main": star, "aux": star}, attacked, {"main": 0, "aux": 0}, 0, None)
    figure = go.Figure(studio.matrix(result, NAMES))
    assert np.asarray(figure.data[0].z) == pytest.approx(
        np.array([[0.9, 0.9], [0.3, 0.9], [0.9, 0.3]])
    )
    right, fooled = "<b>star 90 %</b>", "<b>heart 70 %</b><br>star 30 %"
    assert [[*line] for line in figure.data[0].text] == [
        [right, right], [fooled, right], [right, fooled]
    ]  # fmt: skip
    assert figure.data[0].textfont.color is None, "plotly picks what can be read on each shade"
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)
    assert figure.layout.yaxis.ticktext[0] == "clean"
    assert "main" in figure.layout.yaxis.ticktext[1]
    assert "true class" in figure.data[0].colorbar.title.text
    own = AttackMatrix(result.clean, attacked, result.expected, None, None)
    assert "own clean answer" in go.Figure(studio.matrix(own, NAMES)).data[0].colorbar.title.text


def test_accuracies_with_their_intervals():
    cells = [
        BranchResult(
            branch=branch, condition=Condition(PGD, source) if source else Condition(), n=100,
            top1=top1, top5=1, loss=0, interval=(top1 - 0.1, top1 + 0.1),
        )
        for source, row in ((None, (0.9, 0.8)), ("main", (0.2, 0.5)), ("aux", (0.4, 0.3)))
        for branch, top1 in zip(("main", "aux"), row, strict=True)
    ]  # fmt: skip
    figure = go.Figure(studio.accuracies(cells))
    assert np.asarray(figure.data[0].z).tolist() == [[0.9, 0.8], [0.2, 0.5], [0.4, 0.3]]
    assert figure.data[0].text[0][0] == "<b>90 % [80, 100]</b>"
    assert figure.data[0].colorbar.title.text == "Accuracy"


# -- the film ------------------------------------------------------------------------------------


@pytest.fixture
def film():
    """A grey picture of 8×8 that gets 1/4 brighter in two steps, looked at by two branches."""
    pixels = torch.full((3, 3, 8, 8), 0.5)
    pixels[1] += 0.125
    pixels[2] += 0.25
    maps = torch.zeros(3, 8, 8)
    maps[:, :4] = torch.tensor([1.0, 2.0, 4.0])[:, None, None]
    answers = (says(0.9, 0.1), says(0.5, 0.4, 0.1), says(0.1, 0.7, 0.2))
    return Film((-1, 1, 2), pixels, {"main": answers, "aux": (answers[0],) * 3},
                {"main": maps, "aux": maps / 2}, 0, 0, 0, None, 2)  # fmt: skip


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_a_reel_has_pictures_and_numbers_of_every_frame(film):
    reel = make_reel(film, NAMES, "magnitude", 1.0)
    assert [frame.title for frame in reel.frames] == ["Clean picture", "Step 1 of 2", "Step 2 of 2"]
    assert reel.branches == ("main", "aux")
    assert reel.captions == ("Picture", "Perturbation × 2", "Where main looks", "Where aux looks")
    assert reel.classes == ("star", "heart", "ring", "fish")
    assert (reel.true_place, reel.target_place) == (0, None)
    last = reel.frames[2]
    assert last.shares[0] == pytest.approx((0.1, 0.7, 0.2, 0))
    assert last.answers[0] == ("heart", pytest.approx(0.7))
    picture, change, *_ = (opened(data) for data in last.pictures)
    assert abs(picture - 191).max() <= 2
    assert abs(change - 255).max() == 0, "twice 1/4 above grey, kept exactly"
    assert abs(opened(reel.frames[0].pictures[1]) - 128).max() == 0


def test_maps_of_all_frames_and_branches_share_one_scale(film):
    reel = make_reel(film, NAMES, "magnitude", 1.0)
    hottest = opened(reel.frames[2].pictures[2])[1, 1]
    half = opened(reel.frames[1].pictures[2])[1, 1]
    assert abs(hottest - [253, 231, 37]).max() < 25, "viridis at its end"
    assert abs(opened(reel.frames[2].pictures[3])[1, 1] - half).max() < 25
    assert abs(hottest - half).max() > 60
    cold = opened(reel.frames[0].pictures[2])[6, 6]
    assert abs(cold - 128).max() <= 3, "the photo in grey where the map is zero"


def test_the_target_is_among_the_classes_that_are_followed(film):
    towards = Film(**{**film.__dict__, "target_class": 4, "true_class": None})
    reel = make_reel(towards, NAMES, "magnitude", 1.0)
    assert reel.classes[:2] == ("star", NAMES[4])
    assert (reel.true_place, reel.target_place) == (None, 1)


def test_a_film_without_maps_shows_the_pictures_alone(film):
    bare = replace(film, maps={}, maps_refused="no stage gives a map")
    reel = make_reel(bare, NAMES, "magnitude", 1.0)
    assert reel.captions == ("Picture", "Perturbation × 2")
    assert [len(frame.pictures) for frame in reel.frames] == [2, 2, 2]
    assert reel.maps_refused == "no stage gives a map"
    assert Image.open(io.BytesIO(to_animation(reel, "WebP", "x"))).n_frames == 3


@pytest.mark.parametrize("kind", ["WebP", "GIF"])
def test_an_animation_has_every_frame(film, kind):
    reel = make_reel(film, NAMES, "magnitude", 0.6)
    data = to_animation(reel, kind, "star. PGD attack, L∞ ε = 4/255")
    moving = Image.open(io.BytesIO(data))
    assert moving.format == kind.upper()
    assert moving.n_frames == 3
    assert moving.info["loop"] == 0
    assert len(data) < 200_000


def test_one_branch_is_enough(film, swept):
    alone = Film(**{**film.__dict__, "predictions": {"main": film.predictions["main"]},
                    "maps": {"main": film.maps["main"]}})  # fmt: skip
    reel = make_reel(alone, NAMES, "signed", 0.6)
    assert len(reel.frames[0].pictures) == 3
    assert Image.open(io.BytesIO(to_animation(reel, "WebP", "x"))).n_frames == 3
    main = {"predictions": {"main": swept.predictions["main"]}}
    figure = go.Figure(studio.curves(Sweep(**{**swept.__dict__, **main}), NAMES, "linf", TITLES, 1))
    assert len([t for t in figure.data if isinstance(t, go.Scatter)]) == 2


@pytest.mark.parametrize(
    ("step", "title"), [(-1, "Clean picture"), (0, "Random start"), (3, "Step 3 of 10")]
)
def test_titles_of_frames(step, title):
    assert frame_title(step, 10) == title
