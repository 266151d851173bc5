"""TextureShapes: the same scene every time, and nothing but outline and texture tells the class."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from advprop_core.datasets.texture_shapes.outlines import FIELD_REACH, outline_bank
from advprop_core.datasets.texture_shapes.scenes import SHAPES, TEXTURES, Scene, draw_scene
from advprop_core.errors import InputError

CHANCE = 1 / len(SHAPES)
# 1000 conflict scenes: five standard deviations of a guesser's accuracy
GUESSING = CHANCE + 5 * (CHANCE * (1 - CHANCE) / 1000) ** 0.5

Features = Callable[[Scene], np.ndarray]


def centre_and_area(scene: Scene) -> tuple[float, float, float]:
    rows, columns = np.nonzero(scene.mask)
    return columns.mean(), rows.mean(), float(len(rows))


def colour_histogram(pixels: np.ndarray) -> np.ndarray:
    """Shares (64,) of a 4 x 4 x 4 RGB histogram of pixels (n, 3)."""
    bins = (pixels // 64).astype(int) @ (16, 4, 1)
    return np.bincount(bins, minlength=64) / max(len(pixels), 1)


def whole_image(scene: Scene) -> np.ndarray:
    return colour_histogram(scene.image.reshape(-1, 3))


def background(scene: Scene) -> np.ndarray:
    """Colours outside a circle that is equally wide for every outline of the same area."""
    x, y, area = centre_and_area(scene)
    rows, columns = np.indices(scene.mask.shape)
    outside = np.hypot(columns - x, rows - y) > 1.95 * (area / np.pi) ** 0.5
    pixels = scene.image[outside]
    return np.concatenate((colour_histogram(pixels), pixels.mean(0) / 255, pixels.std(0) / 255))


def place_and_area(scene: Scene) -> np.ndarray:
    x, y, area = np.array(centre_and_area(scene)) / (scene.mask.shape[0], 64, scene.mask.size)
    return np.array([x, y, area, x * x, y * y, x * y, area * area])


def silhouette(scene: Scene) -> np.ndarray:
    """How far the outline reaches in its longest, shortest and typical direction."""
    x, y, area = centre_and_area(scene)
    rows, columns = np.nonzero(scene.mask)
    radii = np.hypot(columns - x, rows - y) / area**0.5
    return np.quantile(radii, [0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0])


def probe_accuracy(features: Features, train: list[Scene], test: list[Scene]) -> float:
    """Accuracy on ``test`` of a logistic regression from features to shape fitted to ``train``."""
    x, x_test = (torch.tensor(np.stack([features(s) for s in side])) for side in (train, test))
    y, y_test = (torch.tensor([s.shape for s in side]) for side in (train, test))
    mean, std = x.mean(0), x.std(0) + 1e-6
    weights = torch.zeros(x.shape[1] + 1, len(SHAPES), dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def logits(values: torch.Tensor) -> torch.Tensor:
        return (values - mean) / std @ weights[1:] + weights[0]

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits(x), y) + 1e-3 * weights.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return (logits(x_test).argmax(1) == y_test).double().mean().item()


@pytest.fixture(scope="module")
def train_scenes() -> list[Scene]:
    return [draw_scene(3, i, texture_agreement=0.95, size=64) for i in range(1500)]


@pytest.fixture(scope="module")
def conflict_scenes() -> list[Scene]:
    return [draw_scene(4, i, texture_agreement=0, size=64) for i in range(1000)]


def test_every_shape_has_its_own_texture() -> None:
    assert len(SHAPES) == len(TEXTURES) == len(set(SHAPES)) == len(set(TEXTURES)) >= 8


def test_a_scene_has_the_documented_arrays() -> None:
    scene = draw_scene(0, 13, size=96)
    assert (scene.image.shape, scene.image.dtype) == ((96, 96, 3), np.uint8)
    assert (scene.mask.shape, scene.mask.dtype) == ((96, 96), np.bool_)
    assert scene.shape == 13 % len(SHAPES)


def test_the_arrays_are_read_only() -> None:
    scene = draw_scene(0, 0, size=32)
    with pytest.raises(ValueError, match="read-only"):
        scene.image[0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        scene.mask[0, 0] = True


def test_same_arguments_same_scene_whatever_the_global_generators_do() -> None:
    first = draw_scene(5, 8)
    np.random.seed(1)
    torch.manual_seed(1)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    second = draw_scene(5, 8)
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.mask, second.mask)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_seed_and_index_both_matter() -> None:
    images = [draw_scene(seed, index, size=32).image for seed, index in ((0, 1), (1, 0), (0, 11))]
    assert not any(np.array_equal(images[a], images[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize("index", range(20))
def test_a_larger_size_shows_the_same_scene(index: int) -> None:
    small, large = draw_scene(6, index, size=96), draw_scene(6, index, size=288)
    shrunk = large.image.reshape(96, 3, 96, 3, 3).mean((1, 3))
    assert np.abs(shrunk - small.image).mean() < 3  # of 255
    mask = large.mask.reshape(96, 3, 96, 3).mean((1, 3)) > 0.5
    assert (mask & small.mask).sum() / (mask | small.mask).sum() > 0.95
    assert (large.shape, large.texture) == (small.shape, small.texture)


@pytest.mark.parametrize("index", range(10))
def test_agreement_changes_nothing_but_the_texture(index: int) -> None:
    agreeing = draw_scene(7, index, texture_agreement=1)
    conflicting = draw_scene(7, index, texture_agreement=0)
    assert np.array_equal(agreeing.mask, conflicting.mask)
    changed = (agreeing.image != conflicting.image).any(-1)
    near_object = np.zeros_like(changed)
    for dy, dx in np.ndindex(3, 3):  # softened edges lie up to a pixel outside the mask
        near_object |= np.roll(agreeing.mask, (dy - 1, dx - 1), (0, 1))
    assert changed.any()
    assert not (changed & ~near_object).any()


def test_textures_agree_as_often_as_asked(train_scenes: list[Scene]) -> None:
    share = np.mean([scene.shape == scene.texture for scene in train_scenes])
    assert share == pytest.approx(0.95, abs=0.02)
    always = [draw_scene(8, i, texture_agreement=1, size=32) for i in range(50)]
    assert all(scene.shape == scene.texture for scene in always)


def test_conflicting_textures_are_never_the_class_s_own_and_all_alike(
    conflict_scenes: list[Scene],
) -> None:
    counts = np.zeros((len(SHAPES), len(TEXTURES)), int)
    for scene in conflict_scenes:
        counts[scene.shape, scene.texture] += 1
    assert not counts.diagonal().any()
    assert (counts.sum(1) == 100).all()
    others = counts[~np.eye(len(SHAPES), dtype=bool)]
    assert ((others - 100 / 9) ** 2 / (100 / 9)).sum() < 130  # chi-square, 80 degrees of freedom


def test_the_object_lies_inside_and_is_large_enough(train_scenes: list[Scene]) -> None:
    for scene in train_scenes:
        border = (scene.mask[0], scene.mask[-1], scene.mask[:, 0], scene.mask[:, -1])
        assert not np.any(border)
        assert 0.08 < scene.mask.mean() < 0.45


def test_outlines_have_equal_area_and_centre() -> None:
    places = ((np.arange(256) + 0.5) / 256 * 2 - 1) * FIELD_REACH
    distances, _ = outline_bank()
    for distance in distances:
        rows, columns = np.nonzero(distance < 0)
        area = len(rows) * (2 * FIELD_REACH / 256) ** 2
        assert area == pytest.approx(np.pi, rel=0.02)
        assert places[rows].mean() == pytest.approx(0, abs=0.02)
        assert places[columns].mean() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("features", [whole_image, background, place_and_area])
def test_the_class_cannot_be_told_without_the_outline(
    features: Features, train_scenes: list[Scene], conflict_scenes: list[Scene]
) -> None:
    assert probe_accuracy(features, train_scenes, conflict_scenes) < GUESSING


def test_the_probe_does_learn_from_the_outline(
    train_scenes: list[Scene], conflict_scenes: list[Scene]
) -> None:
    assert probe_accuracy(silhouette, train_scenes, conflict_scenes) > 5 * CHANCE


def test_a_scene_that_is_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="size must be at least 32 pixels, got 31"):
        draw_scene(0, 0, size=31)
