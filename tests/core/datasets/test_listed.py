"""Images that are listed are those that are loaded."""

import pytest
import torch
from PIL import Image

from advprop_core.datasets.listed import list_images
from advprop_core.datasets.named import load_images
from advprop_core.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for index, name in enumerate(("cats", "dogs")):
        (tmp_path / "train" / name).mkdir(parents=True)
        for shade in (10, 20, 30):
            photo = Image.new("RGB", (50, 40), (shade, 100 * index, 7 * shade))
            photo.save(tmp_path / "train" / name / f"{shade}.png")
    return tmp_path


@pytest.mark.parametrize("name", ["shapes", "folder"])
def test_a_listed_set_is_the_loaded_one(name, folder):
    source = str(folder) if name == "folder" else name
    listed, loaded = list_images(source, limit=4), load_images(source, 32, split="train", limit=4)
    pixels = torch.stack([listed.open(place, 32) for place in range(len(listed))])
    assert torch.equal(pixels, loaded.pixels)
    assert torch.equal(listed.labels, loaded.labels)
    assert listed.classes == loaded.classes
    assert listed.picture(1, 32).size == (32, 32)


def test_its_digest_tells_which_images_they_are(folder):
    first = list_images(str(folder))
    assert first.titles[0] == "train/cats/10.png"
    moved = folder.rename(folder.with_name("elsewhere"))
    assert list_images(str(moved)).digest == first.digest
    assert list_images(str(moved), limit=4).digest != first.digest
    Image.new("RGB", (9, 9)).save(moved / "train" / "cats" / "20.png")
    assert list_images(str(moved)).digest != first.digest


def test_a_class_with_no_image_is_refused(folder):
    (folder / "train" / "mice").mkdir()
    with pytest.raises(InputError, match="class folders with no image in them: mice"):
        list_images(str(folder))
    both = (("cats", "cats"), ("dogs", "dogs"))
    assert len(list_images(str(folder), classes=both)) == 6, "who brings classes needs no others"
