import captum.metrics
import pytest
import torch

from advprop_core.attribution import question
from advprop_core.faithfulness import fidelity
from advprop_core.faithfulness.fidelity import Infidelity, max_sensitivity, measure_infidelity
from advprop_core.faithfulness.maps import Undefined


@pytest.fixture
def weights():
    return torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def images():
    return torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(1))


def times_input(weights, images, class_index):
    """Input × gradient of a linear network, summed over the channels."""
    return (weights[class_index] * images).sum(1)


# -- infidelity ----------------------------------------------------------------------------------


def test_the_network_is_asked_once_for_several_maps_of_an_image(
    make_linear, weights, images, monkeypatch
):
    module, shown = make_linear(weights), []
    original = fidelity.logits_of

    def count(network, pictures):
        shown.append(len(pictures))
        return original(network, pictures)

    image = images[:1].expand(3, -1, -1, -1)
    maps = torch.stack([times_input(weights, images[:1], 0)[0], *torch.rand(2, 4, 6)])
    alone = [measure_infidelity(module, images[:1], each[None], 0)[0] for each in maps]
    monkeypatch.setattr(fidelity, "logits_of", count)
    infidelity = measure_infidelity(module, image, maps, 0)
    assert list(infidelity) == alone
    assert shown == [1, 32, 32]  # the image and its copies


@pytest.mark.parametrize("normalize", [True, False])
def test_it_is_captums(make_linear, weights, images, normalize):
    """Of the same rectangles; without its factor, of the reference: a map of zeros."""
    module, values = make_linear(weights), torch.rand(4, 6)
    masks = fidelity._rectangles((4, 6), 3)[:, None]

    def perturb(copies):
        return masks.expand_as(copies).float(), copies.masked_fill(masks, 0)

    expected = captum.metrics.infidelity(
        module,
        perturb,
        images[:1],
        (values if normalize else torch.zeros(4, 6)).expand(1, 3, -1, -1) / 3,
        target=1,
        n_perturb_samples=len(masks),
        normalize=normalize,
    )
    (infidelity,) = measure_infidelity(module, images[:1], values[None], 1, seed=3)
    assert (infidelity.value if normalize else infidelity.reference) == pytest.approx(
        expected.item()
    )


@pytest.mark.parametrize("factor", [1, -3])
def test_input_times_gradient_foretells_a_linear_network(make_linear, weights, images, factor):
    maps = factor * times_input(weights, images, 1)
    infidelity = measure_infidelity(make_linear(weights), images, maps, 1)
    assert [each.value for each in infidelity] == pytest.approx([0, 0], abs=1e-9)
    assert all(each.reference > 0.1 for each in infidelity)
    assert [each.relative for each in infidelity] == pytest.approx([0, 0], abs=1e-9)


def test_literal_errors_when_the_whole_picture_is_removed(
    make_linear, weights, images, monkeypatch
):
    monkeypatch.setattr(fidelity, "_SIDES", 1.0)
    score = (weights[0] * images).sum((1, 2, 3))
    infidelity = measure_infidelity(make_linear(weights), images, torch.rand(2, 4, 6), 0)
    assert [each.reference for each in infidelity] == pytest.approx((score**2).tolist(), rel=1e-4)


def test_a_map_is_never_worse_than_an_empty_one(make_linear, weights, images):
    infidelity = measure_infidelity(make_linear(weights), images, torch.rand(2, 4, 6), 0)
    assert all(0.1 < each.relative <= 1 for each in infidelity)


def test_single_pixels_by_hand(make_linear, monkeypatch):
    monkeypatch.setattr(fidelity, "_SIDES", 0.5)
    monkeypatch.setattr(fidelity, "_RECTANGLES", 4000)
    weights = torch.zeros(1, 3, 2, 2)
    weights[0, :, 0, 0] = 1.0  # only one pixel matters, and white it is worth 3
    image, maps = torch.ones(1, 3, 2, 2), torch.tensor([[[3.0, 3.0], [0.0, 0.0]]])
    (infidelity,) = measure_infidelity(make_linear(weights), image, maps, 0)
    # A quarter of the rectangles takes that pixel away: 3² / 4. Another quarter takes the pixel
    # that only the map counts: half of what it says is best, and misses 1.5 on two quarters.
    assert infidelity.reference == pytest.approx(9 / 4, rel=0.1)
    assert infidelity.value == pytest.approx(2 * 1.5**2 / 4, rel=0.1)
    assert infidelity.samples == 4000


def test_a_network_that_never_reacts_has_no_relative_figure(make_linear, images):
    module = make_linear(torch.zeros(2, 3, 4, 6))
    (infidelity, _) = measure_infidelity(module, images, torch.rand(2, 4, 6), 0)
    assert infidelity == Infidelity(0.0, 0.0, 64)
    assert infidelity.relative == Undefined("the score changes under no perturbation")


