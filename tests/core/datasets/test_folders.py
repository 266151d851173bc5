import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import torch
from PIL import Image

from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.datasets.folders import ImageFolder, Unreadable
from advprop_core.errors import InputError
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


def names(dataset: ImageFolder) -> list[str]:
    return [f"{path.parent.name}/{path.name}" for path, _ in dataset.samples]


def test_folders_are_classes_in_sorted_order(root: Path) -> None:
    dataset = ImageFolder(root, size=8)
    assert dataset.classes == ("ant", "bee", "cat")
    assert [label for _, label in dataset.samples] == [0, 0, 0, 0, 1, 1, 2]
    assert [path.name for path, _ in dataset.samples[:4]] == ["0.png", "1.png", "2.png", "3.png"]
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
    dataset = ImageFolder(tmp_path, size=8)
    assert dataset.classes == ("ant",)
    assert "".join(path.name[0] for path, _ in dataset.samples) == "abcdefg"
    assert len(dataset.load_all()[0]) == 7


def test_an_image_is_resized_and_cropped_in_the_centre(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 32))
    image.paste((200, 100, 50), (16, 0, 48, 32))
    image.save(put(tmp_path / "ant" / "a.png"))
    (pixels,), (label,) = ImageFolder(tmp_path, size=16).load_all()
    assert pixels.shape == (3, 16, 16)
    assert pixels[:, 8, 8].tolist() == [200, 100, 50]
    assert (pixels[0].int() - 200).abs().max() <= 30  # bicubic looks past the crop's edge
    assert label == 0


def test_pixels_and_labels_are_in_the_order_of_the_samples(root: Path) -> None:
    pixels, labels = ImageFolder(root, size=8).load_all()
    assert pixels.shape == (7, 3, 8, 8)
    assert pixels.dtype == torch.uint8
    assert labels.dtype == torch.int64
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert pixels[:, 0, 0, 0].tolist() == [10, 11, 12, 13, 20, 21, 30]


def test_folders_match_ids_or_names(tmp_path: Path) -> None:
    for folder in ("N01440764", "english_SPRINGER", "Chain Saw"):
        put(tmp_path / folder / "a.png")
    dataset = ImageFolder(tmp_path, size=8, classes=CLASSES, strict=True)
    found = {path.parent.name: label for path, label in dataset.samples}
    assert found == {"N01440764": 0, "english_SPRINGER": 1, "Chain Saw": 2}
    assert dataset.classes == ("n01440764", "n02102040", "n03000684")
    assert dataset.ignored_classes == ()


def test_labels_are_the_checkpoints_not_the_folders_order(tmp_path: Path) -> None:
    put(tmp_path / "chain saw" / "a.png")
    dataset = ImageFolder(tmp_path, size=8, classes=CLASSES)
    assert dataset.samples[0][1] == 2
    assert dataset.load_all()[1].tolist() == [2]


def test_a_name_that_two_classes_share_matches_neither(tmp_path: Path) -> None:
    put(tmp_path / "crane" / "a.png")
    put(tmp_path / "n3" / "a.png")
    cranes = (("n1", "crane"), ("n2", "crane"), ("n3", "ox"))
    dataset = ImageFolder(tmp_path, size=8, classes=cranes)
    assert dataset.ignored_classes == ("crane",)
    assert [label for _, label in dataset.samples] == [2]


def test_no_matching_folder_lists_both_sides(root: Path) -> None:
    with pytest.raises(ClassMismatch, match=r"ant, bee, cat.*n01440764 \(tench\)"):
        ImageFolder(root, size=8, classes=CLASSES)


def test_unknown_classes_are_ignored_or_refused(tmp_path: Path) -> None:
    put(tmp_path / "tench" / "a.png")
    put(tmp_path / "walrus" / "a.png")
    dataset = ImageFolder(tmp_path, size=8, classes=CLASSES)
    assert names(dataset) == ["tench/a.png"]
    assert dataset.ignored_classes == ("walrus",)
    with pytest.raises(ClassMismatch, match="These class folders are none of the classes: walrus"):
        ImageFolder(tmp_path, size=8, classes=CLASSES, strict=True)


def test_long_lists_of_classes_are_shortened(tmp_path: Path) -> None:
    for number in range(30):
        put(tmp_path / f"class{number:02}" / "a.png")
    with pytest.raises(ClassMismatch, match="class09 and 20 more"):
        ImageFolder(tmp_path, size=8, classes=CLASSES)


def test_a_class_folder_may_be_a_link_and_its_files_of_any_format(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "0.avif")
    root = tmp_path / "data"
    for name in ("bee/0.jfif", "bee/1.ppm"):
        put(root / name)
    (root / "ant").symlink_to(tmp_path / "elsewhere")
    dataset = ImageFolder(root, size=8)
    assert names(dataset) == ["ant/0.avif", "bee/0.jfif", "bee/1.ppm"]
    assert dataset.folders.describe_left_out() is None
    assert len(dataset.load_all()[0]) == 3


