"""Which files of a folder are pictures, and what is left out and why."""

import os
from pathlib import Path

import pytest

from advprop_core.pictures import files
from advprop_core.pictures.files import (
    BROKEN,
    HIDDEN,
    NO_FILE,
    NO_PICTURE,
    OUTSIDE,
    TWICE,
    describe_left_out,
    list_pictures,
    read_file,
)
from advprop_core.pictures.formats import ImageError


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


@pytest.fixture
def root(tmp_path):
    """Pictures of many kinds, and everything that is none."""
    folder = tmp_path / "data"
    for name in ("a.JPG", "b.jfif", "c.avif", "d.ppm", "deep/e.jp2"):
        touch(folder / name)
    for name in (".h.png", "__MACOSX/._a.jpg", "notes.txt", "f.heic"):
        touch(folder / name)
    touch(tmp_path / "elsewhere" / "g.png")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "a.link.jpg").symlink_to(folder / "a.JPG")
    (folder / "gone.png").symlink_to(folder / "nothing.png")
    (folder / "deep" / "back").symlink_to(folder)
    os.mkfifo(folder / "pipe.png")
    return folder


def seen(folder, **options):
    pictures, left_out = list_pictures(folder, **options)
    names = [path.relative_to(folder).as_posix() for path in pictures]
    return names, {path.name: reason for path, reason in left_out.items()}


def test_regular_files_are_listed_through_links_and_all_else_is_named(root):
    pictures, left_out = seen(root)
    assert pictures == [
        "a.JPG", "a.link.jpg", "b.jfif", "c.avif", "d.ppm", "deep/e.jp2", "linked/g.png"
    ]  # fmt: skip
    assert left_out == {
        ".h.png": HIDDEN,
        "__MACOSX": HIDDEN,
        "notes.txt": NO_PICTURE,
        "f.heic": NO_PICTURE,
        "gone.png": BROKEN,
        "back": TWICE,
        "pipe.png": NO_FILE,
    }


def test_links_out_of_a_folder_can_be_left_out(root):
    pictures, left_out = seen(root, within=root)
    assert "linked/g.png" not in pictures
    assert "a.link.jpg" in pictures
    assert left_out["linked"] == OUTSIDE


def test_what_is_left_out_is_counted_by_reason_with_a_few_names(tmp_path):
    for number in range(5):
        touch(tmp_path / "cat" / f"{number}.heic")
    touch(tmp_path / "cat" / ".DS_Store")
    _, left_out = list_pictures(tmp_path)
    assert describe_left_out(left_out, tmp_path) == (
        "files left out: 1 × hidden (cat/.DS_Store); "
        "5 × no picture, by the ending (cat/0.heic, cat/1.heic, cat/2.heic, …)"
    )
    assert describe_left_out({}, tmp_path) is None


def test_a_pipe_and_a_large_file_are_refused_before_they_are_read(root, monkeypatch):
    with pytest.raises(ImageError, match="a pipe"):
        read_file(root / "pipe.png")
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    sparse = root / "large.png"
    with sparse.open("wb") as file:
        file.truncate(11)
    with pytest.raises(ImageError, match="make the picture smaller"):
        read_file(sparse)
