"""Images that are listed are those that are loaded."""

import os
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from advprop_core.datasets.class_folders import ClassMismatch, find_images
from advprop_core.datasets.listed import ImageList, Unreadable, list_folder
from advprop_core.datasets.named import list_images, load_images
from advprop_core.errors import InputError
from advprop_core.pictures.decoding import to_bytes
from advprop_core.pictures.formats import ImageError

CLASSES = (("n01440764", "tench"), ("n02102040", "English springer"), ("n03000684", "chain saw"))


def put(path: Path, level: int = 128, size: tuple[int, int] = (24, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three classes of 4, 2 and 1 images, whose grey level is 10 * (class + 1) + image."""
    for label, (name, count) in enumerate([("ant", 4), ("bee", 2), ("cat", 1)]):
        for image in range(count):
            put(tmp_path / name / f"{image}.png", 10 * (label + 1) + image)
    return tmp_path


def listed(root: Path, **options: Any) -> ImageList:
    return list_folder(find_images(root), **options)


def ids(images: ImageList) -> tuple[str, ...]:
    return tuple(class_id for class_id, _ in images.classes)


def labels_by_folder(images: ImageList) -> dict[str, int]:
    return {
        file.parent.name: label
        for file, label in zip(images.files, images.labels.tolist(), strict=True)
    }


def test_folders_are_classes_in_sorted_order(root: Path) -> None:
    dataset = listed(root)
    assert ids(dataset) == ("ant", "bee", "cat")
    assert dataset.labels.tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert [file.name for file in dataset.files[:4]] == ["0.png", "1.png", "2.png", "3.png"]
    assert len(dataset) == 7


def test_images_lie_at_any_depth_in_any_format_unless_hidden(tmp_path: Path) -> None:
    for name in ("a.JPEG", "b.jpg", "c.webp", "d.GIF", "e.bmp", "f.tiff", "g/deep/g.PNG"):
        put(tmp_path / "ant" / name)
    for name in (".h.png", ".cache/i.png"):
        put(tmp_path / "ant" / name)
    put(tmp_path / ".hidden" / "j.png")
    put(tmp_path / "loose.png")
    (tmp_path / "ant" / "notes.txt").write_text("no image")
    (tmp_path / "ant" / "folder.png").mkdir()
    (tmp_path / "empty").mkdir()
    dataset = listed(tmp_path)
    assert ids(dataset) == ("ant",)
    assert "".join(file.name[0] for file in dataset.files) == "abcdefg"
    assert len(dataset.load(8).pixels) == 7


def test_an_image_is_resized_and_cropped_in_the_centre(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 32))
    image.paste((200, 100, 50), (16, 0, 48, 32))
    image.save(put(tmp_path / "ant" / "a.png"))
    loaded = listed(tmp_path).load(16)
    (pixels,), (label,) = loaded.pixels, loaded.labels
    assert pixels.shape == (3, 16, 16)
    assert pixels[:, 8, 8].tolist() == [200, 100, 50]
    assert (pixels[0].int() - 200).abs().max() <= 30  # bicubic looks past the crop's edge
    assert label == 0


def test_pixels_and_labels_are_in_the_order_of_the_samples(root: Path) -> None:
    loaded = listed(root).load(8)
    pixels, labels = loaded.pixels, loaded.labels
    assert pixels.shape == (7, 3, 8, 8)
    assert pixels.dtype == torch.uint8
    assert labels.dtype == torch.int64
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert pixels[:, 0, 0, 0].tolist() == [10, 11, 12, 13, 20, 21, 30]


def test_folders_match_ids_or_names(tmp_path: Path) -> None:
    for folder in ("N01440764", "english_SPRINGER", "Chain Saw"):
        put(tmp_path / folder / "a.png")
    dataset = listed(tmp_path, classes=CLASSES, strict=True)
    labels = labels_by_folder(dataset)
    assert labels == {"N01440764": 0, "english_SPRINGER": 1, "Chain Saw": 2}
    assert ids(dataset) == ("n01440764", "n02102040", "n03000684")
    assert dataset.ignored_classes == ()


def test_labels_are_the_checkpoints_not_the_folders_order(tmp_path: Path) -> None:
    put(tmp_path / "chain saw" / "a.png")
    dataset = listed(tmp_path, classes=CLASSES)
    assert dataset.labels[0] == 2
    assert dataset.load(8).labels.tolist() == [2]


def test_a_name_that_two_classes_share_matches_neither(tmp_path: Path) -> None:
    put(tmp_path / "crane" / "a.png")
    put(tmp_path / "n3" / "a.png")
    cranes = (("n1", "crane"), ("n2", "crane"), ("n3", "ox"))
    dataset = listed(tmp_path, classes=cranes)
    assert dataset.ignored_classes == ("crane",)
    assert dataset.labels.tolist() == [2]


def test_no_matching_folder_lists_both_sides(root: Path) -> None:
    with pytest.raises(ClassMismatch, match=r"ant, bee, cat.*n01440764 \(tench\)"):
        listed(root, classes=CLASSES)


def test_unknown_classes_are_ignored_or_refused(tmp_path: Path) -> None:
    put(tmp_path / "tench" / "a.png")
    put(tmp_path / "walrus" / "a.png")
    dataset = listed(tmp_path, classes=CLASSES)
    assert [dataset.title(row) for row in range(len(dataset))] == ["tench/a.png"]
    assert dataset.ignored_classes == ("walrus",)
    with pytest.raises(ClassMismatch, match="These class folders are none of the classes: walrus"):
        listed(tmp_path, classes=CLASSES, strict=True)


def test_long_lists_of_classes_are_shortened(tmp_path: Path) -> None:
    for number in range(30):
        put(tmp_path / f"class{number:02}" / "a.png")
    with pytest.raises(ClassMismatch, match="class09 and 20 more"):
        listed(tmp_path, classes=CLASSES)


def test_a_class_folder_may_be_a_link_and_its_files_of_any_format(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "0.avif")
    root = tmp_path / "data"
    for name in ("bee/0.jfif", "bee/1.ppm"):
        put(root / name)
    (root / "ant").symlink_to(tmp_path / "elsewhere")
    dataset = listed(root)
    assert [dataset.title(row) for row in range(len(dataset))] == [
        "ant/0.avif",
        "bee/0.jfif",
        "bee/1.ppm",
    ]
    assert dataset.left_out is None
    assert len(dataset.load(8).pixels) == 3


def test_folders_named_alike_are_classes_of_their_own(tmp_path: Path) -> None:
    for name in ("A", "a", "a b", "a_b"):
        put(tmp_path / name / "0.png")
    classes = tuple((name, name) for name in ("a b", "a", "A", "a_b"))
    dataset = listed(tmp_path, classes=classes)
    labels = labels_by_folder(dataset)
    assert labels == {"A": 2, "a": 1, "a b": 0, "a_b": 3}


def test_both_spellings_of_a_word_are_one_class_folder(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        put(tmp_path / unicodedata.normalize(form, "été") / f"{form}.png")
    dataset = listed(tmp_path)
    assert ids(dataset) == (unicodedata.normalize("NFC", "été"),)
    assert dataset.labels.tolist() == [0, 0]


def test_folders_named_by_numbers_are_class_indices(tmp_path: Path) -> None:
    for name in ("0", "2", "10"):
        put(tmp_path / name / "0.jpeg")
    classes = tuple((f"n{index}", f"name {index}") for index in range(11))
    dataset = listed(tmp_path, classes=classes)
    assert labels_by_folder(dataset) == {
        "0": 0,
        "2": 2,
        "10": 10,
    }


def test_what_is_left_out_is_counted_and_refused_when_strict(tmp_path: Path) -> None:
    put(tmp_path / "ant" / "0.png")
    put(tmp_path / "bee" / "0.png").rename(tmp_path / "bee" / "0.heic")
    put(tmp_path / "loose.png")
    put(tmp_path / "__MACOSX" / "ant" / "0.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("about the data")
    dataset = listed(tmp_path)
    assert ids(dataset) == ("ant",)
    assert dataset.left_out == (
        "files left out: 1 × folder without a picture (empty); 1 × hidden (__MACOSX); "
        "1 × no picture, by the ending (bee/0.heic); "
        "1 × picture outside the class folders (loose.png)"
    )
    with pytest.raises(InputError, match=r"bee/0\.heic.*loose\.png.*Convert or remove"):
        listed(tmp_path, strict=True)


def test_files_of_the_system_are_no_reason_to_refuse(tmp_path: Path) -> None:
    put(tmp_path / "ant" / "0.png")
    (tmp_path / "ant" / ".DS_Store").write_bytes(b"x")
    put(tmp_path / "__MACOSX" / "ant" / "0.png")
    assert len(listed(tmp_path, strict=True)) == 1


def test_a_folder_name_that_is_no_text_becomes_a_class_that_can_be_shown(tmp_path: Path) -> None:
    put(tmp_path / os.fsdecode(b"caf\xe9") / "0.png")
    dataset = listed(tmp_path)
    assert ids(dataset) == ("caf\\udce9",)
    assert len(dataset.load(8).pixels) == 1


def test_a_pipe_that_is_named_like_an_image_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "ant" / "0.png")
    os.mkfifo(tmp_path / "ant" / "1.png")
    assert len(listed(tmp_path).load(8).pixels) == 1


@pytest.mark.parametrize(
    ("limit", "counts"),
    [
        (1, [1, 0, 0]),
        (2, [1, 1, 0]),
        (3, [1, 1, 1]),
        (5, [2, 2, 1]),
        (6, [3, 2, 1]),
        (99, [4, 2, 1]),
    ],
)
def test_limit_draws_evenly_from_the_classes(root: Path, limit: int, counts: list[int]) -> None:
    dataset = listed(root, limit=limit)
    drawn = Counter(dataset.labels.tolist())
    assert [drawn[label] for label in range(3)] == counts
    assert list(dataset.files) == sorted(dataset.files)
    assert ids(dataset) == ("ant", "bee", "cat")


def test_unreadable_images_are_skipped_and_named(root: Path) -> None:
    text = root / "ant" / "1.png"
    text.write_text("not an image at all")
    cut = root / "bee" / "0.png"
    cut.write_bytes(cut.read_bytes()[:50])
    dataset = listed(root)
    loaded = dataset.load(8)
    pixels, labels = loaded.pixels, loaded.labels
    assert pixels[:, 0, 0, 0].tolist() == [10, 12, 13, 21, 30]
    assert labels.tolist() == [0, 0, 0, 1, 2]
    assert [unreadable.path for unreadable in loaded.unreadable] == [text, cut]
    assert "not an image" in loaded.unreadable[0].reason
    assert isinstance(loaded.unreadable[1], Unreadable)
    assert "cut off" in loaded.unreadable[1].reason


def test_strict_refuses_an_unreadable_image_by_name(root: Path) -> None:
    (root / "bee" / "1.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"bee/1\.png: The file is empty.*1 of 7"):
        listed(root, strict=True).load(8, strict=True)


def test_a_file_that_is_gone_is_unreadable(root: Path) -> None:
    dataset = listed(root)
    (root / "cat" / "0.png").unlink()
    loaded = dataset.load(8)
    assert len(loaded.pixels) == 6
    assert "cannot be opened" in loaded.unreadable[0].reason


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    path = put(tmp_path / "ant" / "a.png")
    path.write_text("broken")
    with pytest.raises(ValueError, match=r"None of 1 images can be read.*a\.png"):
        listed(tmp_path).load(8)


def test_folders_without_images_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent does not exist"):
        listed(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file is a file"):
        listed(tmp_path / "file")
    (tmp_path / "ant").mkdir()
    with pytest.raises(ValueError, match=r"holds no image: looked for .*\.png"):
        listed(tmp_path)
    put(tmp_path / "loose.png")
    with pytest.raises(ValueError, match="have no class folders"):
        listed(tmp_path)


# -- by name ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, name in enumerate(("cats", "dogs")):
        (tmp_path / "train" / name).mkdir(parents=True)
        for shade in (10, 20, 30):
            photo = Image.new("RGB", (50, 40), (shade, 100 * index, 7 * shade))
            photo.save(tmp_path / "train" / name / f"{shade}.png")
    return tmp_path


@pytest.mark.parametrize("name", ["shapes", "folder"])
def test_a_listed_set_is_the_loaded_one(name: str, folder: Path) -> None:
    source = str(folder) if name == "folder" else name
    images, loaded = list_images(source, limit=4), load_images(source, 32, split="train", limit=4)
    assert torch.equal(images.labels, loaded.labels)
    assert images.classes == loaded.classes
    for row, pixels in enumerate(loaded.pixels):
        assert torch.equal(to_bytes(images.picture(row, 32)), pixels)
    part = images.select([3, 0]).load(32)
    assert torch.equal(part.pixels, loaded.pixels[[3, 0]])
    assert torch.equal(part.labels, loaded.labels[[3, 0]])


def test_its_digest_tells_which_images_they_are(folder: Path) -> None:
    first = list_images(str(folder))
    assert first.title(0) == "train/cats/10.png"
    digest = first.digest
    moved = folder.rename(folder.with_name("elsewhere"))
    assert list_images(str(moved)).digest == digest
    assert list_images(str(moved), limit=4).digest != digest
    Image.new("RGB", (9, 9)).save(moved / "train" / "cats" / "20.png")
    assert list_images(str(moved)).digest != digest


def test_a_class_with_no_image_is_refused(folder: Path) -> None:
    (folder / "train" / "mice").mkdir()
    (folder / "train" / "rats").mkdir()
    (folder / "train" / "rats" / "1.heic").touch()  # a file that is no picture here
    with pytest.raises(InputError, match="class folders with no image in them: mice, rats"):
        list_images(str(folder))
    both = (("cats", "cats"), ("dogs", "dogs"))
    assert len(list_images(str(folder), classes=both)) == 6, "who brings classes needs no others"
