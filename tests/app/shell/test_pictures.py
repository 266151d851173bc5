import os
import threading

import pytest
from PIL import Image

from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.pictures.decoding import content_key, decode
from app.shell.pictures import (
    PHOTOS,
    OwnPhotos,
    PictureGone,
    folder_photos,
    is_foreign,
    key_of,
    open_picture,
)
from app.shell.store import BoundedStore


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A person's folder of photos, and a file beside it that is not theirs to give."""
    folder = tmp_path / "photos"
    (folder / "church").mkdir(parents=True)
    for name in ("church/b.jpg", "church/a.PNG", "c d ü.webp"):
        Image.new("RGB", (16, 16), "teal").save(folder / name)
    (folder / "notes.txt").write_text("no image")
    Image.new("RGB", (16, 16), "red").save(tmp_path / "secret.png")
    monkeypatch.setenv("ADVPROP_IMAGES", str(folder))
    return folder


def keep(data, store):
    """As the gallery does."""
    name = content_key(data)
    store.put(name, data)
    return f"upload:{name}"


def open_it(source, uploads=None):
    return open_picture(source, 64, uploads or BoundedStore(1))


def test_a_scene_is_drawn_at_the_networks_size_with_its_class():
    picture = open_it("scene:0")
    assert decode(picture.data).size == (64, 64)
    assert picture.label in SHAPES
    assert picture.label in picture.title


def test_scenes_are_the_same_every_time_and_differ_from_each_other():
    assert open_it("scene:3") == open_it("scene:3")
    assert len({open_it(f"scene:{i}").data for i in range(6)}) == 6
    assert open_it("scene:3").data != open_it("conflict:3").data


def test_a_conflict_says_whose_texture_it_wears():
    assert "usually goes with" in open_it("conflict:0").title


def test_a_picture_that_a_network_has_no_class_for_is_foreign(tiny_info_of):
    scenes = tiny_info_of(class_ids=SHAPES, class_names=SHAPES)
    tench = tiny_info_of(class_ids=("n01440764",), class_names=("tench",))
    cats = tiny_info_of(class_ids=("n02123045",), class_names=("tabby",))
    words = tiny_info_of(class_ids=("a", "b"), class_names=("a", "b"))  # may well mean cats
    for source, info, foreign in (
        ("scene:3", tench, True), ("scene:3", scenes, False), ("photo:chelsea", scenes, True),
        ("photo:chelsea@0.0.500", tench, True), ("photo:chelsea", cats, False),
        ("photo:chelsea", words, False), ("upload:x", tench, False),
    ):  # fmt: skip
        assert is_foreign(source, info) == foreign, (source, info)


@pytest.mark.parametrize("name", PHOTOS)
def test_every_sample_photo_is_bundled_with_scikit_image(name):
    picture = open_it(f"photo:{name}")
    assert min(decode(picture.data).size) >= 200
    assert picture.label is None
    assert picture.title == PHOTOS[name]


def test_the_persons_folder_is_listed_in_order_without_other_files(own):
    (own / "notes.txt").unlink()
    assert folder_photos() == OwnPhotos(("c d ü.webp", "church/a.PNG", "church/b.jpg"), 3)
    assert folder_photos(limit=2) == OwnPhotos(("c d ü.webp", "church/a.PNG"), 3)


def test_no_folder_no_photos(monkeypatch):
    monkeypatch.delenv("ADVPROP_IMAGES", raising=False)
    assert folder_photos() == OwnPhotos((), 0)
    with pytest.raises(PictureGone):
        open_it("folder:a.jpg")


