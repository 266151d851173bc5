import pytest
import torch

from advprop_core.datasets.texture_shapes.scenes import draw_scene
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.faithfulness.maps import Undefined
from advprop_core.faithfulness.objects import (
    Estimate,
    compare_object_shares,
    inside_shares,
    object_share,
    pointing_hits,
)

MASK = torch.tensor([[[0, 1, 1], [0, 1, 1], [0, 0, 0]]], dtype=torch.bool)


def a_map(*rows):
    return torch.tensor([rows], dtype=torch.float32)


def test_the_share_inside_by_hand():
    maps = a_map((1, 2, 0), (1, 1, -5), (-9, 0, 1))  # 3 of 6; what is negative does not count
    assert inside_shares(maps, MASK) == (0.5,)


def test_pointing_by_hand():
    assert pointing_hits(a_map((0, 0, 0), (0, 0, 3), (0, 0, 2)), MASK) == (True,)
    assert pointing_hits(a_map((0, 0, 0), (0, 0, 3), (0, 0, 4)), MASK) == (False,)


def test_several_largest_values_must_all_hit():
    assert pointing_hits(a_map((0, 3, 3), (0, 0, 0), (0, 0, 0)), MASK) == (True,)
    assert pointing_hits(a_map((0, 3, 0), (0, 0, 0), (0, 0, 3)), MASK) == (False,)


@pytest.mark.parametrize(
    ("values", "mask", "reason"),
    [
        (torch.zeros(1, 3, 3), MASK, "the map is zero everywhere"),
        (torch.ones(1, 3, 3), MASK, "the map is constant"),
        (torch.eye(3)[None], torch.zeros_like(MASK), "the scene shows no object"),
    ],
)
def test_what_says_nothing_is_undefined(values, mask, reason):
    assert inside_shares(values, mask) == (Undefined(reason),)
    assert pointing_hits(values, mask) == (Undefined(reason),)


def test_a_map_without_positive_values_points_but_has_no_share():
    values = -a_map((1, 2, 3), (4, 5, 6), (7, 8, 9))
    assert inside_shares(values, MASK) == (Undefined("the map is never positive"),)
    assert pointing_hits(values, MASK) == (False,)


# -- over scenes ---------------------------------------------------------------------------------


@pytest.fixture
def scenes(make_scene):
    """Objects of 1, 2, 4 and 3 of 4 pixels, of the classes 0, 1, 2 and 3."""
    masks = ([[1, 0], [0, 0]], [[1, 1], [0, 0]], [[1, 1], [1, 1]], [[0, 1], [1, 1]])
    return [make_scene(mask, shape) for shape, mask in enumerate(masks)]


def corner(pixels, classes):
    """Three quarters of the map at the upper left, one quarter beside it."""
    return torch.tensor([[3.0, 1.0], [0.0, 0.0]]).expand(len(pixels), -1, -1)


def test_figures_of_four_scenes_by_hand(scenes):
    found = object_share(corner, scenes, batch_size=3)
    assert found.shares == (0.75, 1.0, 1.0, 0.25)
    assert found.hits == (True, True, True, False)
    assert found.areas == (0.25, 0.5, 1.0, 0.75)
    assert found.area == 0.625
    assert found.share.value == 0.75
    assert 0.25 < found.share.low < 0.75 < found.share.high <= 1
    assert found.pointing == Estimate(0.75, *wilson_interval(3, 4), 4)
    assert found.undefined == {}


def test_the_maker_is_told_the_true_classes(scenes):
    seen = []

    def make_map(pixels, classes):
        seen.append((tuple(pixels.shape), classes))
        return corner(pixels, classes)

    object_share(make_map, scenes, batch_size=3)
    assert seen == [((3, 3, 2, 2), (0, 1, 2)), ((1, 3, 2, 2), (3,))]


def test_pixels_lie_in_unit_range(scenes):
    object_share(lambda pixels, _: check(pixels), scenes)


def check(pixels):
    assert pixels.dtype == torch.float32
    torch.testing.assert_close(pixels, torch.full_like(pixels, 128 / 255))
    return corner(pixels, ())


def test_empty_maps_are_counted_and_left_out(scenes):
    def make_map(pixels, classes):
        maps = corner(pixels, classes).clone()
        maps[torch.tensor(classes) > 1] = 0
        return maps

    found = object_share(make_map, scenes)
    assert found.undefined == {"the map is zero everywhere": 2}
    assert found.share.n == found.pointing.n == 2
    assert found.share.value == 0.875


def test_only_empty_maps_leave_nothing_to_say(scenes):
    found = object_share(lambda pixels, _: torch.zeros(len(pixels), 2, 2), scenes)
    assert found.share == found.pointing == Undefined("the map is zero everywhere")
    difference = compare_object_shares(found, found)
    assert difference.words == "Nothing can be said: the map is zero everywhere."


def test_a_map_of_the_mask_is_all_inside_and_one_that_knows_nothing_has_the_area():
    scenes = [draw_scene(1, index, texture_agreement=0.0, size=32) for index in range(6)]
    masks = torch.stack([torch.from_numpy(scene.mask.copy()) for scene in scenes]).float()
    best = object_share(lambda pixels, _: masks, scenes, batch_size=6)
    assert best.shares == (1.0,) * 6
    assert best.hits == (True,) * 6
    generator = torch.Generator().manual_seed(0)
    noise = object_share(lambda p, _: torch.rand(len(p), 32, 32, generator=generator), scenes)
    assert noise.share.value == pytest.approx(noise.area, abs=0.02)


def test_differences_are_taken_scene_by_scene(scenes):
    def flat(pixels, classes):
        return torch.tensor([[1.0, 1.0], [1.0, 1.01]]).expand(len(pixels), -1, -1)

    first, second = object_share(flat, scenes), object_share(corner, scenes)
    found = compare_object_shares(first, second)
    expected = [b - a for a, b in zip(first.shares, second.shares, strict=True)]
    assert found.share.value == pytest.approx(sum(expected) / 4)
    # flat points at the lower right: it hits scenes 2 and 3, corner scenes 0, 1 and 2
    assert found.pointing.value == pytest.approx(1 / 4)
    assert found.words.startswith("No difference is established")


@pytest.mark.parametrize(("swap", "word"), [(False, "more"), (True, "less")])
def test_a_clear_difference_is_put_into_words(make_scene, swap, word):
    scenes = [make_scene([[1, 0], [0, 0]])] * 5
    aside = object_share(lambda p, _: corner(p, ()).flip(2), scenes)
    pair = (aside, object_share(corner, scenes))
    found = compare_object_shares(*(reversed(pair) if swap else pair))
    sign = "-" if swap else ""
    assert found.words == (
        f"The second looks at the object {word}: the share inside it moves by "
        f"{sign}0.500 [{sign}0.500, {sign}0.500]."
    )


def test_a_scene_without_a_value_on_one_side_is_left_out_of_the_difference(scenes):
    def empty_on_the_first(pixels, classes):
        return corner(pixels, classes) * (torch.tensor(classes) > 0).view(-1, 1, 1)

    first, second = object_share(corner, scenes), object_share(empty_on_the_first, scenes)
    assert compare_object_shares(first, second).share == Estimate(0.0, 0.0, 0.0, 3)
