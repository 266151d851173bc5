"""Work that takes long, is stopped, or fails: the previous result stays."""

import threading

import pytest

from app import requests
from tests.app.pages.visiting import chosen


@pytest.fixture
def held(monkeypatch):
    """Work that reports a half and then waits until it is let go."""
    let_go = threading.Event()
    real = requests.run

    def run(request, branches, pixels, job):
        job.report(0.5)
        let_go.wait(30)
        job.report(0.6)
        return real(request, branches, pixels, job)

    monkeypatch.setattr("app.requests.run", run)
    yield let_go
    let_go.set()


def test_what_takes_long_shows_progress_above_the_previous_result(visit, held):
    held.set()
    person = visit(steps="1")
    held.clear()
    person.widget("epsilon").set_value(9.0)
    at = person.at.run()
    assert [p.value for p in at.progress] == [50]
    assert "previous result" in person.text
    person.assert_whole()
    assert person.result.facts.linf == pytest.approx(4 / 255, rel=1e-3)
    held.set()
    person.run()
    assert "previous result" not in person.text
    assert person.result.facts.linf == pytest.approx(9 / 255, rel=1e-3)


def test_stop_goes_back_to_what_is_shown(visit, held):
    held.set()
    person = visit(steps="1")
    view = chosen(person)
    held.clear()
    person.widget("epsilon").set_value(9.0)
    person.at.run()
    next(b for b in person.at.button if b.label == "Stop").click()
    held.set()
    person.run().assert_whole()
    assert chosen(person) == view
    assert person.widget("epsilon").value == 4.0


def test_work_that_fails_is_said_once_and_not_tried_for_ever(visit, monkeypatch):
    person = visit(steps="1")
    runs = []

    def fail(request, branches, pixels, job):
        runs.append(request)
        raise ValueError("the map is not finite.")

    monkeypatch.setattr("app.requests.run", fail)
    person.choose(epsilon=5.0)
    assert "not finite. The previous result stays below." in person.errors[0]
    person.assert_whole()
    person.run()
    assert person.errors
    assert len(runs) == 1
    person.choose(epsilon=4.0)
    assert not person.errors
