"""Two comparisons side by side."""

import pytest

from app.playground.view import PlaygroundView, read_kept, write_kept
from app.shell.links import decode
from tests.app.visiting import chosen


def test_what_is_kept_stays_while_another_setting_is_chosen(visit):
    person = visit()
    person.press("Keep this beside")
    person.choose(epsilon=16.0)
    kept, now = person.boards
    assert (kept["isHalf"], now["isHalf"]) == (True, True)
    facts = [next(fact["value"] for fact in board["facts"]) for board in (kept, now)]
    assert facts == ["4.00/255", "16.00/255"]
    assert "ε 4 → 16" in person.text
    person.press("Swap")
    assert (chosen(person).epsilon, read_kept(chosen(person).beside).epsilon) == (4.0, 16.0)
    person.press("Close")
    assert not person.board["isHalf"]
    assert "Keep this beside" in [button.label for button in person.at.button]


def test_another_network_beside(visit):
    person = visit()
    person.press("Keep this beside")
    person.choose(model="tiny-vanilla", epsilon=8.0)
    for half in (
        "tiny-advprop**: PGD attack, L∞ ε = 4/255",
        "tiny-vanilla**: PGD attack, L∞ ε = 8",
    ):
        assert half in person.text
    kept, now = person.boards
    assert [branch["name"] for branch in kept["branches"]] == ["main", "aux"]
    assert [branch["name"] for branch in now["branches"]] == ["main"]
    again = visit(**person.at.query_params)
    assert [len(board["branches"]) for board in again.boards] == [2, 1]


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (PlaygroundView(model="gone"), "there is no network `gone`"),
        (
            PlaygroundView(model="tiny-vanilla", image="scene:2", attack_branch="aux"),
            "`tiny-vanilla` has no branch `aux`",
        ),
        (
            PlaygroundView(model="tiny-advprop", image="scene:2", target="cat"),
            "`tiny-advprop` has no class `cat`",
        ),
    ],
)
def test_what_a_link_kept_and_is_not_here(visit, kept, reason):
    person = visit(v="3", model="tiny-advprop", image="scene:2", beside=write_kept(kept))
    assert person.warnings == [f"The kept result cannot be shown: {reason}."]
    assert len(person.boards) == 1
    assert not person.errors


@pytest.mark.parametrize("page", ["maps", "models"])
def test_what_is_kept_survives_a_reload_of_another_page(visit, page):
    person = visit(steps="1").press("Keep this beside").choose(epsilon=16.0)
    person.turn_to(f"app/{page}/page.py")
    link = dict(person.at.query_params)
    again = visit(**link)
    again.turn_to(f"app/{page}/page.py").turn_to("app/playground/page.py")
    assert len(again.boards) == 2
    closed = again.press("Close").turn_to(f"app/{page}/page.py")
    assert "beside" not in closed.at.query_params


def test_a_link_that_keeps_nonsense_is_refused():
    for text in ("v=99", "v=3&epsilon=99", "v=3&method=horoscope"):
        view, (complaint,) = decode({"v": "3", "beside": text}, PlaygroundView())
        assert view.beside == ""
        assert "beside" in complaint


def test_what_is_kept_holds_no_third_one():
    view = PlaygroundView(epsilon=8.0, beside="v=3&epsilon=2", studio="film")
    assert read_kept(write_kept(view)) == PlaygroundView(epsilon=8.0)
