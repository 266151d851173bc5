"""The Maps page, on tiny networks."""

import re

import pytest

from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.methods import METHODS
from tests.app.visiting import chosen, jpeg, lose_pictures

MAPS = "app/maps/page.py"
STRIP = "Grad-CAM through all stages"


def assert_whole(person, *methods):
    assert not person.at.exception, person.at.exception
    assert labels(person) == [*(METHODS[method].title for method in methods), STRIP]


def labels(person):
    """What the tables of pictures on the page are of."""
    texts = [element.proto.body for element in person.at.get("html")]
    return [re.search('aria-label="(.*?)"', text)[1] for text in texts if "<table" in text]


def test_the_default_view(visit):
    person = visit(steps="1").turn_to(MAPS)
    assert_whole(person, "grad-cam", "smoothgrad")
    assert "main" in person.text
    assert "rank correlation" in person.text
    assert METHODS["smoothgrad"].sentence in person.text


def test_a_link_names_maps_class_and_layer(visit):
    person = visit(steps="1", maps="occlusion,layer-cam", explained="ring", layer="layer2")
    person.turn_to(MAPS)
    assert_whole(person, "occlusion", "layer-cam")
    assert "LayerCAM at layer `layer2` for the class **ring**" in person.text


def test_a_target_is_told_from_what_the_maps_explain(visit):
    person = visit(steps="1", maps="saliency", target="heart", expert="1").turn_to(MAPS)
    assert "The attack aimed at heart, which" in person.text
    assert "towards **heart**, its target. The maps explain **" in person.text
    person.choose(explained="heart")
    assert "explain **heart**, the class that the attack aimed at" in person.text
    assert "aimed at" not in person.choose(target="").text


def test_the_picture_and_the_network_are_the_playgrounds(visit):
    person = visit(steps="1").choose(epsilon=7.0, model="tiny-vanilla").turn_to(MAPS)
    assert chosen(person).epsilon == 7.0
    assert_whole(person, "grad-cam", "smoothgrad")
    found = person.at.session_state["shown.maps"].result
    assert found.comparison.branches == ("main",)
    assert found.comparison.facts.linf == pytest.approx(7 / 255, rel=1e-3)


def test_no_map_is_an_error_that_says_what_to_do(visit):
    person = visit(steps="1", maps="").turn_to(MAPS)
    assert not person.at.exception
    assert person.errors == ["No map is chosen. Choose at least one."]


def test_a_map_that_does_not_fit_is_said_and_the_others_are_drawn(visit, monkeypatch):
    from app.maps import map_set

    real = map_set.MapMaker.make

    def make(maker, method, *others, **options):
        if method == "saliency":
            raise Unfit("the network has none of it: use occlusion")
        return real(maker, method, *others, **options)

    monkeypatch.setattr(map_set.MapMaker, "make", make)
    person = visit(steps="1", maps="saliency,grad-cam").turn_to(MAPS)
    assert_whole(person, "grad-cam")
    assert person.warnings == ["Saliency is not drawn: the network has none of it: use occlusion"]


def test_checks_are_made_when_asked_for_and_stay_for_this_view(visit):
    person = visit(steps="1", maps="saliency").turn_to(MAPS)
    ask = next(b for b in person.at.button if b.label == "Check these maps")
    ask.click()
    person.run()
    assert not person.at.exception, person.at.exception
    assert person.charts == ["curves.saliency.deletion", "curves.saliency.insertion"]
    assert re.search(
        r"\*\*Saliency\*\* (can be trusted|is doubtful|should not|is neither)", person.text
    )
    assert "What the columns mean" in person.text
    (table,) = person.at.table
    assert list(table.value["Branch"]) == ["main", "aux", "main", "aux"]
    assert list(table.value["Picture"]) == ["clean"] * 2 + ["perturbed"] * 2
    assert all(value.endswith("%") for value in table.value["On the object"])
    link = dict(person.at.query_params)
    person.choose(epsilon=8.0)
    assert person.charts == [], "they are of other maps"
    person.turn_to("app/playground/page.py").turn_to(MAPS).choose(epsilon=4.0)
    assert len(person.charts) == 2, "of these they were made"
    again = visit(**link).turn_to(MAPS)
    assert len(again.charts) == 2, "a reload finds them"


def test_another_map_leaves_the_checks_of_those_beside_it(visit):
    person = visit(steps="1", maps="saliency").turn_to(MAPS).press("Check these maps")
    (table,) = person.at.table
    person.choose(maps=["grad-cam", "saliency"])
    assert person.at.table[0].value.equals(table.value)
    person.press("Check Grad-CAM too")
    assert list(person.at.table[0].value["Map"].unique()) == ["Grad-CAM", "Saliency"]
    assert person.at.table[0].value["Deletion"].tolist()[4:] == table.value["Deletion"].tolist()
    assert not [button for button in person.at.button if button.label.startswith("Check")]
    again = visit(**person.at.query_params).turn_to(MAPS)
    assert len(again.charts) == 4, "a reload finds them all"


def test_a_photo_has_no_known_object(visit):
    person = visit(steps="1", maps="saliency", image="photo:coffee").turn_to(MAPS)
    person.press("Check these maps")
    (table,) = person.at.table
    assert "On the object" not in table.value


def test_a_photo_that_is_gone_leaves_what_was_made_of_it(visit):
    person = visit(steps="1").upload("mine.jpg", jpeg()).turn_to(MAPS)
    tables = labels(person)
    lose_pictures()
    person.choose(epsilon=2.0)
    assert not person.at.exception
    assert "upload it again" in person.errors[0]
    assert labels(person) == tables
