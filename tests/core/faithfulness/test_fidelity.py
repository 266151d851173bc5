import pytest
import torch

from advprop_core.faithfulness import forward
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
    original = forward.logits

    def count(network, pictures):
        shown.append(len(pictures))
        return original(network, pictures)

    image = images[:1].expand(3, -1, -1, -1)
    maps = torch.stack([times_input(weights, images[:1], 0)[0], *torch.rand(2, 4, 6)])
    alone = [
        measure_infidelity(module, images[:1], one[None], 0, samples=8, batch_size=4)[0]
        for one in maps
    ]
    monkeypatch.setattr(forward, "logits", count)
    found = measure_infidelity(module, image, maps, 0, samples=8, batch_size=4)
    assert list(found) == alone
    assert shown == [1, 4, 1, 4, 1]  # the number of classes; then copies, image, copies, image


def test_input_times_gradient_foretells_a_linear_network(make_linear, weights, images):
    maps = times_input(weights, images, 1)
    found = measure_infidelity(make_linear(weights), images, maps, 1, rescale=False)
    assert [one.value for one in found] == pytest.approx([0, 0], abs=1e-9)
    assert all(one.reference > 0.1 for one in found)
    assert [one.relative for one in found] == pytest.approx([0, 0], abs=1e-9)


@pytest.mark.parametrize("filling", ["grey", "blurred"])
def test_a_map_from_black_does_not_foretell_what_grey_does(make_linear, weights, images, filling):
    maps = times_input(weights, images, 0)
    found = measure_infidelity(
        make_linear(weights), images, maps, 0, removed_to=filling, rescale=False
    )
    assert all(one.value > 0.1 for one in found)


def test_literal_errors_when_the_whole_picture_is_removed(make_linear, weights, images):
    score = (weights[0] * images).sum((1, 2, 3))
    maps = 3 * times_input(weights, images, 0)  # foretells three times the true loss
    found = measure_infidelity(make_linear(weights), images, maps, 0, window=1.0, rescale=False)
    assert [one.reference for one in found] == pytest.approx((score**2).tolist(), rel=1e-4)
    assert [one.value for one in found] == pytest.approx((4 * score**2).tolist(), rel=1e-4)
    assert [one.relative for one in found] == pytest.approx([4, 4], rel=1e-4)


def test_rescaling_forgives_a_factor(make_linear, weights, images):
    maps = -3 * times_input(weights, images, 0)
    found = measure_infidelity(make_linear(weights), images, maps, 0)
    assert [one.relative for one in found] == pytest.approx([0, 0], abs=1e-5)


def test_a_rescaled_map_is_never_worse_than_an_empty_one(make_linear, weights, images):
    found = measure_infidelity(make_linear(weights), images, torch.rand(2, 4, 6), 0)
    assert all(0.1 < one.relative <= 1 + 1e-5 for one in found)


def test_single_pixels_by_hand(make_linear):
    weights = torch.zeros(1, 3, 2, 2)
    weights[0, :, 0, 0] = 1.0  # only one pixel matters, and white it is worth 3
    image, maps = torch.ones(1, 3, 2, 2), torch.tensor([[[0.0, 3.0], [0.0, 0.0]]])
    (found,) = measure_infidelity(
        make_linear(weights), image, maps, 0, window=0.5, rescale=False, samples=4000
    )
    # A quarter of the windows takes that pixel away: 3² / 4. The map is wrong on two quarters.
    assert found.reference == pytest.approx(9 / 4, rel=0.1)
    assert found.value == pytest.approx(2 * 9 / 4, rel=0.1)
    assert found.samples == 4000


def test_a_network_that_never_reacts_has_no_relative_figure(make_linear, images):
    module = make_linear(torch.zeros(2, 3, 4, 6))
    (found, _) = measure_infidelity(module, images, torch.rand(2, 4, 6), 0)
    assert found == Infidelity(0.0, 0.0, 64)
    assert found.relative == Undefined("the score changes under no perturbation")


def test_an_image_has_its_figure_whatever_else_is_in_the_batch(make_linear, weights, images):
    maps = torch.rand(2, 4, 6)
    together = measure_infidelity(make_linear(weights), images, maps, (0, 1))
    alone = measure_infidelity(make_linear(weights), images[1:], maps[1:], 1)
    assert together[1] == alone[0]


