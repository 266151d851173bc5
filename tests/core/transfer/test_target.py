"""Which images a network is shown, and data that cannot be a task."""

from pathlib import Path

import pytest
import torch

from advprop_core.datasets.texture_shapes.scenes import draw_scene
from advprop_core.transfer.target import Drawn, draw, open_target, require_enough


def test_smaller_sets_are_parts_of_larger_ones_and_even_over_classes() -> None:
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 4)
    rows = draw(labels, 60, seed=1)
    assert draw(labels, 9, seed=1) == rows[:9]
    assert labels[rows[:9]].bincount().tolist() == [3, 3, 3]
    assert labels[rows].bincount().tolist() == [28, 28, 4], "a class that has fewer gives all"
    assert len({*rows}) == 60
    assert draw(labels, 9, seed=2) != rows[:9]


def test_images_of_a_folder_are_read_once_for_all_seeds(photos) -> None:
    train, test = open_target(str(photos))
    assert train.classes == test.classes == (("cat", "cat"), ("dog", "dog"))
    drawn = Drawn(train, test, 10, 3, 4)
    images = drawn.read(32)
    assert images.shape == (len(drawn.labels), 3, 32, 32)
    assert len(drawn.test_positions) == 4
    for positions in drawn.positions:
        light = images[list(positions)].float().mean((1, 2, 3)) > 125
        assert torch.equal(light, drawn.labels[list(positions)] == 1)
    assert {*drawn.positions[0]} != {*drawn.positions[1]}


def test_drawn_scenes_are_drawn_when_they_are_wanted() -> None:
    drawn = Drawn(*open_target("shapes"), 10, 1, 10)
    assert sorted(drawn.labels[10:].tolist()) == [*range(10)]
    scene = draw_scene(0, drawn.train.places[0], size=32)
    assert drawn.read(32)[0].permute(1, 2, 0).tolist() == scene.image.tolist()
    assert drawn.labels[0] == scene.shape


def put(root: Path, *folders: str) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        (root / folder / "1.png").write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("train/a", "val/a"), "has one class only, a: a network has nothing to tell apart"),
        (("a", "b"), "has no train/ in it"),
        (("train/a", "train/b"), "has train/, but no val/"),
        (("train/a", "train/b", "val/a"), "has no image of b in val"),
        (("train/a", "train/b", "test/a", "test/b", "test/c"), "hold the same classes"),
    ],
)
def test_data_that_is_no_task(folders, message, tmp_path) -> None:
    with pytest.raises(ValueError, match=message):
        open_target(str(put(tmp_path, *folders)))


def test_more_images_than_there_are_and_fewer_than_classes(photos) -> None:
    target, _ = open_target(str(photos))
    with pytest.raises(ValueError, match="num_images is 25, but .* has 24 training images"):
        require_enough(target, [4, 25])
    target, _ = open_target(str(photos))
    with pytest.raises(ValueError, match="is 1, but .* has 2 classes: some would have no image"):
        require_enough(target, [1, 4])


def test_a_photo_that_cannot_be_read_is_named(tmp_path) -> None:
    root = put(tmp_path, "train/a", "train/b", "val/a", "val/b")
    drawn = Drawn(*open_target(str(root)), 2, 1, 2)
    with pytest.raises(ValueError, match=r"1\.png"):
        drawn.read(32)
