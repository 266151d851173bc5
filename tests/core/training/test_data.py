import hashlib
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from advprop_core.datasets import named
from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.pictures.formats import ImageError
from advprop_core.training import data as training_data
from advprop_core.training.data import held_out, list_split, load_data
from advprop_core.training.recipe import Augmentation, Recipe
from advprop_core.training.sources import InMemory, OnDisk
from tests.core.datasets.drawn import SHARK, SPRINGER, TENCH, put_classes, put_tiny_imagenet

CPU = torch.device("cpu")
NAMES = [f"photo-{index}.png" for index in range(20)]


def hashed(name):
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10_000 / 10_000


def draw(folder, names, level=None):
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for name in names:
        pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels if level is None else np.full_like(pixels, level)).save(
            folder / name
        )


@pytest.fixture
def folder(tmp_path):
    """Cats are dark and dogs bright."""
    draw(tmp_path / "train" / "cats", NAMES[:12], 40)
    draw(tmp_path / "train" / "dogs", NAMES[12:], 200)
    draw(tmp_path / "val" / "cats", ["a.png"])
    draw(tmp_path / "val" / "dogs", ["a.png", "b.png"])
    return tmp_path


def recipe_of(**fields):
    return Recipe(**{"size": 32, "batch_size": 2} | fields)


def load(folder, **fields):
    return load_data(str(folder), recipe_of(**fields), CPU)


# -- folders ------------------------------------------------------------------------------------


def test_photos_are_kept_in_memory_with_a_margin(folder):
    found = load(folder)
    assert isinstance(found.source, InMemory)
    assert found.source.images.shape == (20, 3, 43, 43)
    assert found.source.labels.tolist() == [0] * 12 + [1] * 8
    assert (found.source.images[:12] == 40).all()
    assert (found.source.images[12:] == 200).all()
    assert found.val.pixels.shape == (3, 3, 32, 32)
    assert found.holdout is None
    assert found.unreadable == ()


def test_labels_of_val_count_the_classes_of_train(folder):
    found = load(folder)
    assert found.classes == (("cats", "cats"), ("dogs", "dogs"))
    assert found.val.labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_val_must_show_every_class(folder, how):
    shutil.rmtree(folder / "val" / "cats")
    if how == "empty":
        (folder / "val" / "cats").mkdir()
    with pytest.raises(ClassMismatch, match="same classes. val has no photo of cats, so its acc"):
        load(folder)


def test_val_must_show_no_other_class(folder):
    draw(folder / "val" / "birds", ["a.png"])
    with pytest.raises(ClassMismatch, match=r"the same classes\. .* none of the classes: birds"):
        load(folder)


def test_without_val_the_test_split_is_measured_on(folder):
    for name in ("cats", "dogs"):
        draw(folder / "test" / name, ["a.png"])
    assert load(folder).val.labels.tolist() == [0, 1, 1], "val comes first"
    shutil.rmtree(folder / "val")
    assert load(folder).val.labels.tolist() == [0, 1]


def test_tiny_imagenet_has_its_own_way_to_say_what_val_shows(tmp_path):
    put_tiny_imagenet(tmp_path)
    for data in (tmp_path, f"tiny-imagenet:{tmp_path}"):
        found = load(data)
        assert found.classes == ((TENCH, "tench"), (SHARK, SHARK))
        assert found.source.labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert found.val.labels.tolist() == [0, 1]
        assert (found.val.pixels.float().mean((1, 2, 3)) > 100).tolist() == [False, True]


def test_imagenette_lies_a_folder_deeper(tmp_path):
    put_classes(tmp_path / "imagenette2-160" / "train", (TENCH, SPRINGER), 2)
    put_classes(tmp_path / "imagenette2-160" / "val", (TENCH, SPRINGER))
    found = load(f"imagenette:{tmp_path}")
    assert len(found.source) == 4
    assert found.val.labels.tolist() == [0, 1]


