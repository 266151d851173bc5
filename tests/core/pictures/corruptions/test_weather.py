import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import color
from torch import Tensor

from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.corruptions.crystals import frost_textures
from advprop_core.pictures.corruptions.plasma import plasma
from advprop_core.pictures.corruptions.weather import fog, frost, snow
from advprop_core.pictures.draws import normal, streams, uniform

SNOW = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
FROST = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
FOG = ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))


def falling(field: np.ndarray, size: float, threshold: float) -> np.ndarray:
    side = len(field)
    cut = math.ceil(side / size)
    first = (side - cut) // 2
    large = ndimage.zoom(field[first : first + cut, first : first + cut], size, order=1)
    trim = (len(large) - side) // 2
    layer = large[trim : trim + side, trim : trim + side]
    return np.clip(np.where(layer < threshold, 0, layer), 0, 1)


def dragged(layer: np.ndarray, radius: int, sigma: float, angle: float) -> np.ndarray:
    rows, columns = np.indices(layer.shape)
    weights = np.exp(-0.5 * (np.arange(2 * radius + 1) / sigma) ** 2)
    total = np.zeros_like(layer)
    for step, weight in enumerate(weights / weights.sum()):
        down = math.ceil(step * math.sin(math.radians(angle)) - 0.5)
        along = math.ceil(step * math.cos(math.radians(angle)) - 0.5)
        places = [rows + down, columns + along]
        total += weight * ndimage.map_coordinates(layer, places, order=1, mode="nearest")
    return total


@pytest.mark.parametrize(("severity", "fall"), list(enumerate(SNOW, start=1)))
def test_snow_follows_the_published_recipe(
    severity: int, fall: tuple[float, ...], photo: Tensor, rows_last: Callable[..., np.ndarray]
) -> None:
    mean, spread, size, threshold, radius, sigma, kept = fall
    pixels = photo[..., 60:160, 60:160]
    draws = streams(2, 1)
    field = mean + spread * normal(draws, 100, 100)[0].double().numpy()
    angle = -90 + 45 * uniform(draws, 1).item()
    flakes = dragged(falling(field, size, threshold), int(radius), sigma, angle)[..., None]
    clean = rows_last(pixels)[0]
    grey = (clean @ [0.299, 0.587, 0.114])[..., None]
    white = np.maximum(clean, 1.5 * grey + 0.5)
    expected = kept * clean + (1 - kept) * white + flakes + np.rot90(flakes, 2)
    result = rows_last(snow(pixels, severity, 2))[0]
    # a flake may lie so near the threshold that rounding decides
    assert np.mean(np.abs(result - expected) > 1e-4) < 0.002


@pytest.mark.parametrize(("severity", "weights"), list(enumerate(FROST, start=1)))
def test_frost_is_a_weighted_sum(severity: int, weights: tuple[float, float]) -> None:
    black = torch.zeros(2, 3, 40, 600)
    ice = frost(black, severity, 0)
    torch.testing.assert_close(frost(black + 1, severity, 0), ice + weights[0])
    rows = ice[0, :, :, :512].mean(2) / weights[1]  # as wide as a texture: its rows, turned round
    means = frost_textures().mean(3)
    windows = torch.cat([means, means[..., :39]], 2).unfold(2, 40, 1)  # (5,3,512,40)
    errors = (windows - rows[None, :, None]).abs().amax((1, 3))
    assert (errors < 1e-5).sum() == 1
    torch.testing.assert_close(ice[..., 512:], ice[..., :88])


@pytest.mark.parametrize(("severity", "settings"), list(enumerate(FOG, start=1)))
def test_fog_adds_clouds_and_keeps_the_brightest_value(
    severity: int, settings: tuple[float, float], patches: Tensor
) -> None:
    strength, decay = settings
    clouds = plasma(uniform(streams(4, 3), 256, 256), decay)[:, None, :40, :48]
    for result, clean, cloud in zip(fog(patches, severity, 4), patches, clouds, strict=True):
        top = clean.max()
        torch.testing.assert_close(result, (clean + strength * cloud) * top / (top + strength))
        assert result.max() <= top


def test_fog_covers_photos_larger_than_its_usual_map() -> None:
    result = fog(torch.ones(1, 3, 40, 300), 1, 0)
    assert result.shape == (1, 3, 40, 300)
    assert not torch.allclose(result[..., :44], result[..., 256:])


@pytest.mark.parametrize(("severity", "lift"), list(enumerate((0.1, 0.2, 0.3, 0.4, 0.5), start=1)))
def test_brightness_raises_the_value_of_hsv(
    severity: int, lift: float, photo: Tensor, rows_last: Callable[..., np.ndarray]
) -> None:
    pixels = photo.clone()
    pixels[..., :9] = 0  # black, which has no hue
    hsv = color.rgb2hsv(rows_last(pixels)[0])
    hsv[..., 2] = np.clip(hsv[..., 2] + lift, 0, 1)
    result = rows_last(corrupt(pixels, CorruptionConfig("brightness", severity)))[0]
    np.testing.assert_allclose(result, color.hsv2rgb(hsv), atol=2e-6)
