import pytest
import torch

from advprop_core.attribution import question
from advprop_core.faithfulness import curves
from advprop_core.faithfulness.curves import Curve, blur, measure_curves
from advprop_core.faithfulness.maps import Undefined

WHITE = torch.ones(1, 3, 1, 4)
WEIGHTS = [[0.4, 0.2, 0.15, 0.05]]


def curve_of(module, order, **options):
    """Curves of four white pixels by a map that ranks them in that order."""
    scores = torch.zeros(1, 1, 4)
    scores[0, 0, list(order)] = torch.tensor([4.0, 3.0, 2.0, 1.0])
    (measured,) = measure_curves(module, WHITE, scores, 0, **options)
    return measured


@pytest.fixture
def step(monkeypatch):
    return lambda share: monkeypatch.setattr(curves, "_STEP", share)


@pytest.mark.parametrize(
    ("order", "level", "expected"),
    [
        ((0, 1, 2, 3), 0.0, [0.9, 0.5, 0.3, 0.15, 0.1]),
        ((3, 2, 1, 0), 0.0, [0.9, 0.85, 0.7, 0.5, 0.1]),
        ((0, 1, 2, 3), 0.5, [0.9, 0.7, 0.6, 0.525, 0.5]),
    ],
)
def test_deletion_of_four_white_pixels(make_sum, monkeypatch, order, level, expected):
    monkeypatch.setattr(curves, "_GREY", level)
    measured = curve_of(make_sum(WEIGHTS), order).deletion
    torch.testing.assert_close(measured.probabilities, torch.tensor(expected))
    assert measured.shares.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]  # no picture is shown twice


def test_the_area_of_four_white_pixels(make_sum):
    measured = curve_of(make_sum(WEIGHTS), (0, 1, 2, 3))
    # Trapezoids of width a quarter: (0.9/2 + 0.7 + 0.6 + 0.525 + 0.5/2) / 4.
    assert measured.deletion.area == pytest.approx(0.63125, abs=1e-6)


def test_an_area_where_the_steps_differ():
    assert Curve(torch.tensor([0.0, 0.9, 1.0]), torch.tensor([1.0, 1.0, 0.0])).area == (
        pytest.approx(0.95)
    )


def test_insertion_starts_blurred_and_ends_with_the_picture(make_sum, pixels, step):
    step(1 / 256)
    image, weights = pixels(1, 16), torch.rand(16, 16) / 256
    scores = torch.randperm(256).view(1, 16, 16).float()
    (measured,) = measure_curves(make_sum(weights), image, scores, 0)
    gains = (weights * (image[0] - blur(image[0])).mean(0)).flatten()
    rise = gains[scores.flatten().argsort(descending=True)].cumsum(0)
    start = 0.1 + (weights * blur(image[0]).mean(0)).sum()
    expected = torch.cat([start[None], start + rise])
    torch.testing.assert_close(measured.insertion.probabilities, expected, atol=1e-5, rtol=0)


def test_each_image_follows_its_own_class(make_sum):
    scores = torch.tensor([4.0, 3.0, 2.0, 1.0]).view(1, 1, 4).expand(2, -1, -1)
    module, images = make_sum(WEIGHTS), WHITE.expand(2, -1, -1, -1)
    first, second = measure_curves(module, images, scores, (0, 1))
    torch.testing.assert_close(first.deletion.probabilities, 1 - second.deletion.probabilities)


def test_random_orders_are_what_a_map_is_measured_by(make_sum, monkeypatch):
    monkeypatch.setattr(curves, "_RANDOM_ORDERS", 400)
    measured = curve_of(make_sum(WEIGHTS), (0, 1, 2, 3))
    # On average a random order removes an equal share of 0.4 at every step: 0.9 down to 0.5.
    mean = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5])
    torch.testing.assert_close(measured.random_deletion.probabilities, mean, atol=0.02, rtol=0)
    assert measured.deletion_gain == pytest.approx(0.7 - 0.63125, abs=0.01)


def test_a_map_gains_nothing_where_all_pixels_weigh_the_same(make_sum):
    measured = curve_of(make_sum([[0.2] * 4]), (2, 0, 1, 3))
    assert measured.deletion_gain == pytest.approx(0, abs=1e-6)
    assert measured.insertion_gain == pytest.approx(0, abs=1e-6)


