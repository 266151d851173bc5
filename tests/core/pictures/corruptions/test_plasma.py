import numpy as np
import pytest

from advprop_core.pictures.corruptions.plasma import plasma
from advprop_core.pictures.draws import streams, uniform


def diamond_square(wobbles: np.ndarray, decay: float) -> np.ndarray:
    """One map, point by point."""
    side = len(wobbles)
    heights = np.zeros((side, side))
    step, size = side, 1.0
    while step >= 2:
        half = step // 2
        for row in range(half, side, step):
            for column in range(half, side, step):
                ends = [(row + i, column + j) for i in (-half, half) for j in (-half, half)]
                mean = sum(heights[i % side, j % side] for i, j in ends) / 4
                heights[row, column] = mean + size * wobbles[row, column]
        for row in range(0, side, half):
            for column in range((row + half) % step, side, step):
                ends = [(row - half, column), (row + half, column)]
                ends += [(row, column - half), (row, column + half)]
                mean = sum(heights[i % side, j % side] for i, j in ends) / 4
                heights[row, column] = mean + size * wobbles[row, column]
        step, size = half, size / decay**2
    return (heights - heights.min()) / (heights.max() - heights.min())


@pytest.mark.parametrize("decay", [1.4, 2])
def test_clouds_are_those_of_the_loop(decay: float) -> None:
    wobbles = uniform(streams(0, 3), 32, 32)
    expected = [diamond_square(wobble.double().numpy(), decay) for wobble in wobbles]
    np.testing.assert_allclose(plasma(wobbles, decay), np.stack(expected), atol=2e-6)


def test_every_map_spans_zero_to_one() -> None:
    clouds = plasma(uniform(streams(0, 2), 64, 64), 1.7)
    assert clouds.amin((1, 2)).tolist() == [0, 0]
    assert clouds.amax((1, 2)).tolist() == [1, 1]


def test_a_larger_decay_is_smoother() -> None:
    wobbles = uniform(streams(0, 4), 128, 128)
    rough, smooth = (plasma(wobbles, decay).diff(dim=2).abs().mean() for decay in (1.4, 2))
    assert smooth < 0.5 * rough