def test_folders_named_alike_are_classes_of_their_own(tmp_path: Path) -> None:
    for name in ("A", "a", "a b", "a_b"):
        put(tmp_path / name / "0.png")
    classes = tuple((name, name) for name in ("a b", "a", "A", "a_b"))
    dataset = ImageFolder(tmp_path, size=8, classes=classes)
    labels = {path.parent.name: label for path, label in dataset.samples}
    assert labels == {"A": 2, "a": 1, "a b": 0, "a_b": 3}


def test_both_spellings_of_a_word_are_one_class_folder(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        put(tmp_path / unicodedata.normalize(form, "été") / f"{form}.png")
    dataset = ImageFolder(tmp_path, size=8)
    assert dataset.classes == (unicodedata.normalize("NFC", "été"),)
    assert [label for _, label in dataset.samples] == [0, 0]


def test_folders_named_by_numbers_are_class_indices(tmp_path: Path) -> None:
    for name in ("0", "2", "10"):
        put(tmp_path / name / "0.jpeg")
    classes = tuple((f"n{index}", f"name {index}") for index in range(11))
    dataset = ImageFolder(tmp_path, size=8, classes=classes)
    assert {path.parent.name: label for path, label in dataset.samples} == {
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
    dataset = ImageFolder(tmp_path, size=8)
    assert dataset.classes == ("ant",)
    assert dataset.folders.describe_left_out() == (
        "files left out: 1 × folder without a picture (empty); 1 × hidden (__MACOSX); "
        "1 × no picture, by the ending (bee/0.heic); "
        "1 × picture outside the class folders (loose.png)"
    )
    with pytest.raises(InputError, match=r"bee/0\.heic.*loose\.png.*Convert or remove"):
        ImageFolder(tmp_path, size=8, strict=True)


def test_files_of_the_system_are_no_reason_to_refuse(tmp_path: Path) -> None:
    put(tmp_path / "ant" / "0.png")
    (tmp_path / "ant" / ".DS_Store").write_bytes(b"x")
    put(tmp_path / "__MACOSX" / "ant" / "0.png")
    assert len(ImageFolder(tmp_path, size=8, strict=True)) == 1


def test_a_folder_name_that_is_no_text_becomes_a_class_that_can_be_shown(tmp_path: Path) -> None:
    put(tmp_path / os.fsdecode(b"caf\xe9") / "0.png")
    dataset = ImageFolder(tmp_path, size=8)
    assert dataset.classes == ("caf\\udce9",)
    assert len(dataset.load_all()[0]) == 1


def test_a_pipe_that_is_named_like_an_image_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "ant" / "0.png")
    os.mkfifo(tmp_path / "ant" / "1.png")
    assert len(ImageFolder(tmp_path, size=8).load_all()[0]) == 1


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
    dataset = ImageFolder(root, size=8, limit=limit)
    drawn = Counter(label for _, label in dataset.samples)
    assert [drawn[label] for label in range(3)] == counts
    assert list(dataset.samples) == sorted(dataset.samples)
    assert dataset.classes == ("ant", "bee", "cat")


def test_unreadable_images_are_skipped_and_named(root: Path) -> None:
    text = root / "ant" / "1.png"
    text.write_text("not an image at all")
    cut = root / "bee" / "0.png"
    cut.write_bytes(cut.read_bytes()[:50])
    dataset = ImageFolder(root, size=8)
    assert dataset.unreadable == ()
    pixels, labels = dataset.load_all()
    assert pixels[:, 0, 0, 0].tolist() == [10, 12, 13, 21, 30]
    assert labels.tolist() == [0, 0, 0, 1, 2]
    assert [unreadable.path for unreadable in dataset.unreadable] == [text, cut]
    assert "not an image" in dataset.unreadable[0].reason
    assert isinstance(dataset.unreadable[1], Unreadable)
    assert "cut off" in dataset.unreadable[1].reason


def test_strict_refuses_an_unreadable_image_by_name(root: Path) -> None:
    (root / "bee" / "1.png").write_bytes(b"")
    dataset = ImageFolder(root, size=8, strict=True)
    with pytest.raises(ImageError, match=r"bee/1\.png: The file is empty.*1 of 7"):
        dataset.load_all()


def test_a_file_that_is_gone_is_unreadable(root: Path) -> None:
    dataset = ImageFolder(root, size=8)
    (root / "cat" / "0.png").unlink()
    assert len(dataset.load_all()[0]) == 6
    assert "cannot be opened" in dataset.unreadable[0].reason


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    path = put(tmp_path / "ant" / "a.png")
    path.write_text("broken")
    with pytest.raises(ValueError, match=r"None of 1 images can be read.*a\.png"):
        ImageFolder(tmp_path, size=8).load_all()


def test_folders_without_images_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent does not exist"):
        ImageFolder(tmp_path / "absent", size=8)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file is a file"):
        ImageFolder(tmp_path / "file", size=8)
    (tmp_path / "ant").mkdir()
    with pytest.raises(ValueError, match=r"holds no image: looked for .*\.png"):
        ImageFolder(tmp_path, size=8)
    put(tmp_path / "loose.png")
    with pytest.raises(ValueError, match="have no class folders"):
        ImageFolder(tmp_path, size=8)
