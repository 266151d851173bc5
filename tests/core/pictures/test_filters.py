import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from advprop_core.pictures.filters import smooth, streak, streak_taps, zoom_in


@pytest.mark.parametrize(
    ("sigma", "truncate", "edge"),
    [(0.7, 4, "nearest"), (6, 4, "nearest"), (2.44, 3, "reflect"), (170.8, 3, "reflect")],
)
def test_smoothing_is_scipys(sigma: float, truncate: float, edge: str, patches: Tensor) -> None:
    expected = ndimage.gaussian_filter(
        patches.double().numpy(), (0, 0, sigma, sigma), truncate=truncate, mode=edge
    )
    result = smooth(patches, sigma, truncate, edge)  # type: ignore[arg-type]
    np.testing.assert_allclose(result, expected, atol=2e-6)


@pytest.mark.parametrize("factor", [1.0, 1.01, 1.12, 1.3, 2.5, 3, 4.5])
@pytest.mark.parametrize("side", [224, 40])
def test_zooming_is_scipys(factor: float, side: int, photo: Tensor) -> None:
    picture = photo[..., :side, :side]
    cut = math.ceil(side / factor)
    first = (side - cut) // 2
    middle = picture[0, 0, first : first + cut, first : first + cut].double().numpy()
    large = ndimage.zoom(middle, factor, order=1)
    trim = (len(large) - side) // 2
    expected = large[trim : trim + side, trim : trim + side]
    np.testing.assert_allclose(zoom_in(picture, factor)[0, 0], expected, atol=5e-5)


def test_both_sides_of_a_zoom_are_treated_alike(patches: Tensor) -> None:
    torch.testing.assert_close(zoom_in(patches.mT, 1.2).mT, zoom_in(patches, 1.2))


@pytest.mark.parametrize("angle", [0, 30, -45, -90, 137.5])
def test_a_streak_is_half_a_gaussian_along_its_angle(angle: float) -> None:
    taps = list(streak_taps(15, 8, angle))
    assert len(taps) == 31
    assert sum(weight for weight, _, _ in taps) == pytest.approx(1)
    assert taps[8][0] / taps[0][0] == pytest.approx(math.exp(-0.5))
    assert taps[0][1:] == (0, 0)
    for step, (_, x, y) in enumerate(taps):
        assert abs(x - step * math.cos(math.radians(angle))) <= 0.5 + 1e-9
        assert abs(y - step * math.sin(math.radians(angle))) <= 0.5 + 1e-9


def test_a_streak_to_the_right_is_a_filter_along_rows(patches: Tensor) -> None:
    weights = np.exp(-0.5 * (np.arange(21) / 3) ** 2)
    kernel = np.concatenate([np.zeros(20), weights / weights.sum()])
    expected = ndimage.correlate1d(patches.double().numpy(), kernel, axis=3, mode="nearest")
    np.testing.assert_allclose(streak(patches, 10, 3, [0, 0, 0]), expected, atol=1e-6)


def test_every_picture_has_its_own_angle() -> None:
    dots = torch.zeros(3, 1, 41, 41)
    dots[:, :, 20, 20] = 1
    right, down, left = streak(dots, 5, 2, [0, 90, 180])[:, 0]
    # a pixel reads what lies ahead of it, so the dot is dragged the other way
    assert (right[20, 10:21] > 0).all()
    assert right.count_nonzero() == 11
    assert torch.equal(down, right.T)
    torch.testing.assert_close(left, right.flip(1))
