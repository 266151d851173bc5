import numpy as np
import pytest
import torch
from PIL import Image

from advprop_core.training.data import Split, augment, batches, load_split
from advprop_core.training.recipe import Recipe

RECIPE = Recipe(size=32, batch_size=4)


@pytest.fixture
def split():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (10, 3, 43, 43), generator=generator, dtype=torch.uint8)
    return Split(images, torch.arange(10), tuple((str(i), str(i)) for i in range(10)))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_batches_are_whole_shuffled_and_reproducible(split):
    found = list(batches(split, RECIPE, seeded()))
    assert [len(labels) for _, labels in found] == [4, 4]
    labels = torch.cat([labels for _, labels in found])
    assert len(labels.unique()) == 8
    assert labels.tolist() != sorted(labels.tolist())
    again = list(batches(split, RECIPE, seeded()))
    for one, other in zip(found, again, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
    other = torch.cat([labels for _, labels in batches(split, RECIPE, seeded(1))])
    assert not torch.equal(labels, other)


def test_images_keep_their_labels():
    images = (torch.arange(8, dtype=torch.uint8) * 20).view(8, 1, 1, 1).expand(-1, 3, 43, 43)
    split = Split(images, torch.arange(8), ())
    for pixels, labels in batches(split, RECIPE, seeded()):
        torch.testing.assert_close(pixels.mean((1, 2, 3)) * 255 / 20, labels.float())


def test_the_global_generator_is_left_alone(split):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(batches(split, RECIPE, seeded()))
    assert torch.equal(before, torch.get_rng_state())


def test_augmented_pixels(split):
    pixels = augment(split.images, RECIPE, seeded())
    assert pixels.shape == (10, 3, 32, 32)
    assert pixels.dtype == torch.float32
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    same = split.images[:1].expand(10, -1, -1, -1)
    assert len(augment(same, RECIPE, seeded()).flatten(1).unique(dim=0)) == 10


def test_crops_stay_inside_and_half_are_flipped():
    """A ramp from left to right: crops see parts of it, mirrored ones see it falling."""
    ramp = torch.linspace(0, 255, 64).round().byte().expand(200, 3, 64, 64)
    pixels = augment(ramp, Recipe(size=32, crop_scale=0.25), seeded())
    slope = pixels[:, 0, 16, 31] - pixels[:, 0, 16, 0]
    assert 60 < (slope < 0).sum() < 140
    shares = slope.abs() * (32 / 31) * (63 / 64)  # of the image's width
    assert shares.min() > 0.25**0.5 * 0.8
    assert shares.max() <= 1.01
    # Nothing is mirrored in from beyond the border: every row rises or falls throughout.
    steps = pixels[:, 0, 16].diff(dim=1) * slope.sign()[:, None]
    assert steps.min() >= -1e-6
    assert shares.std() > 0.05


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for split, names in (("train", "abc"), ("val", "bc")):
        for name in names:
            (tmp_path / split / name).mkdir(parents=True)
            for index in range(2):
                pixels = rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / split / name / f"{index}.png")
    return tmp_path


def test_a_folder_is_read_with_a_margin(folder):
    split = load_split(str(folder), "train", 32, margin=True)
    assert split.images.shape == (6, 3, 43, 43)
    assert split.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert split.classes == (("a", "a"), ("b", "b"), ("c", "c"))
    assert load_split(str(folder), "val", 32).images.shape[2:] == (32, 32)


def test_labels_of_val_count_the_classes_of_train(folder):
    """A class without validation images does not shift the others."""
    classes = load_split(str(folder), "train", 32).classes
    split = load_split(str(folder), "val", 32, classes=classes)
    assert split.classes == classes
    assert split.labels.tolist() == [1, 1, 2, 2]


def test_no_such_data(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        load_split(str(tmp_path / "none"), "train", 32)
    with pytest.raises(ValueError, match=r"no folder .*train"):
        load_split(str(tmp_path), "train", 32)


def test_a_folder_does_not_hide_a_built_in_set(tmp_path, monkeypatch):
    from advprop_core.datasets import named

    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes").mkdir()
    monkeypatch.setattr(named, "_LENGTHS", {"train": 3, "val": 2})
    split = load_split("shapes", "train", 48, margin=True)
    assert split.images.shape == (3, 3, 48, 48)
