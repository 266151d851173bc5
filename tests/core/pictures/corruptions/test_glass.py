from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage import filters
from torch import Tensor

from advprop_core.pictures.corruptions.blur import glass_blur, scatter_sources
from advprop_core.pictures.draws import streams, whole

GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))


def scatter_one_by_one(picture: np.ndarray, steps: np.ndarray, reach: int) -> None:
    """The visit of pixel after pixel, as NumPy carries it out: the pixel takes, the other keeps."""
    height, width = picture.shape[:2]
    for row in range(height - reach, reach, -1):
        for column in range(width - reach, reach, -1):
            down, along = steps[:, row, column]
            picture[row, column] = picture[row + down, column + along]


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_following_chains_is_visiting_pixel_by_pixel(reach: int) -> None:
    steps = whole(streams(0, 2), -reach, reach, 2, 37, 45)
    sources = scatter_sources(steps[:, 0], steps[:, 1], reach)
    for source, step in zip(sources, steps.numpy(), strict=True):
        picture = np.arange(37 * 45).reshape(37, 45, 1)
        scatter_one_by_one(picture, step, reach)
        np.testing.assert_array_equal(source, picture.ravel())


@pytest.mark.parametrize(("severity", "settings"), list(enumerate(GLASS, start=1)))
def test_glass_blur_is_blur_scatter_blur(
    severity: int,
    settings: tuple[float, int, int],
    patches: Tensor,
    rows_last: Callable[[Tensor], np.ndarray],
) -> None:
    sigma, reach, rounds = settings
    picture = filters.gaussian(rows_last(patches[:1])[0], sigma=sigma, channel_axis=-1)
    steps = whole(streams(5, 1), -reach, reach, rounds, 2, 40, 48)[0]
    for step in steps.numpy():
        scatter_one_by_one(picture, step, reach)
    expected = filters.gaussian(picture, sigma=sigma, channel_axis=-1)
    result = rows_last(glass_blur(patches[:1], severity, 5))[0]
    np.testing.assert_allclose(result, expected, atol=3e-6)


def test_a_chain_of_any_length_is_followed() -> None:
    down, along = torch.zeros(2, 1, 32, 2000, dtype=torch.long)
    along += 1  # everyone takes from the right neighbour, who has taken before
    sources = scatter_sources(down, along, 2).view(32, 2000)
    assert (sources[10, 3:1999] == 10 * 2000 + 1999).all()
    assert sources[10, 2] == 10 * 2000 + 2
