"""Uploads: good ones are shown, bad ones named while everything else stays."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.shell import cache, crops
from app.shell.pictures import PictureGone
from tests.app.visiting import chosen, gif, jpeg, png


def test_an_upload_is_chosen_and_its_link_shows_it_to_others(visit):
    person = visit().upload("mine.jpg", jpeg())
    person.assert_whole()
    source = chosen(person).image
    assert source.startswith("upload:")
    assert "Clean: Your photo" in person.pictures
    assert person.at.query_params["image"] == source
    other = visit(**person.at.query_params)
    other.assert_whole()
    assert torch.equal(other.result.clean, person.result.clean)
    assert torch.equal(other.result.adversarial, person.result.adversarial)


def test_an_upload_does_not_come_back_by_itself(visit):
    """The file stays in the uploader, and a sample chosen after it is what is shown."""
    person = visit().upload("mine.jpg", jpeg())
    person.look_at("Scenes").take("scene:4").choose(epsilon=2.0)
    assert chosen(person).image == "scene:4"


def test_an_animated_gif_is_its_first_frame(visit):
    person = visit().upload("moving.gif", gif(), "image/gif")
    person.assert_whole()
    assert not person.errors
    red, green, blue = person.result.clean.mean((1, 2)).tolist()
    assert red > 0.9 > 0.1 > max(green, blue)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notes.jpg", b"just some words", "not an image"),
        ("page.jpg", b"<!DOCTYPE html><html></html>", "web page"),
        ("empty.jpg", b"", "empty"),
        ("cut.jpg", jpeg((400, 400), quality=95)[:3000], "cut off"),
        ("dot.png", png((1, 1)), "1×1"),
        ("line.png", png((10_000, 3)), "10000×3"),
        ("phone.heic", b"\0\0\0\x18ftypheic", "convert the photo to JPEG"),
        ("logo.svg", b"<svg xmlns='x'></svg>", "export it as PNG"),
        ("paper.pdf", b"%PDF-1.7", "export the picture as JPEG or PNG"),
    ],
    ids=["words", "web page", "empty", "truncated", "1×1", "10000×3", "HEIC", "SVG", "PDF"],
)
def test_a_bad_upload_is_named_and_everything_else_stays(visit, name, data, words):
    person = visit(steps="2", epsilon="3")
    before, view = person.result, chosen(person)
    person.upload(name, data)
    message, beside_the_uploader = person.errors
    assert message == beside_the_uploader
    assert name in message
    assert words in message
    assert "stays" in message
    person.assert_whole()
    assert chosen(person) == view
    assert torch.equal(person.result.adversarial, before.adversarial)


def test_after_a_bad_upload_a_good_one_is_taken(visit):
    person = visit(steps="2").upload("notes.jpg", b"just some words")
    assert person.errors
    assert not person.run().errors, "the message is said once"
    person.upload("good.jpg", jpeg()).assert_whole()
    assert not person.errors
    assert chosen(person).image.startswith("upload:")


def test_a_decompression_bomb_is_refused(visit):
    bomb = bytearray(png((8, 8)))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2  # IHDR's width and height
    person = visit(steps="1").upload("bomb.png", bytes(bomb), "image/png")
    assert "bomb.png" in person.errors[0]
    person.assert_whole()


def test_what_else_a_file_holds_is_not_kept(visit):
    """A PNG with a web page behind it and in its text is kept as its pixels alone."""
    page = b"<script>alert(1)</script>"
    notes = PngInfo()
    notes.add_text("Comment", page.decode())
    buffer = io.BytesIO()
    Image.new("RGB", (80, 80), "red").save(buffer, "PNG", pnginfo=notes)
    person = visit(steps="1").upload("both.png", buffer.getvalue() + page)
    person.assert_whole()
    name = chosen(person).image.removeprefix("upload:")
    assert page not in cache.uploads().get(name)


def test_a_photo_that_was_dropped_is_no_longer_shown():
    cache.uploads().put("k", png((8, 8)))
    assert cache.picture("upload:k", 8) == cache.picture("upload:k", 8)
    cache.uploads().drop("k")
    with pytest.raises(PictureGone):
        cache.picture("upload:k", 8)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<b>`x`</b>.jpg", "`<b> x </b>.jpg`: "),
        ("[x](https://a.example).jpg", "`[x](https://a.example).jpg`: "),
        ("a\u202egpj.exe", "`agpj.exe`: "),
    ],
    ids=["HTML", "link", "turned"],
)
def test_a_hostile_name_is_shown_as_text(visit, name, shown):
    """As code, where neither HTML nor Markdown has an effect."""
    message, _ = visit(steps="1").upload(name, b"just some words").errors
    assert message.startswith(shown)


def test_a_part_of_an_upload_and_what_it_shows(visit, tiny_info_of):
    """The crop travels with the picture; the true class is forgotten with another one."""
    halves = np.zeros((100, 200, 3), np.uint8)
    halves[:, 100:] = 255
    buffer = io.BytesIO()
    Image.fromarray(halves).save(buffer, "PNG")
    person = visit(steps="1").upload("halves.png", buffer.getvalue())
    whole = chosen(person).image
    (shown,) = person.elements("cropper")
    assert (shown["crop"], shown["smallest"]) == ("", 50)
    assert person.result.clean.mean() == pytest.approx(0.5, abs=0.02)
    person.at.session_state["view.image"] = f"{whole}@1000.0.1000"
    person.run().assert_whole()
    assert person.result.clean.min() == 1
    assert person.elements("cropper")[0]["crop"] == "1000.0.1000"
    second = tiny_info_of().class_ids[2]
    person.choose(true_class=second)
    assert person.result.true_class == 2
    assert "✓ marks the true class" in person.text
    other = visit(**person.at.query_params)
    assert other.result.true_class == 2
    assert torch.equal(other.result.clean, person.result.clean)
    person.upload("mine.jpg", jpeg())
    assert chosen(person).true_class == ""
    assert person.result.true_class is None


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("0.0.1000", (0, 0, 80, 80)),
        ("500.250.500", (40, 20, 80, 60)),
        ("9000.0.1000", (40, 0, 120, 80)),  # moved inside
        ("0.0.50", (0, 0, 4, 4)),
    ],
)
def test_a_crop_is_a_square_of_the_photo(text, box):
    photo = Image.new("RGB", (120, 80))
    photo.putdata([(x, y, 0) for y in range(80) for x in range(120)])
    cut = crops.parse(text).cut(photo)
    assert cut.size == (box[2] - box[0], box[3] - box[1])
    assert cut.getpixel((0, 0)) == (*box[:2], 0)


@pytest.mark.parametrize("text", ["", "1.2", "0.0.49", "0.0.1001", "-1.0.500", "a.b.c", "1e3.0.5"])
def test_what_is_no_crop(text):
    assert crops.parse(text) is None
