"""The main job at a glance: what stands in each place."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app.figures import board

NAMES = ("star", "heart")
SAID = {"main": "star → heart", "aux": "star"}
GRID = [(kind, branch) for branch in ("main", "aux") for kind in ("clean", "adversarial")]


def corner(value):
    """A map of the size of the fixture's pictures that is strong at the bottom right."""
    return [[0.0] * 4] * 2 + [[0.0, 0.0, value, value]] * 2


def decoded(picture):
    head, _, body = picture["source"].partition(",")
    assert head == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))).convert("RGB")).astype(int)


def answers(result, names=NAMES, branch=0):
    shown = board.branches(result, names, dict.fromkeys(result.branches, ""))[branch]["answers"]
    return [(one["name"], *one["words"]) for one in shown]


def test_each_class_has_a_pair_of_bars_on_both_pictures(make_result):
    main, aux = board.branches(make_result(), NAMES, SAID)
    assert (main["name"], main["colour"], main["said"]) == ("main", "#0072B2", "star → heart")
    assert (aux["name"], aux["colour"]) == ("aux", "#D55E00")
    assert [answer["shares"] for answer in main["answers"]] == [
        pytest.approx([0.9, 0.2], abs=1e-6), pytest.approx([0.1, 0.8], abs=1e-6),
    ]  # fmt: skip
    assert answers(make_result()) == [("star", "90 %", "20 %"), ("heart", "10 %", "80 %")]


def test_the_true_class_has_a_tick_and_is_always_there(make_result):
    sure = (0.999, 0.001)
    for true_class, expected in ((None, ["star"]), (1, ["star", "heart"])):
        result = make_result(main=(sure, sure), true_class=true_class)
        (main,) = board.branches(result, NAMES, SAID)
        ticks = {answer["name"]: answer["true"] for answer in main["answers"]}
        assert ticks == {name: name == "heart" for name in expected}


def test_five_classes_at_most_the_most_probable_of_either_picture_first(make_result):
    rising = tuple(i / 55 for i in range(1, 11))
    result = make_result(main=(rising, rising[::-1]))
    names = [f"c{i}" for i in range(10)]
    assert [name for name, *_ in answers(result, names)] == ["c9", "c0", "c8", "c1", "c7"]


def test_pictures_are_exact_and_the_change_is_amplified_in_words(make_result):
    clean, perturbed, change = board.pictures(make_result(), "Cat", "PGD attack")
    assert [one["caption"] for one in (clean, perturbed, change)] == [
        "Clean: Cat", "Perturbed", "Amplified 20×",
    ]  # fmt: skip
    assert perturbed["alt"] == "The perturbed picture: PGD attack"
    assert {int(level) for level in decoded(clean).flatten()} <= {127, 128}
    assert (decoded(perturbed) - decoded(clean)).max() in (3, 4, 5)


@pytest.mark.parametrize(
    ("scale", "strong"),
    [("each", {1, 2, 3, 4}), ("row", {2, 4}), ("shared", {4})],
)
def test_maps_share_the_colours_that_they_are_to_share(make_result, scale, strong):
    """The strongest value of a scale is its last colour, yellow; weaker ones are not."""
    maps = {cell: corner(float(i)) for i, cell in enumerate(GRID, 1)}
    drawn = board.maps(make_result(maps=maps), NAMES, scale, 1.0)
    assert list(drawn) == ["main", "aux"]
    corners = [decoded(one)[-1, -1] for row in drawn.values() for one in row]
    yellow = {i for i, colour in enumerate(corners, 1) if abs(colour - [253, 231, 37]).max() < 60}
    assert yellow == strong


def test_a_map_says_its_class_and_where_it_lies(make_result):
    maps = {cell: [[0.0] * 4] * 3 + [[0.0, 0.0, 0.0, 1.0]] for cell in GRID}
    drawn = board.maps(make_result(maps=maps), NAMES, "each", 0.5)
    assert drawn["aux"][1]["alt"] == (
        "Grad-CAM of aux for star on the perturbed picture, strongest at the bottom right"
    )
    assert drawn["main"][0]["caption"] == "for star"
    middle = np.zeros((9, 9), np.float32)
    assert board.where(middle) == "empty"
    middle[4, 4] = -1  # of a signed map what speaks against counts as well
    assert board.where(middle) == "strongest in the middle"
