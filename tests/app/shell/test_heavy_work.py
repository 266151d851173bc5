"""Work that takes long, is stopped, or fails: the previous result stays."""

import pytest

from advprop_core.compare import compare as comparing
from advprop_core.errors import InputError
from tests.app.visit import Visit


@pytest.fixture
def held(hold):
    return hold(comparing, "compare")


@pytest.fixture
def waiting(visit, held):
    """Asked for 9/255 and not served yet, with the result of 4/255 on the page."""
    held.set()
    person = visit(steps="1")
    held.clear()
    person.widget("epsilon").set_value(9.0)
    person.at.run()
    return person


def test_what_takes_long_shows_progress_above_the_previous_result(waiting, held):
    person = waiting
    assert [p.value for p in person.at.progress] == [50]
    assert "Previous result" in person.text
    person.assert_whole()
    assert person.result.facts.linf == pytest.approx(4 / 255, rel=1e-3)
    held.set()
    person.run()
    assert "Previous result" not in person.text
    assert person.result.facts.linf == pytest.approx(9 / 255, rel=1e-3)


def test_stop_keeps_what_is_shown_and_what_is_chosen(waiting, held):
    person = waiting
    person.press("Stop").assert_whole()
    held.set()
    for _ in range(2):  # it is not begun again by itself
        person.run()
        assert "Stopped." in person.text
        assert "Previous result" in person.text
    assert person.result.facts.linf == pytest.approx(4 / 255, rel=1e-3)
    assert person.widget("epsilon").value == 9.0
    person.press("Go on").assert_whole()
    assert "Stopped." not in person.text
    assert person.result.facts.linf == pytest.approx(9 / 255, rel=1e-3)


def test_stop_before_there_is_any_result(tiny, held):
    person = Visit({"steps": "1"}, wait=False)
    person.press("Stop")
    held.set()
    assert "Stopped." in person.run().text
    assert all(board["label"].startswith("Soon here:") for board in person.boards)
    person.press("Go on").assert_whole()


def test_work_on_a_page_that_was_left_is_given_up(waiting):
    person = waiting
    job = person.at.session_state["work.playground"]
    assert not job.cancelled
    person.at.switch_page("app/models/page.py").run()
    assert job.cancelled
    assert "work.playground" not in person.at.session_state


def test_work_that_fails_is_said_once_and_not_tried_for_ever(visit, monkeypatch):
    person = visit(steps="1")
    runs = []

    def compare(*inputs, **options):
        runs.append(options)
        raise InputError("the map is not finite.")

    monkeypatch.setattr(comparing, "compare", compare)
    person.choose(epsilon=5.0)
    assert "not finite. The previous result stays below." in person.errors[0]
    person.assert_whole()
    person.run()
    assert person.errors
    assert len(runs) == 1
    person.choose(epsilon=4.0)
    assert not person.errors
