import pytest

from advprop_core.datasets.imagenet import tiny_class_images, tiny_class_names
from advprop_core.datasets.named import load_images
from tests.core.datasets.drawn import GOLDFISH, SHARK, TENCH, put_tiny_imagenet


@pytest.fixture
def root(tmp_path):
    return put_tiny_imagenet(tmp_path / "tiny-imagenet-200")


def test_a_text_file_says_what_the_validation_photos_show(root):
    assert tiny_class_images(root, "val").images == {
        TENCH: [root / "val" / "images" / "val_1.JPEG"],
        SHARK: [root / "val" / "images" / "val_0.JPEG"],
    }
    training = tiny_class_images(root, "train")
    assert [len(paths) for paths in training.images.values()] == [3, 3]
    assert training.left_out == {}  # the texts with boxes belong to the set
    found = load_images(str(root), 8)
    assert found.labels.tolist() == [0, 1]
    assert [round(float(image.float().mean()), -1) for image in found.pixels] == [40, 200]
    assert found.classes == ((TENCH, "tench"), (SHARK, SHARK))
    assert (
        load_images(f"tiny-imagenet:{root}", 8, split="train").labels.tolist() == [0] * 3 + [1] * 3
    )


def test_names_are_optional(root):
    assert tiny_class_names(root)[TENCH] == "tench"
    (root / "words.txt").unlink()
    assert tiny_class_names(root) == {}


def test_a_photo_that_is_gone_is_named(root):
    (root / "val" / "images" / "val_0.JPEG").unlink()
    found = load_images(str(root), 8)
    assert found.labels.tolist() == [0]
    assert found.unreadable[0].path.name == "val_0.JPEG"


def test_files_that_are_no_tiny_imagenet(root):
    annotations = root / "val" / "val_annotations.txt"
    text = annotations.read_text()
    annotations.write_text(text + "val_2.JPEG n01440764\n")
    with pytest.raises(ValueError, match=r"line 3, must be an image, a tab and a wnid"):
        tiny_class_images(root, "val")
    annotations.write_text("")
    with pytest.raises(ValueError, match="names no image"):
        tiny_class_images(root, "val")
    annotations.write_text(text.replace(TENCH, GOLDFISH))
    with pytest.raises(ValueError, match=f"does not list: {GOLDFISH}"):
        tiny_class_images(root, "val")
    (root / "wnids.txt").unlink()
    with pytest.raises(ValueError, match=r"has wnids.txt and val/val_annotations.txt"):
        tiny_class_images(root, "val")
