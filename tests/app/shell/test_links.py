"""Links restore a view; what one asks in vain is said, and the rest shown."""

from dataclasses import replace

import pytest

from app.playground.view import PlaygroundView as View
from app.robustness.view import RobustnessView
from app.shell.links import decode, encode
from tests.app.visiting import chosen


def test_a_link_restores_the_whole_view(visit):
    view = View(
        model="tiny-advprop", image="conflict:2", perturbation="i-fgsm", norm="l2", radius=1.5,
        steps=3, step_size=0.25, attack_branch="aux", target="heart", seed=7, method="grad-cam",
        layer="layer2", explained="ring", opacity=35, expert=True,
    )  # fmt: skip
    person = visit(**encode(view))
    person.assert_whole()
    assert not person.errors
    assert not person.warnings
    assert chosen(person) == view
    assert person.at.query_params == encode(view)
    for name in ("norm", "radius", "steps", "attack_branch", "target", "layer", "opacity"):
        assert person.widget(name).value == getattr(view, name)


@pytest.mark.parametrize("expert", ["0", "1"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"model": "nosuch", "epsilon": "nan"},
        {"target": "n03028079", "explained": "n03028079", "layer": "blocks.9.nosuch"},
        {"attack_branch": "aux7", "method": "horoscope", "steps": "1000000"},
        {"perturbation": "curse", "norm": "l1", "seed": "-1"},
    ],
)
def test_what_a_link_asks_in_vain_is_said_and_the_rest_shown(visit, parameters, expert):
    known = {"v": "3", "model": "tiny-advprop", "image": "scene:2", "expert": expert}
    person = visit(**known | parameters)
    person.assert_whole()
    assert not person.errors
    assert len(person.warnings) == len(parameters)
    for name in parameters:
        assert any(name in warning for warning in person.warnings), name
    expected = replace(View(model="tiny-advprop", image="scene:2"), expert=expert == "1")
    assert chosen(person) == expected
    assert person.run().warnings, "it stays while nothing else is chosen"
    assert not person.choose(perturbation="none").warnings


def test_a_link_of_an_unknown_version_shows_the_first_view(visit):
    person = visit(v="99", model="tiny-vanilla", epsilon="2")
    person.assert_whole()
    assert "99" in person.warnings[0]
    assert chosen(person) == View(model="tiny-advprop", image="scene:2")


@pytest.mark.parametrize(
    "image",
    [
        "nosuch:1",
        "upload:00",
        "folder:../secret.png",
        "scene:-1",
        "photo:coffee@0.0.7",
        "scene:1@0.0.500",
    ],
)
def test_a_link_to_a_picture_that_is_not_here(visit, image):
    person = visit(image=image, steps="1")
    assert not person.at.exception
    assert len(person.errors) == 1
    person.look_at("Scenes").take("scene:1").assert_whole()
    assert not person.errors


@pytest.mark.parametrize("names", [("a,b", "c"), ("50%", "50%2C"), ("%25,", "ü ñ"), ()])
def test_names_with_commas_come_back(names):
    view = RobustnessView(tested=names)
    assert decode(encode(view), RobustnessView()) == (view, [])
