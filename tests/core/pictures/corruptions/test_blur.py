import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import filters
from torch import Tensor

from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.corruptions.blur import disc

SIGMAS = (1, 2, 3, 4, 6)
DISCS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))
ZOOMS = (
    [1 + step / 100 for step in range(12)],
    [1 + step / 100 for step in range(16)],
    [1 + step / 50 for step in range(11)],
    [1 + step / 50 for step in range(13)],
    [1 + 3 * step / 100 for step in range(11)],
)


@pytest.mark.parametrize(("severity", "sigma"), list(enumerate(SIGMAS, start=1)))
def test_gaussian_blur_is_scikit_images(
    severity: int, sigma: float, patches: Tensor, rows_last: Callable[[Tensor], np.ndarray]
) -> None:
    result = rows_last(corrupt(patches, CorruptionConfig("gaussian_blur", severity)))
    for blurred, clean in zip(result, rows_last(patches), strict=True):
        expected = filters.gaussian(clean, sigma=sigma, channel_axis=-1)
        np.testing.assert_allclose(blurred, expected, atol=2e-6)


def soft_disc(radius: int, softness: float) -> np.ndarray:
    """The kernel, by a loop over its pixels and SciPy's correlation."""
    reach, soft = (8, 1) if radius <= 8 else (radius, 2)
    places = range(-reach, reach + 1)
    hard = np.array([[float(math.hypot(x, y) <= radius) for x in places] for y in places])
    bell = np.array([math.exp(-(step**2) / (2 * softness**2)) for step in range(-soft, soft + 1)])
    bell /= bell.sum()
    return ndimage.correlate(hard / hard.sum(), np.outer(bell, bell), mode="mirror")


@pytest.mark.parametrize(("severity", "shape"), list(enumerate(DISCS, start=1)))
def test_defocus_blur_is_a_correlation_with_a_disc(
    severity: int, shape: tuple[int, float], patches: Tensor
) -> None:
    kernel = soft_disc(*shape)
    np.testing.assert_allclose(disc(*shape), kernel, atol=1e-12)
    result = corrupt(patches, CorruptionConfig("defocus_blur", severity))
    expected = ndimage.correlate(patches.double().numpy(), kernel[None, None], mode="mirror")
    np.testing.assert_allclose(result, np.clip(expected, 0, 1), atol=2e-6)


def test_the_smallest_disc_has_29_pixels() -> None:
    kernel = disc(3, 0.1)
    assert (kernel > 1e-3).sum() == 29  # whole points within 3 of the origin
    assert (kernel > 1e-3)[8].nonzero().flatten().tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert kernel.sum().item() == pytest.approx(1)


def test_mirrored_rims_make_the_two_largest_discs_brighten() -> None:
    sums = [disc(*shape).sum().item() for shape in DISCS]
    assert sums == pytest.approx([1, 1, 1, 1.013, 1.011], abs=5e-4)


@pytest.mark.parametrize(("severity", "line"), list(enumerate(MOTION, start=1)))
def test_motion_blur_drags_within_45_degrees(severity: int, line: tuple[int, float]) -> None:
    dots = torch.zeros(12, 3, 101, 101)
    dots[:, :, 50, 50] = 1
    result = corrupt(dots, CorruptionConfig("motion_blur", severity))[:, 0].double()
    weights = np.exp(-0.5 * (np.arange(2 * line[0] + 1) / line[1]) ** 2)
    mean = (weights * np.arange(len(weights))).sum() / weights.sum()
    reach = torch.arange(101) - 50
    x, y = (result.sum(1) * reach).sum(1), (result.sum(2) * reach).sum(1)
    np.testing.assert_allclose(result.sum((1, 2)), 1, atol=1e-6)
    np.testing.assert_allclose(torch.hypot(x, y), mean, atol=0.5)
    angles = torch.rad2deg(torch.atan2(-y, -x))
    assert angles.abs().max() < 47
    assert angles.min() < -15 < 15 < angles.max()


@pytest.mark.parametrize(("severity", "factors"), list(enumerate(ZOOMS, start=1)))
def test_zoom_blur_is_a_mean_of_zooms(severity: int, factors: list[float], photo: Tensor) -> None:
    grey = photo[0, 1, :224, :224].double().numpy()
    total = grey.copy()
    for factor in factors:
        cut = math.ceil(224 / factor - 1e-9)
        first = (224 - cut) // 2
        large = ndimage.zoom(grey[first : first + cut, first : first + cut], factor, order=1)
        trim = (len(large) - 224) // 2
        total += large[trim : trim + 224, trim : trim + 224]
    result = corrupt(photo, CorruptionConfig("zoom_blur", severity))[0, 1]
    np.testing.assert_allclose(result, total / (len(factors) + 1), atol=5e-5)
