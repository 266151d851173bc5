"""Whose turn it is, what gives way, what is given up and what is refused."""

import threading
from concurrent.futures import wait

import pytest

from app.shell import pool as pools
from app.shell.jobs import Cancelled, Job, Limits, Refused, Watcher
from app.shell.pool import Pool

SOON = 10  # seconds; only a broken pool needs them


class Line:
    """A pool of one worker that is busy until `open`; who asks then is served in an order."""

    def __init__(self, **options):
        self.order = []
        self.pool = Pool(workers=1, **options)
        self.gate = threading.Event()
        self.jobs = [self.ask("gatekeeper", "gate", lambda job: self.gate.wait(SOON))]

    def ask(self, session, key, work=None, slot="", **options):
        asked = Job(key, work or (lambda job: self.order.append(key)), **options)
        job = self.pool.submit(Watcher(session, slot or key), asked)
        if key != "gate":
            self.jobs.append(job)
        return job

    def open(self):
        self.gate.set()
        assert not wait([job.future for job in self.jobs], SOON).not_done
        return self.order


def test_people_take_turns_and_the_newest_of_each_goes_first(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(pools.time, "monotonic", lambda: now[0])
    line = Line()

    def take(key, seconds):
        def work(job):
            now[0] += seconds
            line.order.append(key)

        return work

    for number in range(3):
        line.ask("many", f"many {number}", take(f"many {number}", 2.0))
    line.ask("one", "one", take("one", 1.0))
    line.ask("two", "two 0", take("two 0", 1.0))
    line.ask("two", "two 1", take("two 1", 0.5))
    assert line.open() == ["many 2", "one", "two 1", "many 1", "two 0", "many 0"]


def test_who_has_used_the_workers_for_much_longer_goes_after_the_others(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(pools.time, "monotonic", lambda: now[0])
    line = Line()

    def take_long(job):
        now[0] += 11.0
        line.order.append("eleven seconds")

    line.ask("greedy", "short")
    for number in range(3):
        line.ask("modest", number)
    line.ask("greedy", "eleven seconds", take_long)
    assert line.open() == ["eleven seconds", 2, 1, 0, "short"]


def test_who_asks_anew_while_it_is_their_turn_does_not_lose_it():
    line, began, go_on = Line(), threading.Event(), threading.Event()

    def outdated(job):
        began.set()
        assert go_on.wait(SOON)
        job.report(0.5)

    replaced = line.ask("a", "outdated", outdated, slot="answer")
    for session in ("b", "c"):
        line.ask(session, session)
    line.gate.set()
    assert began.wait(SOON)
    line.ask("a", "newest", slot="answer")
    line.ask("b", "b again")
    go_on.set()
    assert line.open() == ["newest", "b again", "c", "b"]
    assert isinstance(replaced.future.exception(), Cancelled)


def test_what_completes_an_answer_goes_before_what_begins_one_and_long_work_goes_last():
    line = Line()
    line.ask("a", "long", is_long=True)
    line.ask("b", "answer")
    follows = line.ask("c", "maps", follows=True)
    assert line.pool.place(follows)[0] == 1
    assert line.open() == ["maps", "answer", "long"]
    assert line.pool.place(follows) is None


def test_long_work_gives_way_at_its_next_report_and_goes_on_afterwards():
    pool, order = Pool(workers=1), []
    began, go_on = threading.Event(), threading.Event()

    def work(job):
        began.set()
        assert go_on.wait(SOON)
        job.report(0.5)
        order.append("long")
        return "whole"

    long = pool.submit(Watcher("a"), Job("long", work, is_long=True))
    assert began.wait(SOON)
    short = pool.submit(Watcher("b"), Job("short", lambda job: order.append("short")))
    go_on.set()
    assert long.future.result(SOON) == "whole"
    assert short.done
    assert order == ["short", "long"]


def test_one_long_job_is_begun_at_a_time_and_short_ones_have_the_other_worker():
    pool, gates = Pool(workers=2), {key: threading.Event() for key in ("first", "second")}
    began = {key: threading.Event() for key in gates}

    def measure(key):
        def work(job):
            began[key].set()
            return gates[key].wait(SOON)

        return work

    jobs = [pool.submit(Watcher(key), Job(key, measure(key), is_long=True)) for key in gates]
    assert began["first"].wait(SOON)
    assert pool.submit(Watcher("b"), Job("short", lambda job: 1)).future.result(SOON) == 1
    assert not began["second"].is_set()
    gates["first"].set()
    assert began["second"].wait(SOON)
    gates["second"].set()
    assert all(job.future.result(SOON) for job in jobs)


@pytest.mark.parametrize("stays", [False, True])
def test_work_is_given_up_after_its_last_watcher_left_unless_it_stays(monkeypatch, stays):
    now, here = [0.0], {"a"}
    monkeypatch.setattr(pools.time, "monotonic", lambda: now[0])
    pool = Pool(is_here=here.__contains__)
    began, go_on = threading.Event(), threading.Event()

    def work(job):
        job.report(0.1)
        began.set()
        assert go_on.wait(SOON)
        job.report(0.2)  # gone, but perhaps only for a moment
        now[0] += pools._GRACE
        job.report(0.3)
        return "whole"

    job = pool.submit(Watcher("a"), Job("key", work))
    job.stays = stays
    assert began.wait(SOON)
    here.clear()
    now[0] += pools._GRACE / 2
    go_on.set()
    if stays:
        assert job.future.result(SOON) == "whole"
    else:
        with pytest.raises(Cancelled):
            job.future.result(SOON)
        assert job.progress == 0.3
        assert pool.find("key") is None


def test_who_waits_for_what_has_not_begun_is_told_at_once_that_it_was_given_up():
    line = Line()
    queued = line.ask("a", "old", slot="board")
    line.ask("a", "new", slot="board")
    with pytest.raises(Cancelled):
        queued.future.result(0)
    assert line.open() == ["new"]


def test_a_server_refuses_more_than_it_takes():
    line = Line(limits=Limits(each=2, queue=3))
    line.ask("a", "one")
    line.ask("a", "two")
    with pytest.raises(Refused, match="busy"):
        line.ask("a", "three")
    line.ask("a", "one")  # the same again
    line.ask("b", "three")
    with pytest.raises(Refused, match="busy"):
        line.ask("c", "four")
    assert sorted(line.open()) == ["one", "three", "two"]
    assert line.pool.numbers()["refused"] == 2


def test_work_that_takes_too_long_is_ended_with_a_sentence(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(pools.time, "monotonic", lambda: now[0])
    pool = Pool(limits=Limits(seconds=5, long_seconds=50))

    def work(job):
        now[0] += 6
        job.report(0.5)
        return "whole"

    with pytest.raises(Refused, match="after 5 seconds"):
        pool.submit(Watcher("a"), Job("short", work)).future.result(SOON)
    assert pool.submit(Watcher("a"), Job("long", work, is_long=True)).future.result(SOON) == "whole"