@pytest.mark.parametrize("reason", ["randaugment", "no room"])
def test_photos_are_read_as_they_are_used_where_they_must_be(folder, monkeypatch, reason):
    fields = {"augmentation": Augmentation(randaugment="rand-m9")}
    if reason == "no room":
        fields = {}
        monkeypatch.setattr(training_data.torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(training_data, "_MEMORY", 20 * 3 * 43 * 43 - 1)
    found = load(folder, **fields)
    assert isinstance(found.source, OnDisk)
    assert len(found.source) == 20
    photos = found.source.photos
    assert photos.open(photos.places[19], None).size == (50, 40)
    assert photos.labels[19] == 1


def test_photos_that_just_fit_are_kept(folder, monkeypatch):
    monkeypatch.setattr(training_data.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(training_data, "_MEMORY", 20 * 3 * 43 * 43)
    assert isinstance(load(folder).source, InMemory)


def test_only_who_measures_reads_the_photos_of_val(folder, monkeypatch):
    monkeypatch.setattr(training_data, "list_val", lambda *_, **__: pytest.fail("read"))
    found = load_data(str(folder), recipe_of(), CPU, measures=False)
    assert len(found.source) == 20
    assert len(found.val.labels) == 0
    assert found.classes == (("cats", "cats"), ("dogs", "dogs"))


def test_photos_that_the_computer_cannot_hold_stay_on_disk(folder, monkeypatch):
    monkeypatch.setattr(training_data, "room_for_images", lambda: 20 * 3 * 43 * 43)
    assert isinstance(load(folder).source, InMemory)
    monkeypatch.setattr(training_data, "room_for_images", lambda: 20 * 3 * 43 * 43 - 1)
    assert isinstance(load(folder).source, OnDisk)


@pytest.mark.parametrize(("before", "kind"), [(True, InMemory), (False, OnDisk)])
def test_after_a_break_photos_lie_where_they_lay(folder, before, kind):
    assert isinstance(load_data(str(folder), recipe_of(), CPU, in_memory=before).source, kind)


def test_the_digest_changes_with_names_and_classes_only(tmp_path):
    draw(tmp_path / "train" / "cats", ["a.png"])
    draw(tmp_path / "train" / "dogs", ["b.png", "c.png"])
    shutil.copytree(tmp_path / "train", tmp_path / "val")
    digest = load(tmp_path).digest
    photo = tmp_path / "train" / "dogs" / "b.png"
    shutil.copy(tmp_path / "train" / "cats" / "a.png", photo)
    assert load(tmp_path).digest == digest
    moved = photo.rename(tmp_path / "train" / "cats" / "b.png")
    other_class = load(tmp_path).digest
    moved.rename(photo.with_name("d.png"))
    assert len({digest, other_class, load(tmp_path).digest}) == 3


# -- hold-out -----------------------------------------------------------------------------------


def test_the_hash_of_the_name_decides_who_is_held_out():
    names = [f"n{index}.JPEG" for index in range(3000)]
    out = [name for name in names if held_out(name, 0.1)]
    assert out == [name for name in names if hashed(name) < 0.1]
    assert 250 < len(out) < 350
    assert set(out) < {name for name in names if held_out(name, 0.2)}, "more holds out more"
    assert not any(held_out(name, 0.0) for name in names)


def test_held_out_photos_are_measured_and_not_trained_on(folder):
    found = load(folder, holdout=0.3)
    out = [hashed(name) < 0.3 for name in NAMES]
    cats, dogs = sum(out[:12]), sum(out[12:])
    assert cats > 0 < dogs
    assert found.holdout.labels.tolist() == [0] * cats + [1] * dogs
    assert found.holdout.pixels.shape == (cats + dogs, 3, 32, 32)
    assert found.holdout.classes == found.classes
    assert found.source.labels.tolist() == [0] * (12 - cats) + [1] * (8 - dogs)


def test_on_disk_the_same_photos_are_held_out(folder):
    found = load(folder, holdout=0.3, augmentation=Augmentation(randaugment="rand-m9"))
    trained = [file.name for file in found.source.photos.files]
    in_order = [*sorted(NAMES[:12]), *sorted(NAMES[12:])]
    assert trained == [name for name in in_order if hashed(name) >= 0.3]
    assert len(found.holdout.labels) == 20 - len(trained)


def test_a_photo_more_holds_out_no_other(folder):
    before = load(folder, holdout=0.3)
    name = next(name for name in (f"more-{i}.png" for i in range(99)) if hashed(name) > 0.3)
    draw(folder / "train" / "apes", [name])
    draw(folder / "val" / "apes", [name])
    after = load(folder, holdout=0.3)
    assert len(after.source) == len(before.source) + 1
    assert torch.equal(after.holdout.labels, before.holdout.labels + 1)
    assert torch.equal(after.holdout.pixels, before.holdout.pixels)


# -- what goes wrong ----------------------------------------------------------------------------


def test_an_unreadable_photo_is_left_out_and_named(folder):
    broken = folder / "train" / "cats" / NAMES[3]
    broken.write_bytes(b"no photo")
    found = load(folder)
    assert len(found.source) == 19
    assert [one.path for one in found.unreadable] == [broken]
    assert found.unreadable[0].reason
    assert found.left_out is None


def test_an_unreadable_photo_of_val_is_an_error(folder):
    (folder / "val" / "dogs" / "a.png").write_bytes(b"no photo")
    with pytest.raises(ImageError, match=r"a\.png"):
        load(folder)


def test_a_class_folder_without_an_image_is_named(folder):
    (folder / "train" / "eels" / "inner").mkdir(parents=True)
    for name in (".cache", "__MACOSX"):
        (folder / "train" / name).mkdir()
    with pytest.raises(ValueError, match=r"train has class folders with no image in them: eels;"):
        load(folder)


def test_classes_of_val_that_train_does_not_have(folder):
    draw(folder / "val" / "eels", ["c.png"])
    with pytest.raises(ClassMismatch, match="eels"):
        load(folder)


def test_training_photos_that_are_missing(folder):
    shutil.rmtree(folder / "train")
    with pytest.raises(ValueError, match=r"has no train/ in it: give a folder that holds"):
        load(folder)


def test_photos_to_measure_on_that_are_missing(folder):
    shutil.rmtree(folder / "val")
    with pytest.raises(ValueError, match="has train/, but no val/"):
        load(folder)


def test_no_such_folder(tmp_path):
    with pytest.raises(ValueError, match=r"shapes-conflict: there is no folder .*none"):
        load(tmp_path / "none")


def test_a_level_too_deep_and_a_file(folder):
    with pytest.raises(ValueError, match=f"has no train/ in it: .* did you mean {folder}\\?"):
        load(folder / "train")
    photo = next(folder.rglob("*.png"))
    with pytest.raises(ValueError, match=f"'{photo}' is a file"):
        load(photo)


def test_a_hold_out_of_nothing(folder):
    with pytest.raises(ValueError, match="a holdout of 0.0001 leaves out none of 20 photos"):
        load(folder, holdout=0.0001)


def test_a_batch_larger_than_what_is_left(folder):
    with pytest.raises(ValueError, match="batch_size is 21, but there are only 20 images"):
        load(folder, batch_size=21)
    load(folder, batch_size=20)
    left = sum(hashed(name) >= 0.3 for name in NAMES)
    with pytest.raises(ValueError, match=f"batch_size is 20, but there are only {left} images"):
        load(folder, batch_size=20, holdout=0.3)


# -- built-in scenes ----------------------------------------------------------------------------


@pytest.fixture
def few_scenes(monkeypatch):
    monkeypatch.setattr(named, "SCENES", {"train": 30, "val": 10})


def test_scenes_are_drawn_at_the_training_size(few_scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes").mkdir()  # a folder does not hide a built-in set
    found = load("shapes")
    assert isinstance(found.source, InMemory)
    assert found.source.images.shape == (30, 3, 32, 32)
    assert found.val.pixels.shape == (10, 3, 32, 32)
    assert len(found.classes) == 10
    assert found.holdout is None


def test_scenes_are_held_out_by_their_number(few_scenes):
    found = load("shapes", holdout=0.4)
    out = [hashed(str(index)) < 0.4 for index in range(30)]
    everything = load("shapes").source
    assert 0 < sum(out) < 29
    assert torch.equal(found.holdout.pixels, everything.images[torch.tensor(out)])
    assert torch.equal(found.source.images, everything.images[~torch.tensor(out)])
    assert torch.equal(found.holdout.labels, everything.labels[torch.tensor(out)])


def test_scenes_take_randaugment_too(few_scenes):
    found = load("shapes", augmentation=Augmentation(randaugment="rand-m9"))
    assert isinstance(found.source, OnDisk)
    photos = found.source.photos
    scenes = load("shapes").source
    assert np.array_equal(
        np.asarray(photos.open(2, None)), scenes.images[2].permute(1, 2, 0).numpy()
    )
    assert photos.labels[2] == scenes.labels[2]


# -- splits -------------------------------------------------------------------------------------


def test_a_split_by_itself(folder):
    shutil.rmtree(folder / "val" / "cats")
    split = list_split(str(folder), "train")
    assert len(split) == 20
    assert split.classes == (("cats", "cats"), ("dogs", "dogs"))
    assert list_split(str(folder), "val").classes == (("dogs", "dogs"),)
    counted = list_split(str(folder), "val", classes=split.classes)
    assert counted.labels.tolist() == [1, 1]


@pytest.mark.parametrize("how", ["damaged", "held out"])
def test_a_class_of_which_no_photo_is_left(folder, how, monkeypatch):
    if how == "damaged":
        for path in (folder / "train" / "cats").iterdir():
            path.write_bytes(b"no photo")
    else:
        names = {path.name for path in (folder / "train" / "cats").iterdir()}
        monkeypatch.setattr(training_data, "held_out", lambda name, share: name in names)
    with pytest.raises(ValueError, match="train has no photo of cats that can be read"):
        load(folder, holdout=0.1)


def test_photos_that_were_read_are_the_runs_own(folder):
    whole = load(folder).digest
    (folder / "train" / "cats" / NAMES[0]).write_bytes(b"no photo")
    found = load(folder)
    assert len(found.unreadable) == 1
    assert found.digest != whole
