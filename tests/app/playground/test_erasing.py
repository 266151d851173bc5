"""Erasing by hand, as far as it goes without a mouse: numbers, links, fills."""

import pytest
import torch

from advprop_core.pictures.erasing import erase
from advprop_core.pictures.regions import EraseConfig, Region
from app.shell import erasing
from tests.app.visiting import chosen

LEFT_HALF = "0.0.500.1000"


def click(person, key):
    person.at.button(key=key).click()
    return person.run()


def test_a_link_erases(visit):
    person = visit(perturbation="erase", regions=LEFT_HALF, fill="black")
    assert not person.at.exception
    assert not person.errors
    clean = person.result.clean[None]
    expected = erase(clean, EraseConfig((Region(0, 0, 500, 1000),), "black"))[0]
    assert torch.equal(person.result.adversarial, expected)
    person.assert_whole()
    assert person.pictures[-1] == "Change"
    assert person.board["pictures"][1]["alt"].endswith("1 region painted black by hand")


@pytest.mark.parametrize(
    "text", ["900.0.200.10", "1.2.3", "a.b.c.d", "_".join(["1.1.1.1"] * 25), "1.1.1.1 "]
)
def test_regions_out_of_range_are_said_and_the_rest_shown(visit, text):
    person = visit(perturbation="erase", regions=text, fill="pink")
    assert not person.at.exception
    assert len(person.warnings) == 2
    assert "regions = " in person.warnings[0]
    assert "fill = `pink`" in person.warnings[1]
    assert chosen(person).regions == ""
    assert "Nothing was changed" in person.text


def test_numbers_do_what_the_mouse_does(visit):
    person = visit(perturbation="erase")
    assert "Nothing was changed" in person.text
    person.choose(**{"erase.left": 10, "erase.top": 20, "erase.width": 30, "erase.height": 40})
    click(person, "erase.add")
    assert chosen(person).regions == "100.200.300.400"
    assert person.at.query_params["regions"] == "100.200.300.400"
    assert "1. left 10 %, top 20 %, 30 % wide, 40 % high" in person.text
    person.choose(**{"erase.left": 90, "erase.width": 100})
    click(person, "erase.add")
    assert chosen(person).regions.endswith("_900.200.100.400"), "cut off at the edge"
    click(person, "erase.undo")
    assert chosen(person).regions == "100.200.300.400"
    click(person, "erase.clear")
    assert chosen(person).regions == ""
    assert person.at.button(key="erase.undo").disabled


def test_no_more_regions_than_a_link_may_hold(visit):
    person = visit(perturbation="erase", regions="_".join(["1.1.1.1"] * 24))
    assert person.at.button(key="erase.add").disabled
    assert not person.warnings


def test_another_fill_and_the_way_back(visit):
    person = visit(perturbation="erase", regions=LEFT_HALF)
    grey = person.result.adversarial
    person.choose(fill="blur")
    assert not torch.equal(person.result.adversarial, grey)
    assert "blurred by hand" in person.board["pictures"][1]["alt"]
    person.choose(perturbation="pgd").assert_whole()
    person.choose(perturbation="erase")
    assert chosen(person).regions == LEFT_HALF, "it is kept"


def test_there_is_no_seed_of_what_a_hand_does(visit):
    person = visit(perturbation="erase", expert="1")
    assert "view.seed" not in person.keys()  # noqa: SIM118


@pytest.mark.parametrize(
    "drawn",
    [None, {}, {"text": "1.2.3", "serial": 1}, {"text": "1.2.3.4", "serial": "x"}, {"serial": 1}],
)
def test_what_a_browser_sends_is_checked(monkeypatch, drawn):
    session = {"eraser": {"drawn": drawn}}
    monkeypatch.setattr(erasing.st, "session_state", session)
    erasing._take()
    assert list(session) == ["eraser"]


def test_what_is_drawn_is_handed_on(monkeypatch):
    session = {"eraser": {"drawn": {"text": "1.2.3.4", "serial": 7}}}
    monkeypatch.setattr(erasing.st, "session_state", session)
    erasing._take()
    assert session["view.regions"] == "1.2.3.4"
    assert session["eraser.serial"] == 7
