"""What a link holds of each page's view, and what a session makes of it."""

import math
import random
from dataclasses import replace

import pytest

from advprop_core.attribution.methods import METHODS
from app.anatomy.view import AnatomyView
from app.maps.view import MOST_MAPS, MapsView
from app.playground.view import PlaygroundView
from app.robustness.view import RobustnessView
from app.shell.links import decode, encode
from app.shell.view import View, bounds, fitting, rules

PAGES = (PlaygroundView, MapsView, AnatomyView, RobustnessView)
REGIONS = ("", "1.2.3.4", "0.0.1000.1_999.999.1.1")
ODD_TEXTS = ("", "shapes-advprop", "folder:a b/ü&=?#%.jpg", "upload:0f", "日本", "n03028079", "1")


def random_view(page: type[View], draw: random.Random) -> View:
    """Any view a link may hold; half of its fields keep their defaults."""
    chosen = {name: rule for name, rule in rules(page).items() if draw.random() < 0.5}
    return page(**{name: random_value(rule, draw) for name, rule in chosen.items()})


def random_value(rule, draw):
    limits, default = rule.metadata, rule.default
    if isinstance(default, tuple):
        return tuple(
            draw.sample([*limits.get("titles", ("s1", "s2.b1", "s3"))], draw.randint(0, 3))
        )
    if "bounds" in limits:
        low, high = limits["bounds"]
        if isinstance(default, int):
            return draw.randint(low, high)
        return min(draw.choice((low, high, 0.1, 1 / 3, draw.uniform(low, high))), high)
    if isinstance(default, bool):
        return draw.random() < 0.5
    if rule.name == "beside":
        return draw.choice(("", "v=3", "v=3&epsilon=8&image=upload%3A0f"))
    return draw.choice(REGIONS if rule.name == "regions" else [*limits.get("titles", ODD_TEXTS)])


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("seed", range(50))
def test_every_view_survives_its_link(page, seed):
    view = random_view(page, random.Random(seed))
    assert decode(encode(view), page()) == (view, [])


ONE_SCALE = {"explained": "attacked", "scale": "shared", "opacity": 60}
"""What all maps had in common before version 3."""


def test_a_link_of_before_opens_each_page_to_the_same_view():
    """It held the fields of all pages."""
    link = {
        "v": "1", "model": "tiny", "epsilon": "8", "studio": "film", "maps": "cam", "dial": "30",
        "moved": "affine", "tested": "a,b", "attack_steps": "7", "radii": "1/255",
    }  # fmt: skip
    shared = {"model": "tiny", "image": "scene:2", "epsilon": 8.0, **ONE_SCALE}
    for view in (
        PlaygroundView(**shared, studio="film"),
        MapsView(**shared, maps=("cam",)),
        AnatomyView(**shared, dial=30, moved="affine"),
        RobustnessView(**shared, tested=("a", "b"), attack_steps=7, radii="1/255"),
    ):
        assert decode(link, type(view)()) == (view, [])


def test_lists_in_a_link():
    assert encode(MapsView(maps=("saliency", "cam")))["maps"] == "saliency,cam"
    assert decode({"v": "3", "maps": ""}, MapsView())[0].maps == ()
    most = tuple(METHODS)[:MOST_MAPS]
    assert decode(encode(MapsView(maps=most)), MapsView()) == (MapsView(maps=most), [])
    seven = ",".join(tuple(METHODS)[: MOST_MAPS + 1])
    for bad in ("saliency,saliency", "saliency,grad", "saliency,", seven):
        view, complaints = decode({"v": "3", "maps": bad}, MapsView())
        assert view == MapsView()
        assert f"maps = `{bad[:40]}" in complaints[0]


def test_link_of_the_defaults_holds_the_version_alone():
    assert encode(View()) == {"v": "3"}
    assert encode(View(epsilon=8.0, expert=True)) == {"v": "3", "epsilon": "8", "expert": "1"}


def test_an_address_without_parameters_shows_the_pages_own_default():
    own = View(model="mine")
    assert decode({}, own) == (own, [])
    assert decode({"epsilon": "2"}, own) == (replace(own, epsilon=2.0), [])


def test_a_link_of_ours_does_not_depend_on_the_pages_own_default():
    assert decode({"v": "3"}, View(model="mine")) == (View(), [])


