import pytest
import torch

from advprop_core.faithfulness import forward
from advprop_core.faithfulness.baselines import blur
from advprop_core.faithfulness.curves import Curve, measure_curves
from advprop_core.faithfulness.maps import Undefined

WHITE = torch.ones(1, 3, 1, 4)
WEIGHTS = [[0.4, 0.2, 0.15, 0.05]]


def curve_of(module, order, **options):
    """Curves of four white pixels by a map that ranks them in that order."""
    scores = torch.zeros(1, 1, 4)
    scores[0, 0, list(order)] = torch.tensor([4.0, 3.0, 2.0, 1.0])
    (found,) = measure_curves(module, WHITE, scores, 0, step=0.25, **options)
    return found


@pytest.mark.parametrize(
    ("order", "filling", "expected"),
    [
        ((0, 1, 2, 3), "black", [0.9, 0.5, 0.3, 0.15, 0.1]),
        ((3, 2, 1, 0), "black", [0.9, 0.85, 0.7, 0.5, 0.1]),
        ((0, 1, 2, 3), "grey", [0.9, 0.7, 0.6, 0.525, 0.5]),
    ],
)
def test_deletion_of_four_white_pixels(make_sum, order, filling, expected):
    found = curve_of(make_sum(WEIGHTS), order, removed_to=filling).deletion
    torch.testing.assert_close(found.probabilities, torch.tensor(expected))
    assert found.shares.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_the_area_of_four_white_pixels(make_sum):
    found = curve_of(make_sum(WEIGHTS), (0, 1, 2, 3), removed_to="black")
    # Trapezoids of width a quarter: (0.9/2 + 0.5 + 0.3 + 0.15 + 0.1/2) / 4.
    assert found.deletion.area == pytest.approx(0.3625, abs=1e-6)


def test_an_area_where_the_steps_differ():
    assert Curve(torch.tensor([0.0, 0.9, 1.0]), torch.tensor([1.0, 1.0, 0.0])).area == (
        pytest.approx(0.95)
    )


def test_insertion_starts_blurred_and_ends_with_the_picture(make_sum, pixels):
    image, weights = pixels(1, 16), torch.rand(16, 16) / 256
    scores = torch.randperm(256).view(1, 16, 16).float()
    (found,) = measure_curves(make_sum(weights), image, scores, 0, step=1 / 256, batch_size=50)
    gains = (weights * (image - blur(image)).mean(1)).flatten()
    rise = gains[scores.flatten().argsort(descending=True)].cumsum(0)
    start = 0.1 + (weights * blur(image).mean(1)).sum()
    expected = torch.cat([start[None], start + rise])
    torch.testing.assert_close(found.insertion.probabilities, expected, atol=1e-5, rtol=0)


def test_each_image_follows_its_own_class(make_sum):
    scores = torch.tensor([4.0, 3.0, 2.0, 1.0]).view(1, 1, 4).expand(2, -1, -1)
    module, images = make_sum(WEIGHTS), WHITE.expand(2, -1, -1, -1)
    first, second = measure_curves(module, images, scores, (0, 1), step=0.5)
    torch.testing.assert_close(first.deletion.probabilities, 1 - second.deletion.probabilities)


def test_random_orders_are_what_a_map_is_measured_by(make_sum):
    found = curve_of(make_sum(WEIGHTS), (0, 1, 2, 3), removed_to="black", random_orders=400)
    # On average a random order removes an equal share of 0.8 at every step: 0.9 down to 0.1.
    mean = torch.tensor([0.9, 0.7, 0.5, 0.3, 0.1])
    torch.testing.assert_close(found.random_deletion.probabilities, mean, atol=0.03, rtol=0)
    assert found.deletion_gain == pytest.approx(0.5 - 0.3625, abs=0.02)


def test_a_map_gains_nothing_where_all_pixels_weigh_the_same(make_sum):
    found = curve_of(make_sum([[0.2] * 4]), (2, 0, 1, 3))
    assert found.deletion_gain == pytest.approx(0, abs=1e-6)
    assert found.insertion_gain == pytest.approx(0, abs=1e-6)


