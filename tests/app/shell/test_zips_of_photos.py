"""Labelled photos of a person's own: which zips are taken, and what is measured on them."""

import io
import zipfile

import pytest

from advprop_core.errors import InputError
from app.robustness import work
from app.shell import cache, samples
from app.shell.store import FileStore
from tests.app.visiting import chosen, jpeg

PAGE = "app/robustness/page.py"


def zipped(*names, data=None):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, name in enumerate(names):
            archive.writestr(name, jpeg(seed=number) if data is None else data)
    return buffer.getvalue()


PHOTOS = [f"pets/{name}/{n}.jpg" for name in ("star", "heart") for n in range(6)]


@pytest.fixture
def store(clear_caches):
    return cache.photo_sets()


def test_photos_are_kept_by_class_and_what_systems_add_is_not(store):
    data = zipped(*PHOTOS, "__MACOSX/pets/star/._0.jpg", "pets/.DS_Store", "pets/readme.txt")
    key = samples.keep(data, "Meine Tiere ü.zip")
    folder = cache.photo_sets().get(key)
    assert folder.name == "Meine Tiere ü"
    assert samples.classes_of(key) == ["heart", "star"]
    assert len([*folder.rglob("*.jpg")]) == 12
    assert samples.keep(data, "again.zip") == key
    assert cache.photo_sets().get("0" * 64) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no zip", "is no zip file"),
        (b"", "is no zip file"),
        (zipped(*PHOTOS)[:-60], "is no zip file"),
        (zipped("a.jpg"), "must hold a folder for each class"),
        (zipped("star/readme.txt"), "contains no photo"),
        (zipped("train/star/a.jpg", "val/star/a.jpg"), "contains folders within folders"),
        (zipped("../../star/a.jpg"), "a path outside the zip"),
        (zipped("/etc/star/a.jpg"), "a path outside the zip"),
        (zipped("star/b\\a.jpg"), "a path outside the zip"),
        (zipped("star/a.jpg", data=b"\0" * 21_000_000), "a photo of more than 20 MB"),
        (zipped(*(f"star/{n}.jpg" for n in range(21)), data=b"\0" * 19_500_000), "410 MB"),
        (zipped(*(f"star/{n}.jpg" for n in range(5001)), data=b""), "5001 photos"),
    ],
)
def test_other_zips_are_refused_in_a_sentence_and_leave_nothing(store, data, reason):
    with pytest.raises(InputError, match=reason):
        samples.keep(data, "../x.zip")
    assert not [*store._items]


def test_a_photo_whose_bytes_are_damaged_leaves_nothing(store):
    data = zipped(*PHOTOS)
    at = data.index(b"\xff\xd8", 2000)
    with pytest.raises(InputError, match="damaged"):
        samples.keep(data[: at + 90] + b"garbage" + data[at + 97 :], "x.zip")
    from pathlib import Path

    assert not [*Path(store._folder.name).iterdir()]


def test_a_folder_counts_with_all_its_files():
    store = FileStore(1000)

    def write(to):
        to.mkdir()
        (to / "a").write_bytes(b"x" * 800)

    for key in ("one", "two"):
        store.write(key, "photos", write)
    assert store.get("one") is None
    assert (store.get("two") / "a").is_file()


def test_a_network_is_measured_on_photos_of_a_zip(visit, monkeypatch, tmp_path):
    monkeypatch.setattr(work, "user_cache_path", lambda *_, **__: tmp_path)
    link = {"v": "3", "tested": "tiny-advprop", "images": "12", "attack_steps": "1", "steps": "1",
            "radii": "2/255", "part": "Disagreement"}  # fmt: skip
    person = visit(**link).turn_to(PAGE)
    person.at.file_uploader(key="photo_sets.upload").set_value(
        ("pets.zip", zipped(*PHOTOS), "application/zip")
    )
    person.run()
    key = chosen(person).data
    assert "Photos of pets" in person.widget("data").options
    person.press("Run")
    assert not person.at.exception, person.at.exception
    assert not person.errors
    assert "n = 12 images of pets" in person.text
    assert (
        person.at.session_state["shown.robustness"]
        .result.sources["tiny-advprop"][0]
        .startswith(f"set:{key}/")
    )
    later = visit(**dict(person.at.query_params)).turn_to(PAGE)
    assert chosen(later).data == key


def test_photos_of_other_classes_are_named_and_not_offered(visit):
    person = visit(v="3", tested="tiny-advprop", steps="1").turn_to(PAGE)
    person.at.file_uploader(key="photo_sets.upload").set_value(
        ("pets.zip", zipped("cat/1.jpg", "dog/1.jpg"), "application/zip")
    )
    person.run()
    assert chosen(person).data == "shapes"
    assert "No folder of pets is a class of these networks: cat, dog." in person.text


def test_where_others_reach_the_server_it_takes_none(visit, monkeypatch):
    monkeypatch.setenv("ADVPROP_PUBLIC", "1")
    person = visit(v="3", tested="tiny-advprop", steps="1").turn_to(PAGE)
    assert not [w for w in person.at.get("file_uploader") if w.key == "photo_sets.upload"]