@pytest.mark.parametrize("size", [1, 7, 64, 100])
def test_the_size_of_a_batch_changes_nothing_but_rounding(make_linear, weights, images, size):
    maps = torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0))
    options = {"samples": 20, "rescale": False}
    found = measure_infidelity(make_linear(weights), images, maps, 0, batch_size=size, **options)
    other = measure_infidelity(make_linear(weights), images, maps, 0, **options)
    assert [one.value for one in found] == pytest.approx([one.value for one in other], rel=1e-4)


@pytest.mark.filterwarnings("error")
def test_any_memory_format_is_taken_without_a_warning(dual, pixels):
    images = pixels(2).to(memory_format=torch.channels_last)
    maps = torch.rand(32, 2, 32).transpose(0, 1)
    measure_infidelity(dual.branch("main"), images, maps, 0, samples=4)
    max_sensitivity(lambda shown: shown.permute(0, 2, 3, 1).mean(3), images, samples=2)


def test_a_constant_map_is_undefined_beside_a_sound_one(make_linear, weights, images):
    maps = torch.stack([torch.zeros(4, 6), torch.rand(4, 6)])
    empty, sound = measure_infidelity(make_linear(weights), images, maps, 0)
    assert empty == Undefined("the map is zero everywhere")
    assert isinstance(sound, Infidelity)


# -- max-sensitivity -----------------------------------------------------------------------------


def test_max_sensitivity_of_a_map_that_adds_up_its_pixels():
    images = torch.full((1, 3, 4, 4), 0.5)  # far enough from 0 and 1 that nothing is cut
    found = max_sensitivity(lambda shown: shown.sum(1) * RAMP, images, radius=0.1, samples=5)
    generator = torch.Generator().manual_seed(0)
    noises = [0.1 * (torch.rand(3, 4, 4, generator=generator) * 2 - 1) for _ in range(5)]
    lengths = [(noise.sum(0) * RAMP).norm() for noise in noises]
    expected = (max(lengths) / (1.5 * RAMP).norm()).item()
    assert found.values == (pytest.approx(expected, rel=1e-5),)
    assert (found.radius, found.samples) == (0.1, 5)


RAMP = torch.arange(16.0).view(4, 4)


def test_a_map_that_holds_still_has_sensitivity_zero(pixels):
    assert max_sensitivity(lambda shown: RAMP.expand(2, 4, 4), pixels(2, 4)).values == (0.0, 0.0)


def test_the_maker_always_sees_all_images_in_order_within_the_radius(pixels):
    images, seen = pixels(2, 4), []
    max_sensitivity(lambda shown: seen.append(shown) or shown.mean(1), images, radius=0.05)
    for shown in seen:
        assert (shown - images).abs().max() <= 0.05 + 1e-6
        assert 0 <= shown.min() <= shown.max() <= 1
    assert len(seen) == 12  # for the check, for captum's reference, and 10 times moved


def test_an_image_has_its_sensitivity_whatever_else_is_in_the_batch(pixels):
    images = pixels(2, 4)
    together = max_sensitivity(lambda shown: shown.mean(1), images).values
    assert together[1] == max_sensitivity(lambda shown: shown.mean(1), images[1:]).values[0]


def test_sensitivity_of_gradient_maps(dual, pixels):
    def gradient(shown):
        own = shown.detach().requires_grad_()
        return torch.autograd.grad(dual.branch("aux")(own)[:, 0].sum(), own)[0].abs().amax(1)

    assert all(value > 0 for value in max_sensitivity(gradient, pixels(), samples=2).values)


def test_constant_and_broken_maps_have_no_sensitivity(pixels):
    images = pixels(2, 4)

    def make_map(shown):
        maps = shown.mean(1)
        maps[0] = 1.0
        return maps if torch.equal(shown, images) else maps / 0

    assert max_sensitivity(make_map, images).values == (
        Undefined("the map is constant"),
        Undefined("the map of a perturbed picture is not finite"),
    )


def test_what_is_out_of_range_is_refused(make_linear, weights, images):
    module, maps = make_linear(weights), torch.rand(2, 4, 6)
    with pytest.raises(ValueError, match="window must be a share"):
        measure_infidelity(module, images, maps, 0, window=0)
    with pytest.raises(ValueError, match="samples must be at least 1"):
        measure_infidelity(module, images, maps, 0, samples=0)
    with pytest.raises(ValueError, match="radius must be a share"):
        max_sensitivity(lambda shown: shown.mean(1), images, radius=0)
    with pytest.raises(ValueError, match="samples must be at least 1"):
        max_sensitivity(lambda shown: shown.mean(1), images, samples=0)