def test_a_photo_of_the_folder_carries_its_class(own):
    picture = open_it("folder:church/b.jpg")
    assert (picture.label, picture.title) == ("church", "b.jpg")
    assert picture.data == (own / "church/b.jpg").read_bytes()
    (own / "church" / "2019").mkdir()
    (own / "church" / "b.jpg").rename(own / "church" / "2019" / "b.jpg")
    assert open_it("folder:church/2019/b.jpg").label == "church"
    assert open_it("folder:church/../church/2019/b.jpg").label == "church"
    assert open_it("folder:c d ü.webp").label == "photos"


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "church/../../secret.png", "{tmp}/secret.png", "link.png", "away/secret.png",
     "/etc/passwd", "", ".", "church", "nosuch.jpg", "a\0b", "loop.png", "x" * 5000],
)  # fmt: skip
def test_nothing_outside_the_folder_is_read(own, name):
    (own / "link.png").symlink_to(own.parent / "secret.png")
    (own / "away").symlink_to(own.parent, target_is_directory=True)
    (own / "loop.png").symlink_to(own / "loop.png")
    with pytest.raises(PictureGone, match="no photo"):
        open_it(f"folder:{name.format(tmp=own.parent)}")


def test_a_link_inside_the_folder_is_the_persons_own(own):
    (own / "again.jpg").symlink_to(own / "church" / "b.jpg")
    assert open_it("folder:again.jpg").data == (own / "church" / "b.jpg").read_bytes()


@pytest.mark.parametrize(
    "source",
    ["", "scene", "scene:", "scene:-1", "scene:x", "scene:²", "scene:1000000", "photo:nosuch",
     "scene:" + 5000 * "1", "photo:../../etc/passwd", "http://example.org/a.png", "upload",
     "SCENE:0"],
)  # fmt: skip
def test_what_is_no_picture_is_said_in_one_sentence(source):
    with pytest.raises(PictureGone, match=r"^(There is no picture|This link's photo)"):
        open_it(source)


def test_what_is_no_visible_photo_is_neither_offered_nor_opened(own):
    os.mkfifo(own / "pipe.png")
    (own / ".hidden.png").write_bytes((own / "church" / "b.jpg").read_bytes())
    (own / "away").symlink_to(own.parent, target_is_directory=True)
    offered = folder_photos()
    assert offered.names == ("c d ü.webp", "church/a.PNG", "church/b.jpg")
    assert offered.left_out == (
        "files left out: 1 × hidden (.hidden.png); 1 × link that leads out of the folder (away); "
        "1 × no picture, by the ending (notes.txt); 1 × pipe or device (pipe.png)"
    )
    for name in ("pipe.png", ".hidden.png", "notes.txt"):
        with pytest.raises(PictureGone):
            open_it(f"folder:{name}")


def test_every_spelling_of_a_path_is_one_picture_until_the_file_is_replaced(own):
    spellings = ("church/b.jpg", "./church/b.jpg", "church/./b.jpg", "church/../church/b.jpg")
    (key,) = {key_of(f"folder:{name}") for name in spellings}
    assert key[0] == "folder:church/b.jpg"
    Image.new("RGB", (24, 24), "red").save(own / "church" / "b.jpg")
    assert key_of(key[0]) != key
    with pytest.raises(PictureGone):
        key_of("folder:../secret.png")


def test_a_photo_whose_name_is_no_text_can_be_named_in_a_link(own):
    (own / "church" / "b.jpg").rename(own / os.fsdecode(b"caf\xe9.jpg"))
    name = "caf\\udce9.jpg"
    assert name in folder_photos().names
    assert key_of(f"folder:{name}")[0] == f"folder:{name}"
    picture = open_it(f"folder:{name}")
    picture.title.encode()
    assert decode(picture.data).size == (16, 16)


def test_an_upload_is_found_by_its_content():
    store = BoundedStore(3)
    source = keep(b"one", store)
    assert keep(b"one", store) == source != keep(b"two", store)
    assert open_it(source, store).data == b"one"
    assert open_it(source, store).label is None


def test_the_store_drops_the_oldest_and_says_so():
    store = BoundedStore(3)
    sources = [keep(bytes([i]), store) for i in range(3)]
    keep(bytes([0]), store)  # again: now the youngest
    keep(b"more", store)
    assert [open_it(sources[i], store).data for i in (0, 2)] == [bytes([0]), bytes([2])]
    with pytest.raises(PictureGone, match="upload it again"):
        open_it(sources[1], store)


def test_the_store_stays_bounded_with_many_at_once():
    store = BoundedStore(5)

    def fill(start):
        for i in range(200):
            keep(f"{start}-{i}".encode(), store)

    threads = [threading.Thread(target=fill, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store._items) == 5
