"""Uploads: good ones are shown, bad ones named while everything else stays."""

import pytest
import torch

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
    person.choose(**{"gallery.group": "Scenes"})
    person.at.button(key="gallery.scene:4").click()
    person.run().choose(epsilon=2.0)
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
    ],
    ids=["words", "web page", "empty", "truncated", "1×1", "10000×3"],
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