def test_an_old_link_keeps_the_defaults_of_its_version():
    """The first view was a drawn scene, and all maps explained one class."""
    view = View(model="shapes-advprop", image="scene:2", steps=20, **ONE_SCALE)
    assert decode({"v": "1", "steps": "20"}, View()) == (view, [])
    # Written anew, it says what the newer defaults would change.
    assert encode(view) == {
        "v": "3", "model": "shapes-advprop", "image": "scene:2", "steps": "20",
        "explained": "attacked", "scale": "shared", "opacity": "60",
    }  # fmt: skip
    assert decode({"v": "2", "steps": "20"}, View()) == (View(steps=20, **ONE_SCALE), [])
    assert decode({"v": "3", "steps": "20"}, View()) == (View(steps=20), [])


@pytest.mark.parametrize("version", ["99", "0", "-1", "", "one", "²", "1.0", "9" * 5000])
def test_unknown_version_is_said_and_the_default_shown(version):
    own = View(model="mine")
    view, complaints = decode({"v": version, "epsilon": "2"}, own)
    assert view == own
    (sentence,) = complaints
    assert "version" in sentence
    assert len(sentence) < 150


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epsilon", "nan"), ("epsilon", "inf"), ("epsilon", "-1"), ("epsilon", "16.1"),
        ("epsilon", "4/255"), ("radius", "NaN"), ("severity", "0.51"), ("severity", "-inf"),
        ("steps", "0"), ("steps", "101"), ("steps", "2.5"), ("steps", "1" * 5000),
        ("step_size", "1e999"), ("seed", "-1"), ("seed", "10000"), ("opacity", "101"),
        ("expert", "yes"), ("expert", ""), ("norm", "l1"), ("perturbation", "rm"),
        ("method", "horoscope"), ("steps", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_is_left_out_and_said(name, text):
    view, complaints = decode({"v": "3", name: text, "image": "scene:3"}, View())
    assert view == View(image="scene:3")
    (sentence,) = complaints
    assert name in sentence
    assert len(sentence) < 150


@pytest.mark.parametrize("page", PAGES)
def test_every_number_has_bounds_that_refuse_what_is_no_number(page):
    for name, rule in rules(page).items():
        if type(rule.default) not in (int, float):
            continue
        low, high = bounds(page, name)
        for value in (math.nan, math.inf, -math.inf, high + 1, low - 1):
            with pytest.raises(ValueError, match=name):
                fitting(page, name, value)


def test_parameters_of_others_are_no_concern():
    assert decode({"v": "3", "utm_source": "mail", "embed": "true"}, View()) == (View(), [])


def test_a_links_markdown_has_no_effect_in_a_complaint():
    (sentence,) = decode({"v": "3", "steps": "![x](http://evil.example/x.png)"}, View())[1]
    assert "`![x](http://evil.example/x.png)`" in sentence
    (sentence,) = decode({"v": "3", "steps": "`![x](//e.example)"}, View())[1]
    assert sentence.count("`") == 2


# -- in a session --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "fallback"),
    [("seed", "four", 0), ("steps", 1000, 10), ("severity", None, 0.1), ("opacity", True, 70),
     ("target", 7, ""), ("method", ["cam"], "grad-cam"), ("regions", "1.2", "")],
)  # fmt: skip
def test_a_broken_widget_state_falls_back_to_the_default_and_is_said(visit, field, value, fallback):
    """Of controls that are not on the page: AppTest cannot send what a widget never would."""
    person = visit(perturbation="fgsm")
    person.at.session_state[f"view.{field}"] = value
    person.run().assert_whole()
    assert person.warnings == [f"The value of {field} cannot be used. It is now {fallback!r}."]
    assert getattr(person.at.session_state["view"], field) == fallback
    assert not person.choose(perturbation="none").warnings


def test_each_page_takes_its_own_fields_from_the_link_and_shares_what_was_chosen(visit):
    person = visit(steps="1", maps="saliency", dial="150").choose(epsilon=7.0)
    assert "maps" not in person.at.query_params
    person.turn_to("app/maps/page.py")
    assert person.at.session_state["view"] == MapsView(
        model="tiny-advprop", image="scene:2", steps=1, maps=("saliency",), epsilon=7.0
    )
    assert not person.warnings
    person.turn_to("app/anatomy/page.py")
    assert person.warnings == ["The link asks for dial = `150`, which is not available here."]
