"""The same maps measured by Quantus (Hedström et al., arXiv 2202.06861).

Where the definitions differ they are made the same here: Quantus' deletion curve begins after the
first step, and one of several largest values is enough for its pointing game, so no values are
tied. Its infidelity is left out: it foretells from the map times the change of the pixels, and
never puts a removed block back. So are its areas (`numpy.trapz`, which NumPy dropped) and its
randomisation check (another way to draw weights, layer by layer instead of stage by stage).
"""

import numpy as np
import pytest
import quantus
import torch

from advprop_core.faithfulness import curves
from advprop_core.faithfulness.fidelity import max_sensitivity
from advprop_core.faithfulness.objects import inside_shares, pointing_hits

SIDE = 12
CLASSES = [2, 0, 1, 2]
PLAIN = {"abs": False, "normalise": False, "disable_warnings": True}  # maps as they are


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def images(pixels):
    return pixels(len(CLASSES), SIDE)


@pytest.fixture
def maps():
    return draw(len(CLASSES), SIDE, SIDE, seed=1)


@pytest.fixture
def masks():
    """A rectangle each, of different sizes."""
    shown = torch.zeros(len(CLASSES), SIDE, SIDE, dtype=torch.bool)
    for place, mask in enumerate(shown):
        mask[place : 3 * place + 3, 2 : 8 + place] = True
    return shown


@pytest.fixture
def module(make_linear):
    """Steep enough for probabilities to move while pixels are removed."""
    return make_linear(draw(3, 3, SIDE, SIDE, seed=2) / 4)


def ask(metric, module, images, maps, masks=None, **options):
    """One value, or one curve, per image."""
    return metric(
        model=module,
        x_batch=images.numpy(),
        y_batch=np.array(CLASSES),
        a_batch=maps[:, None].numpy(),
        s_batch=None if masks is None else masks[:, None].numpy(),
        channel_first=True,
        **options,
    )


def test_the_share_inside_is_relevance_mass_accuracy(module, images, maps, masks):
    mass = quantus.RelevanceMassAccuracy(**PLAIN)
    expected = ask(mass, module, images, maps.clamp_min(0), masks)
    assert inside_shares(maps, masks) == pytest.approx(tuple(expected), abs=1e-6)


def test_the_share_inside_is_attribution_localisation_of_positive_values(
    module, images, maps, masks
):
    localisation = quantus.AttributionLocalisation(positive_attributions=True, **PLAIN)
    expected = ask(localisation, module, images, maps, masks)
    assert inside_shares(maps, masks) == pytest.approx(tuple(expected), abs=1e-6)


def test_pointing_is_the_pointing_game(module, images, maps, masks):
    maps[0, 1, 3] = maps[3, 5, 5] = 9  # these two lie on their object
    maps[1, 0, 0] = maps[2, 11, 11] = 9
    expected = ask(quantus.PointingGame(**PLAIN), module, images, maps, masks)
    assert list(expected) == [True, False, False, True]
    assert list(pointing_hits(maps, masks)) == list(expected)


@pytest.mark.parametrize("level", [0.5, 0.0])
@pytest.mark.parametrize("at_a_time", [1, 4, 12])
def test_deletion_is_pixel_flipping(module, images, maps, level, at_a_time, monkeypatch):
    monkeypatch.setattr(curves, "_STEP", at_a_time / SIDE**2)
    monkeypatch.setattr(curves, "_GREY", level)
    # Quantus counts channel values: three, neighbours in the order since they are tied, a pixel.
    flipping = quantus.PixelFlipping(
        features_in_step=3 * at_a_time, perturb_baseline=level, **PLAIN
    )
    expected = torch.tensor(ask(flipping, module, images, maps))
    measured = curves.measure_curves(module, images, maps, CLASSES)
    lines = torch.stack([pair.deletion.probabilities for pair in measured])
    assert (lines.amax(1) - lines.amin(1)).mean() > 0.2
    torch.testing.assert_close(lines[:, 1:], expected, atol=1e-5, rtol=0)


def test_max_sensitivity_under_the_same_noise(make_linear, images):
    weights = draw(3, 3, SIDE, SIDE, seed=2)
    module = make_linear(weights)
    shown = []

    def explain(pictures):
        shown.append(pictures)
        return ((pictures - 0.4) ** 2 * weights[CLASSES]).sum(1)

    measured = max_sensitivity(explain, images, explain(images), samples=5)
    noisy = iter([one for one in shown if not torch.equal(one, images)])

    sensitivity = quantus.MaxSensitivity(
        nr_samples=5, perturb_func=lambda arr, **_: next(noisy).numpy().reshape(arr.shape), **PLAIN
    )
    expected = ask(
        sensitivity,
        module,
        images,
        explain(images),
        explain_func=lambda model, inputs, targets, **_: explain(torch.tensor(inputs)).numpy(),
    )
    assert next(noisy, None) is None
    assert min(expected) > 0.001
    assert measured == pytest.approx(tuple(expected), rel=1e-4)