def test_equal_values_go_in_random_order_not_by_place(make_sum):
    scores = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])  # as ReLU leaves a Grad-CAM map
    measured = {
        measure_curves(make_sum(WEIGHTS), WHITE, scores, 0, seed=seed)[0].deletion.area
        for seed in range(8)
    }
    assert len(measured) > 1


def test_progress_counts_every_picture(make_sum):
    shown = []
    curve_of(make_sum(WEIGHTS), (0, 1, 2, 3), progress=lambda *counts: shown.append(counts))
    assert shown[-1] == (40, 40)  # 2 curves × (1 + 3) orders × 5 pictures


def test_a_step_that_does_not_divide_ends_with_all_pixels(make_sum, step):
    step(0.75)
    measured = curve_of(make_sum(WEIGHTS), (0, 1, 2, 3))
    assert measured.deletion.shares.tolist() == [0.0, 0.75, 1.0]


def test_the_size_of_a_batch_changes_nothing_but_rounding(dual, pixels, monkeypatch):
    measured = []
    for size in (1, 64):
        monkeypatch.setattr(question, "_MOST_IMAGES", size)
        scores = torch.arange(1024.0).view(1, 32, 32)
        measured += measure_curves(dual.branch("aux"), pixels(1), scores, 0)
    for single, batched in zip(*((f.deletion, f.insertion) for f in measured), strict=True):
        torch.testing.assert_close(single.probabilities, batched.probabilities)


def test_an_image_has_its_curve_whatever_else_is_in_the_batch(dual, pixels):
    module, images, scores = dual.branch("main"), pixels(2), torch.rand(2, 32, 32)
    together = measure_curves(module, images, scores, 0)[1]
    alone = measure_curves(module, images[1:], scores[1:], 0)[0]
    for curve in ("deletion", "insertion", "random_deletion", "random_insertion"):
        first, second = (getattr(one, curve).probabilities for one in (together, alone))
        assert torch.equal(first, second)


def test_a_constant_map_among_others_is_undefined(make_sum):
    scores = torch.stack([torch.ones(1, 4), torch.arange(4.0)[None]])
    images = WHITE.expand(2, -1, -1, -1)
    constant, sound = measure_curves(make_sum(WEIGHTS), images, scores, 0)
    assert constant == Undefined("the map is constant")
    assert not isinstance(sound, Undefined)


def test_maps_of_another_shape_are_refused(make_sum):
    with pytest.raises(ValueError, match=r"maps must have shape \(1, 1, 4\), got \(1, 2, 2\)"):
        measure_curves(make_sum(WEIGHTS), WHITE, torch.rand(1, 2, 2), 0)


def test_random_orders_are_gone_through_once_for_several_maps_of_an_image(make_sum, monkeypatch):
    module, shown = make_sum(WEIGHTS), []
    original = curves.logits_of

    def count(network, pictures):
        shown.append(len(pictures))
        return original(network, pictures)

    monkeypatch.setattr(curves, "logits_of", count)
    scores = torch.tensor([[[4.0, 3.0, 2.0, 1.0]], [[1.0, 2.0, 3.0, 4.0]]])
    told = []
    images = WHITE.expand(2, -1, -1, -1)
    both = measure_curves(module, images, scores, 0, progress=lambda *x: told.append(x))
    # 5 pictures on each of 2 curves of 2 + 3 orders.
    assert sum(shown) == 5 * 2 * (2 + 3)
    assert told[-1] == (50, 50)
    for values, measured in zip(scores, both, strict=True):
        (alone,) = measure_curves(module, WHITE, values[None], 0)
        assert measured.insertion_gain == alone.insertion_gain
        assert measured.deletion_gain == alone.deletion_gain


# -- the blur ------------------------------------------------------------------------------------


def test_pixels_blurred_by_hand():
    image = torch.zeros(1, 16, 16)  # a sixteenth of its side is a sigma of 1
    image[0, :, 0] = 1.0
    distances = torch.arange(16.0)
    weights = torch.exp(-((distances[:, None] - distances) ** 2) / 2)
    expected = (weights / weights.sum(1, keepdim=True))[:, 0]
    torch.testing.assert_close(blur(image)[0], expected.expand(16, -1))


def test_rows_and_columns_are_blurred_alike(pixels):
    image = pixels(1, 8)[0]
    torch.testing.assert_close(blur(image).mT, blur(image.mT))


def test_a_constant_picture_stays_what_it_is_to_the_border():
    image = torch.full((3, 8, 12), 0.3)
    torch.testing.assert_close(blur(image), image)
