"""`advprop influence` and `advprop digits`: what they print, draw and refuse."""

import json

import pytest
from PIL import Image

from tests.core.cli.tiny import draw_photo


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_photo_has_helpful_and_harmful_training_images(advprop, model, val, tmp_path) -> None:
    photo = val / "church" / "0.png"
    words = ("--model", model, "--train", val, "--top", 2, "--out", tmp_path / "out")
    answer = advprop("influence", photo, *words, "--json", tmp_path / "it.json")
    assert answer.code == 0, answer.err
    content = json.loads((tmp_path / "it.json").read_text())
    assert [row["branch"] for row in content["results"]] == ["main", "aux"]
    for row in content["results"]:
        assert row["class"] == "church", "taken from its folder"
        assert row["helpful"][0]["image"] == "church/0.png", "it is among them and helps itself"
        assert [image["score"] > 0 for image in row["helpful"]] == [True] * 2
        assert [image["score"] < 0 for image in row["harmful"]] == [True] * 2
    assert "church/0.png" in answer.out
    with Image.open(tmp_path / "out" / "influence.png") as sheet:
        assert sheet.width > sheet.height > 400


def test_a_test_set_is_measured_for_every_branch(advprop, model, val, tmp_path) -> None:
    words = ("--model", model, "--train", val, "--out", tmp_path / "out", "--limit", 6)
    answer = advprop("influence", val, *words, "--json", tmp_path / "it.json")
    assert answer.code == 0, answer.err
    main, aux = json.loads((tmp_path / "it.json").read_text())["results"]
    assert (main["n"], len(main["curve"]), len(main["matrix"])) == (6, 9, 3)
    assert main["interval"][0] < main["share"] <= main["interval"][1] <= 1
    assert "minus_first" not in main
    assert aux["minus_first"]["interval"][0] <= aux["minus_first"]["difference"]
    assert (tmp_path / "out" / "influence.png").is_file()


@pytest.mark.parametrize(
    ("image", "more", "message"),
    [
        ("text.jpg", (), "text.jpg: "),
        ("nosuch.jpg", (), "is neither a photo nor a test set"),
        ("photo", ("--train", "empty"), "holds no image"),
        ("photo", ("--true-class", "zebra"), "--true-class must be a class of the training images"),
        ("photo", ("--limit", 3), "--limit is for a test set"),
        ("photo", ("--method", "magic"), "--method must be one of last-layer, tracin"),
        ("photo", ("--method", "tracin"), "train with `advprop train --keep-epochs --out DIR`"),
        ("photo", ("--branch", "aux7"), "no branch 'aux7'"),
        ("val", ("--true-class", "church"), "--true-class is for a photo"),
    ],
)
def test_what_cannot_be_traced_is_refused(
    advprop, model, val, bad_files, image, more, message
) -> None:
    places = {"photo": val / "church" / "0.png", "val": val}
    place = places.get(image, bad_files / image)
    more = [bad_files / word if word == "empty" else word for word in more]
    words = () if "--train" in more else ("--train", val)
    advprop("influence", place, "--model", model, *words, *more).refuses(message)


def test_training_images_of_one_class_are_refused(advprop, model, val, tmp_path) -> None:
    (tmp_path / "one" / "church").mkdir(parents=True)
    draw_photo(tmp_path / "one" / "church" / "1.png")
    words = ("--model", model, "--train", tmp_path / "one")
    advprop("influence", val / "church" / "0.png", *words).refuses("have only one class")


def test_digits_are_fooled(advprop, tmp_path) -> None:
    answer = advprop("digits", "--out", tmp_path, "--json", tmp_path / "it.json")
    assert answer.code == 0, answer.err
    assert "trained on clean digits: wrong on 0 % of clean digits, 96 % of attacked" in answer.out
    assert json.loads((tmp_path / "it.json").read_text())["errors"]["robust"]["attacked"] < 0.2
    with Image.open(tmp_path / "digits.png") as sheet:
        assert sheet.width > 800
    advprop("digits", "--epsilon", 0).refuses("--epsilon must lie in (0, 1], got 0")
