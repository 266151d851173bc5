"""The Visualise page, on tiny networks."""

import pytest

PAGE = "app/visualise/page.py"
LINK = {"v": "3", "model": "tiny-advprop", "image": "scene:2", "visual_steps": "5", "reach": "3"}


@pytest.fixture
def come(tiny, visit):
    return lambda **choices: visit(**LINK | choices).turn_to(PAGE)


def pictures(person):
    return person.at.session_state["shown.visualise"].result.pictures


def chooser(person):
    """The way to the gallery."""
    return person.at.get("popover")[-1].proto.popover


def test_every_branch_of_both_networks_and_who_else_sees_the_class(come):
    person = come(wished_class="star", second_model="tiny-vanilla")
    assert not person.at.exception, person.at.exception
    assert "## Star" in person.text
    places = [(seen.model, seen.branch) for seen in pictures(person)]
    assert places == [("tiny-advprop", "main"), ("tiny-advprop", "aux"), ("tiny-vanilla", "main")]
    for seen in pictures(person):
        assert seen.scores[1] > seen.scores[0]
        assert seen.seen_by.keys() == {*places} - {(seen.model, seen.branch)}
    assert len(person.at.table[0].value) == 3
    reel = person.at.session_state["shown.visualise"].result.reel
    assert reel.classes[0] == "star"
    assert [frame.title for frame in reel.frames][::5] == ["Start", "Step 5 of 5"]
    assert reel.colours[0] == reel.colours[2] != reel.colours[1], "colour means branch"


def test_noise_follows_its_seed_and_a_picture_has_none(come):
    person = come()
    first = pictures(person)
    assert chooser(person).disabled, "a picture would change nothing"
    assert pictures(come(seed="1"))[0].scores != first[0].scores
    person = come(begins_with="picture")
    assert not person.at.exception, person.at.exception
    assert not chooser(person).disabled
    assert "Seed" not in [widget.label for widget in person.at.number_input]


def test_a_channel_and_one_that_the_layer_does_not_have(come):
    person = come(wished="channel", channel="2", layer="layer1")
    assert not person.at.exception, person.at.exception
    assert "## Channel 2 of layer1" in person.text
    seen = pictures(person)[0]
    assert seen.scores[1] > seen.scores[0]
    assert seen.seen_by == {}
    person = come(wished="channel", channel="4000", layer="layer1")
    assert not person.at.exception
    assert "channel must lie in [0, " in person.errors[0].replace("\\", "")
