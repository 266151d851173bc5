from pathlib import Path

import pytest

from advprop_core.datasets.cifar import CIFAR10_NAMES
from advprop_core.datasets.imagenet import wnids_of
from advprop_core.datasets.layouts import TITLES, Place, detect, find_place
from advprop_core.datasets.named import load_images
from tests.core.datasets.drawn import (
    SHARK,
    TENCH,
    put,
    put_cifar10_c,
    put_classes,
    put_tiny_imagenet,
)


def put_layout(kind, root):
    """A small folder that shows its layout."""
    if kind == "tiny-imagenet":
        put_tiny_imagenet(root)
    elif kind == "cifar10-c":
        put_cifar10_c(root)
    elif kind == "cifar10":
        put_classes(root / "test", CIFAR10_NAMES, ending="png")
        put_classes(root / "train", CIFAR10_NAMES, 2, ending="png")
    elif kind == "imagenette":
        put_classes(root / "imagenette2-160" / "val", (TENCH,))
    elif kind == "imagenet-c":
        put(root / "fog" / "3" / TENCH / "1.JPEG")
    else:
        put_classes(root, wnids_of(kind))


SHOWN = ("tiny-imagenet", "cifar10-c", "cifar10", "imagenette", "imagenet-c", "imagenet-a",
         "imagenet-r")  # fmt: skip


@pytest.mark.parametrize("kind", SHOWN)
def test_a_layout_shows(kind, tmp_path):
    put_layout(kind, tmp_path / "set")
    assert detect(tmp_path / "set") == kind
    place = find_place(str(tmp_path / "set"))
    assert place == Place(tmp_path / "set", kind, detected=True)
    assert place.note() == f"set is laid out as {TITLES[kind]}: read as {kind}:set"
    assert find_place(f"{kind}:{tmp_path}/set") == Place(tmp_path / "set", kind)


def test_class_folders_show_none(tmp_path):
    put_classes(tmp_path / "val", (TENCH, SHARK))
    for folder in (tmp_path, tmp_path / "val"):
        place = find_place(str(folder))
        assert (place.kind, place.detected, place.note()) == (None, False, None)


def test_names_of_other_things_are_no_place(tmp_path):
    (tmp_path / "file").touch()
    assert find_place("shapes") is None
    assert find_place(str(tmp_path / "none")) is None
    assert find_place(str(tmp_path / "file")) is None


def test_a_folder_may_have_a_colon_and_a_home_a_tilde(tmp_path):
    put_classes(tmp_path / "imagenet-a:odd", (TENCH,))
    assert find_place(str(tmp_path / "imagenet-a:odd")).kind is None
    assert find_place("imagenet:~/val").folder == Path.home() / "val"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imagenet-x:val", "no folder 'imagenet-x:val', and 'imagenet-x' is no .* Did you mean"),
        ("", "data must be a folder or KIND:DIR, and nothing was named"),
        ("photos:val", "'photos' is no layout. Choose from imagenet, imagenet-a"),
        ("imagenet-a:", "must be KIND:DIR, got 'imagenet-a:': add the folder"),
    ],
)
def test_bad_names(name, message):
    with pytest.raises(ValueError, match=message):
        find_place(name)


# -- what load_images makes of them -------------------------------------------------------------


def classes_of(*wnids):
    return tuple((wnid, f"name of {wnid}") for wnid in wnids)


def test_a_network_of_all_classes_answers_among_those_of_the_set(tmp_path):
    put_classes(tmp_path, wnids_of("imagenet-r")[:3])
    every = classes_of(*wnids_of("imagenet"))
    found = load_images(f"imagenet-r:{tmp_path}", 8, classes=every)
    assert [every[index][0] for index in found.among] == list(wnids_of("imagenet-r"))
    assert [every[label][0] for label in found.labels] == list(wnids_of("imagenet-r")[:3])
    assert any("images of 3 of the model's 1000 classes" in note for note in found.notes)
    assert any("answers are among its 200 classes" in note for note in found.notes)
    assert load_images(str(tmp_path), 8, classes=every).among is None  # not named, and not shown
    assert load_images(f"imagenet:{tmp_path}", 8, classes=every).among is None


def test_a_network_of_few_classes_answers_among_the_shared_ones(tmp_path):
    first, second = wnids_of("imagenet-a")[:2]
    put_classes(tmp_path, wnids_of("imagenet-a"))
    found = load_images(str(tmp_path), 8, classes=classes_of(second, TENCH, first))
    assert found.among == (0, 2)
    assert sorted(found.labels.tolist()) == [0, 2]
    assert len(found.ignored_classes) == 198
    assert "images of 2 of the model's 3 classes" in found.notes[1]
    assert "among 2 of its 200 classes" in found.notes[2]
    assert load_images(str(tmp_path), 8, classes=classes_of(first, second)).among is None


def test_corruptions_alone_are_no_images(tmp_path):
    put_layout("imagenet-c", tmp_path)
    with pytest.raises(
        ValueError, match="holds corruptions of ImageNet-C's images: only `advprop eval"
    ):
        load_images(str(tmp_path), 8)


def test_cifar10_in_class_folders(tmp_path):
    put_layout("cifar10", tmp_path)
    assert load_images(f"cifar10:{tmp_path}", 8).labels.tolist() == [*range(10)]
    assert len(load_images(str(tmp_path), 8, split="train").labels) == 20