def test_equal_values_go_in_random_order_not_by_place(make_sum):
    scores = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])  # as ReLU leaves a Grad-CAM map
    found = {
        measure_curves(make_sum(WEIGHTS), WHITE, scores, 0, step=0.25, seed=seed)[0].deletion.area
        for seed in range(8)
    }
    assert len(found) > 1


def test_a_fine_step_on_a_small_picture_shows_no_picture_twice(make_sum):
    shown = []
    curve_of(make_sum(WEIGHTS), (0, 1, 2, 3), progress=lambda *counts: shown.append(counts))
    assert shown[-1] == (40, 40)  # 2 curves × (1 + 3) orders × 5 pictures
    scores = torch.arange(4.0).view(1, 1, 4)
    (found,) = measure_curves(make_sum(WEIGHTS), WHITE, scores, 0, step=0.02)
    assert found.deletion.shares.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_step_that_does_not_divide_ends_with_all_pixels(make_sum):
    scores = torch.arange(4.0).view(1, 1, 4)
    (found,) = measure_curves(make_sum(WEIGHTS), WHITE, scores, 0, step=0.75)
    assert found.deletion.shares.tolist() == [0.0, 0.75, 1.0]


def test_the_size_of_a_batch_changes_nothing_but_rounding(dual, pixels):
    module, image, scores = dual.branch("aux"), pixels(1), torch.rand(1, 32, 32)
    one, all_at_once = (
        measure_curves(module, image, scores, 0, step=0.25, batch_size=size)[0] for size in (1, 64)
    )
    torch.testing.assert_close(one.deletion.probabilities, all_at_once.deletion.probabilities)
    torch.testing.assert_close(one.insertion.probabilities, all_at_once.insertion.probabilities)


def test_an_image_has_its_curve_whatever_else_is_in_the_batch(dual, pixels):
    module, images, scores = dual.branch("main"), pixels(2), torch.rand(2, 32, 32)
    together = measure_curves(module, images, scores, 0, step=0.25)[1]
    alone = measure_curves(module, images[1:], scores[1:], 0, step=0.25)[0]
    for curve in ("deletion", "insertion", "random_deletion", "random_insertion"):
        first, second = (getattr(one, curve).probabilities for one in (together, alone))
        assert torch.equal(first, second)


def test_a_constant_map_among_others_is_undefined(make_sum):
    scores = torch.stack([torch.ones(1, 4), torch.arange(4.0)[None]])
    images = WHITE.expand(2, -1, -1, -1)
    constant, sound = measure_curves(make_sum(WEIGHTS), images, scores, 0, step=0.5)
    assert constant == Undefined("the map is constant")
    assert not isinstance(sound, Undefined)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": 0}, "step must be a share above 0"),
        ({"step": 1.5}, "step must be a share above 0"),
        ({"random_orders": 0}, "random_orders must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"removed_to": "pink"}, "must become one of"),
    ],
)
def test_what_is_out_of_range_is_refused(make_sum, options, message):
    scores = torch.arange(4.0).view(1, 1, 4)
    with pytest.raises(ValueError, match=message):
        measure_curves(make_sum(WEIGHTS), WHITE, scores, 0, **options)


def test_random_orders_are_gone_through_once_for_several_maps_of_an_image(make_sum, monkeypatch):
    module, shown = make_sum(WEIGHTS), []
    original = forward.logits

    def count(network, pictures):
        shown.append(len(pictures))
        return original(network, pictures)

    monkeypatch.setattr(forward, "logits", count)
    scores = torch.tensor([[[4.0, 3.0, 2.0, 1.0]], [[1.0, 2.0, 3.0, 4.0]]])
    told = []
    images = WHITE.expand(2, -1, -1, -1)
    both = measure_curves(module, images, scores, 0, step=0.5, progress=lambda *x: told.append(x))
    # A picture to learn the number of classes; then 3 on each of 2 curves of 2 + 3 orders.
    assert sum(shown) == 1 + 3 * 2 * (2 + 3)
    assert told[-1] == (30, 30)
    for values, found in zip(scores, both, strict=True):
        (alone,) = measure_curves(module, WHITE, values[None], 0, step=0.5)
        assert found.insertion_gain == alone.insertion_gain
        assert found.deletion_gain == alone.deletion_gain
