from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import filters
from torch import Tensor

from advprop_core.pictures.corruptions.spatter import equalised, rim_distance, spatter
from advprop_core.pictures.draws import normal, streams
from advprop_core.pictures.filters import smooth

WATER = ((0.65, 0.3, 4, 0.69, 0.6), (0.65, 0.3, 3, 0.68, 0.6), (0.65, 0.3, 2, 0.68, 0.5))
MUD = ((0.65, 0.3, 1, 0.65, 1.5), (0.67, 0.4, 1, 0.65, 1.5))


def wetness(mean: float, spread: float, sigma: float, seed: int) -> np.ndarray:
    draw = normal(streams(seed, 1), 120, 120)[0].double().numpy()
    return filters.gaussian(mean + spread * draw, sigma=sigma)


@pytest.mark.parametrize(("severity", "settings"), list(enumerate(MUD, start=4)))
def test_mud_covers_what_is_wet(
    severity: int,
    settings: tuple[float, ...],
    photo: Tensor,
    rows_last: Callable[[Tensor], np.ndarray],
) -> None:
    mean, spread, sigma, threshold, softness = settings
    pixels = photo[..., :120, :120]
    cover = filters.gaussian((wetness(mean, spread, sigma, 1) > threshold) * 1.0, sigma=softness)
    cover = np.where(cover < 0.8, 0, cover)[..., None]
    expected = rows_last(pixels)[0] * (1 - cover) + cover * np.array([63, 42, 20]) / 255
    result = rows_last(spatter(pixels, severity, 1))[0]
    # a wet pixel may lie so near a threshold that rounding decides
    assert np.mean(np.abs(result - expected) > 1e-4) < 0.002


@pytest.mark.parametrize(("severity", "settings"), list(enumerate(WATER, start=1)))
def test_water_shines_inside_its_drops(severity: int, settings: tuple[float, ...]) -> None:
    mean, spread, sigma, threshold, strength = settings
    shine = spatter(torch.zeros(1, 3, 120, 120), severity, 1)[0]
    drops = wetness(mean, spread, sigma, 1) >= threshold
    assert drops.any()
    assert (shine.numpy()[:, ~drops] == 0).mean() > 0.999
    assert shine.max().item() == pytest.approx(strength * 238 / 255)
    torch.testing.assert_close(shine[0], shine[1] * (175 / 238))
    torch.testing.assert_close(shine[1], shine[2])


def test_distances_are_scipys_up_to_twenty() -> None:
    draw = smooth(normal(streams(0, 2), 1, 70, 90), 5)
    inside = draw > 0.1
    for area, distance in zip(inside[:, 0].numpy(), rim_distance(inside)[:, 0], strict=True):
        rim = area & ~ndimage.binary_erosion(area, border_value=1)
        expected = np.minimum(ndimage.distance_transform_edt(~rim), 20)
        assert expected.max() == 20
        np.testing.assert_allclose(distance, expected, atol=1e-5)


def test_equalising_spreads_levels_by_how_frequent_they_are() -> None:
    levels = torch.tensor([[3.0, 3, 3, 3], [5, 5, 20, 20]]).view(1, 1, 2, 4)
    # beyond the lowest level there are four values: two have passed 5, and four have passed 20
    expected = torch.tensor([[0.0, 0, 0, 0], [128, 128, 255, 255]]).view(1, 1, 2, 4)
    torch.testing.assert_close(equalised(levels), expected, atol=1, rtol=0)
    assert equalised(torch.full((1, 1, 2, 2), 7.0)).unique().numel() == 1
