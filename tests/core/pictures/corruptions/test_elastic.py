import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import transform
from torch import Tensor

from advprop_core.pictures.corruptions.digital import affine_places, elastic_transform
from advprop_core.pictures.draws import streams, uniform

ELASTIC = (
    (488, 170.8, 24.4),
    (488, 19.52, 48.8),
    (12.2, 2.44, 4.88),
    (17.08, 2.44, 4.88),
    (29.28, 2.44, 4.88),
)


def corners(height: int, width: int) -> np.ndarray:
    arm = min(height, width) // 3
    signs = np.array([[1, 1], [1, -1], [-1, -1]])
    return np.array([width // 2, height // 2]) + arm * signs


def test_no_moves_read_every_pixel_at_its_place() -> None:
    places = affine_places(torch.zeros(1, 3, 2), 33, 50)[0]
    rows, columns = np.indices((33, 50))
    np.testing.assert_allclose(places[0], columns, atol=1e-9)
    np.testing.assert_allclose(places[1], rows, atol=1e-9)


def test_moved_points_read_where_they_came_from() -> None:
    moves = torch.tensor([[[3.0, 0], [0, 2], [-4, 5]]])
    places = affine_places(moves, 60, 90)[0]
    for point, move in zip(corners(60, 90), moves[0].int().numpy(), strict=True):
        x, y = point + move
        np.testing.assert_allclose(places[:, y, x], point, atol=1e-9)


@pytest.mark.parametrize(("severity", "settings"), list(enumerate(ELASTIC, start=1)))
def test_elastic_transform_is_scipys_with_the_same_displacement(
    severity: int, settings: tuple[float, float, float], photo: Tensor
) -> None:
    strength, sigma, shift = settings
    pixels = photo[..., :180, :200]
    draws = streams(6, 1)
    moves = shift * uniform(draws, 3, 2)[0].double().numpy()
    rough = uniform(draws, 2, 180, 200)[0].double().numpy()

    before = corners(180, 200)
    back = transform.AffineTransform.from_estimate(before + moves, before)
    own = np.indices((180, 200)).astype(float)
    across, down = back(own[::-1].reshape(2, -1).T).T
    affine = ndimage.map_coordinates(
        pixels[0, 0].double().numpy(), [down, across], order=1, mode="mirror"
    ).reshape(180, 200)
    along, below = (
        strength * ndimage.gaussian_filter(field, sigma, mode="reflect", truncate=3)
        for field in rough
    )
    places = [own[0] + below, own[1] + along]
    expected = ndimage.map_coordinates(affine, places, order=1, mode="reflect")

    result = elastic_transform(pixels, severity, 6)[0, 0]
    np.testing.assert_allclose(result, expected, atol=3e-4)