def test_a_map_whose_rectangles_all_add_up_to_nothing_is_as_good_as_an_empty_one(
    make_linear, weights, images, monkeypatch
):
    monkeypatch.setattr(fidelity, "_SIDES", 1.0)
    maps = torch.tensor([1.0, -1.0]).repeat(2, 4, 3)
    assert measure_infidelity(make_linear(weights), images, maps, 0)[0].relative == 1


def test_an_image_has_its_figure_whatever_else_is_in_the_batch(make_linear, weights, images):
    maps = torch.rand(2, 4, 6)
    together = measure_infidelity(make_linear(weights), images, maps, (0, 1))
    alone = measure_infidelity(make_linear(weights), images[1:], maps[1:], 1)
    assert together[1] == alone[0]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_size_of_a_batch_changes_nothing_but_rounding(
    make_linear, weights, images, size, monkeypatch
):
    maps = torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0))
    other = measure_infidelity(make_linear(weights), images, maps, 0)
    monkeypatch.setattr(question, "_MOST_IMAGES", size)
    infidelity = measure_infidelity(make_linear(weights), images, maps, 0)
    assert [each.value for each in infidelity] == pytest.approx(
        [each.value for each in other], rel=1e-4
    )


def test_any_memory_format_is_taken(dual, pixels):
    images = pixels(2).to(memory_format=torch.channels_last)
    maps = torch.rand(32, 2, 32).transpose(0, 1)
    other = measure_infidelity(dual.branch("main"), pixels(2), maps.contiguous(), 0)
    for each, expected in zip(
        measure_infidelity(dual.branch("main"), images, maps, 0), other, strict=True
    ):
        assert each.value == pytest.approx(expected.value, rel=1e-4)


def test_a_constant_map_is_undefined_beside_a_sound_one(make_linear, weights, images):
    maps = torch.stack([torch.zeros(4, 6), torch.rand(4, 6)])
    empty, sound = measure_infidelity(make_linear(weights), images, maps, 0)
    assert empty == Undefined("the map is zero everywhere")
    assert isinstance(sound, Infidelity)


# -- max-sensitivity -----------------------------------------------------------------------------


def sensitivity_of(make_map, images, samples=10, seed=0):
    return max_sensitivity(make_map, images, make_map(images), samples=samples, seed=seed)


def test_max_sensitivity_of_a_map_that_adds_up_its_pixels(monkeypatch):
    monkeypatch.setattr(fidelity, "_RADIUS", 0.1)
    images = torch.full((1, 3, 4, 4), 0.5)  # far enough from 0 and 1 that nothing is cut
    infidelity = sensitivity_of(lambda shown: shown.sum(1) * RAMP, images, samples=5)
    generator = torch.Generator().manual_seed(0)
    noises = [0.1 * (torch.rand(3, 4, 4, generator=generator) * 2 - 1) for _ in range(5)]
    lengths = [(noise.sum(0) * RAMP).norm() for noise in noises]
    expected = (max(lengths) / (1.5 * RAMP).norm()).item()
    assert infidelity == (pytest.approx(expected, rel=1e-5),)


def test_it_is_captums_sensitivity(pixels):
    images, noise = pixels(2, 4), torch.Generator().manual_seed(3)

    def perturb(copies):
        return (copies + 0.02 * (torch.rand(3, 4, 4, generator=noise) * 2 - 1)).clamp(0, 1)

    def squares(shown):
        return shown.square().mean(1)

    expected = captum.metrics.sensitivity_max(
        lambda shown: (squares(shown if isinstance(shown, torch.Tensor) else shown[0]),),
        images,
        perturb_func=perturb,
        n_perturb_samples=6,
        max_examples_per_batch=2,
    )
    assert sensitivity_of(squares, images, 6, seed=3) == pytest.approx(expected.tolist())


RAMP = torch.arange(16.0).view(4, 4)


def test_a_map_that_holds_still_has_sensitivity_zero(pixels):
    assert sensitivity_of(lambda shown: RAMP.expand(2, 4, 4), pixels(2, 4)) == (0.0, 0.0)


def test_the_maker_always_sees_all_images_in_order_within_the_radius(pixels):
    images, seen = pixels(2, 4), []
    sensitivity_of(lambda shown: seen.append(shown) or shown.mean(1), images)
    for shown in seen:
        assert (shown - images).abs().max() <= 0.02 + 1e-6
        assert 0 <= shown.min() <= shown.max() <= 1
    assert len(seen) == 1 + 10


def test_an_image_has_its_sensitivity_whatever_else_is_in_the_batch(pixels):
    images = pixels(2, 4)
    together = sensitivity_of(lambda shown: shown.mean(1), images)
    assert together[1] == sensitivity_of(lambda shown: shown.mean(1), images[1:])[0]


def test_constant_and_broken_maps_have_no_sensitivity(pixels):
    images = pixels(2, 4)

    def make_map(shown):
        maps = shown.mean(1)
        maps[0] = 1.0
        return maps if torch.equal(shown, images) else maps / 0

    assert sensitivity_of(make_map, images) == (
        Undefined("the map is constant"),
        Undefined("the map of a perturbed picture is not finite"),
    )
