"""The Influence page, on tiny networks and drawn scenes."""

import csv
import io

import pytest
from PIL import Image

from app.shell.pictures import open_picture
from app.shell.store import BoundedStore

INFLUENCE = "app/influence/page.py"
FEW = {"training_images": "100", "shown_images": "2"}


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    from app.shell import cache

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache.tracers.clear()
    yield
    cache.tracers.clear()


def rests(person):
    return person.at.session_state["shown.influence"].result.branches


def test_every_branch_has_helpful_and_harmful_images(visit):
    person = visit(**FEW).turn_to(INFLUENCE)
    assert not person.at.exception, person.at.exception
    assert [rest.branch for rest in rests(person)] == ["main", "aux"]
    for rest in rests(person):
        assert rest.meant == "crescent", "scene 2 is known to show one"
        assert [len(rest.helpful), len(rest.harmful)] == [2, 2]
        assert rest.helpful[0].score > rest.helpful[1].score > 0 > rest.harmful[1].score
        assert f"## {rest.branch} with a new last layer says {rest.answer}" in person.text
    assert (
        "The loss of **crescent**, which the picture shows, is traced to 100 drawn scenes."
        in person.text
    )


def test_another_network_stands_beside_it(visit):
    person = visit(**FEW).turn_to(INFLUENCE).choose(second_model="tiny-vanilla")
    pairs = [(rest.model, rest.branch) for rest in rests(person)]
    assert pairs == [("tiny-advprop", "main"), ("tiny-advprop", "aux"), ("tiny-vanilla", "main")]
    assert "main of tiny-vanilla" in person.text


def test_a_training_image_opens_in_the_playground(visit):
    person = visit(**FEW).turn_to(INFLUENCE)
    first = rests(person)[0].helpful[0]
    person.at.button(key="influence.open.0.helpful.0").click()
    person.run()
    assert person.at.session_state["view.image"] == first.source
    assert person.at.title[0].value != "Which training images affect a prediction most?"
    picture = open_picture(first.source, 64, BoundedStore(1))
    assert picture.label == first.label
    assert Image.open(io.BytesIO(picture.data)).size == (64, 64)


def test_suspects_are_flagged_and_exported(visit):
    person = visit(**FEW, influence_part="Which labels look wrong?").turn_to(INFLUENCE)
    assert not person.at.exception, person.at.exception
    suspects = person.at.session_state["shown.influence.suspects"].result
    scores = [example.score for example in suspects]
    assert scores == sorted(scores, reverse=True)
    person.at.button(key="influence.flag.suspects.1").click()
    person.run()
    assert person.at.query_params["flagged"] == suspects[1].source
    assert "1 image is flagged." in person.text
    from app.influence import words

    header, row = csv.reader(io.StringIO(words.flagged_file([suspects[1].source], suspects)))
    assert header == ["image", "label", "self_influence"]
    assert row == [suspects[1].title, suspects[1].label, repr(suspects[1].score)]
    person.at.button(key="influence.flag.suspects.1").click()
    assert "No images are flagged." in person.run().text


def test_a_network_whose_training_images_are_not_here_says_what_to_do(
    visit_with, save_tiny_network, tiny_info_of, tmp_path
):
    info = tiny_info_of("stranger", class_ids=("cat", "dog"), class_names=("cat", "dog"))
    person = visit_with(save_tiny_network(tmp_path / "stranger.safetensors", info))
    person.turn_to(INFLUENCE)
    assert not person.at.exception, person.at.exception
    assert "advprop app --images DIR" in person.text


def test_photos_of_the_own_folder_are_traced_too(visit_with, tiny_models, monkeypatch, tmp_path):
    for number, name in enumerate(("cats", "dogs")):
        (tmp_path / "own" / name).mkdir(parents=True)
        for shade in range(4):
            photo = Image.new("RGB", (80, 80), (60 * shade, 200 * number, 7))
            photo.save(tmp_path / "own" / name / f"{shade}.png")
    person = visit_with(tiny_models["tiny-vanilla"])
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path / "own"))
    person.turn_to(INFLUENCE).choose(trained_on="folder")
    assert not person.at.exception, person.at.exception
    (rest,) = rests(person)
    assert {rest.answer} <= {"cats", "dogs"}
    assert rest.helpful[0].source.startswith("folder:")
    assert "own answer" in person.text, "the scene shows none of these classes"
