import subprocess
import sys
import threading
from concurrent.futures import wait

import pytest

from app.shell.jobs import Cancelled, Job, Watcher
from app.shell.pool import Pool

SOON = 10  # seconds; only a broken pool needs them


class Work:
    """Work that says when it began, and goes on when it is told to."""

    def __init__(self, result=None):
        self.result = result
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.runs = 0

    def __call__(self, job):
        self.runs += 1
        self.began.set()
        assert self.go_on.wait(SOON)
        job.report(0.5)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def release(self):
        self.go_on.set()
        return self


def never(job):
    raise AssertionError("this job must not start")


def test_a_job_gives_its_result():
    job = Pool().submit(Watcher("a"), Job("key", Work(42).release()))
    assert job.future.result(SOON) == 42
    assert job.done
    assert job.progress == 0.5


def test_equal_requests_share_one_job_also_when_it_is_done():
    pool, work = Pool(), Work("once")
    first = pool.submit(Watcher("a"), Job(("k", 1), work))
    assert pool.submit(Watcher("b"), Job(("k", 1), never)) is first
    work.release()
    assert first.future.result(SOON) == "once"
    assert pool.submit(Watcher("c"), Job(("k", 1), never)) is first
    assert work.runs == 1


def test_a_superseded_job_stops_at_its_next_report():
    pool, old = Pool(), Work("old")
    first = pool.submit(Watcher("a"), Job("old", old))
    assert old.began.wait(SOON)
    second = pool.submit(Watcher("a"), Job("new", Work("new").release()))
    assert second.future.result(SOON) == "new"
    old.release()
    with pytest.raises(Cancelled):
        first.future.result(SOON)


def test_a_superseded_job_that_queued_does_not_start():
    pool, busy = Pool(workers=1), Work("busy")
    running = pool.submit(Watcher("other"), Job("busy", busy))
    queued = pool.submit(Watcher("a"), Job("queued", never))
    last = pool.submit(Watcher("a"), Job("last", Work("last").release()))
    busy.release()
    assert running.future.result(SOON) == "busy"
    assert last.future.result(SOON) == "last"
    with pytest.raises(Cancelled):
        queued.future.result(SOON)


def test_a_job_that_another_session_waits_for_goes_on():
    pool, work = Pool(), Work("shared")
    job = pool.submit(Watcher("a"), Job("key", work))
    pool.submit(Watcher("b"), Job("key", never))
    pool.cancel(Watcher("a"))
    work.release()
    assert job.future.result(SOON) == "shared"


def test_the_last_session_to_leave_cancels():
    pool, work = Pool(), Work()
    job = pool.submit(Watcher("a"), Job("key", work))
    pool.submit(Watcher("b"), Job("key", never))
    assert work.began.wait(SOON)
    for session in "ab":
        pool.cancel(Watcher(session))
    work.release()
    with pytest.raises(Cancelled):
        job.future.result(SOON)


def test_a_job_is_found_by_who_did_not_ask_for_it():
    pool, work = Pool(), Work(42)
    assert pool.find("key") is None
    job = pool.submit(Watcher("a"), Job("key", work))
    assert pool.find("key") is job
    work.release()
    assert job.future.result(SOON) == 42
    assert pool.find("key") is job


def test_who_is_gone_does_not_keep_a_job_that_another_stops():
    pool, work = Pool(is_here=lambda session: session != "reloaded"), Work()
    job = pool.submit(Watcher("reloaded"), Job("key", work))
    pool.submit(Watcher("b"), Job("key", never))
    assert work.began.wait(SOON)
    pool.cancel(Watcher("b"))
    assert pool.find("key") is None
    work.release()
    with pytest.raises(Cancelled):
        job.future.result(SOON)
    again = pool.submit(Watcher("b"), Job("key", Work("again").release()))
    assert again.future.result(SOON) == "again"
    pool.cancel(Watcher("b"))
    assert pool.find("key") is again, "what is done stays"


def test_what_is_done_can_be_forgotten():
    pool = Pool()
    jobs = [pool.submit(Watcher(key), Job(key, Work(key).release())) for key in ("a", "b", "c")]
    wait([job.future for job in jobs], SOON)
    busy = pool.submit(Watcher("d"), Job("d", Work()))
    pool.forget(lambda key: key == "a")
    assert [pool.find(key) for key in "abcd"] == [None, *jobs[1:], busy]
    pool.forget(lambda _: True)
    assert [pool.find(key) for key in "abcd"] == [None] * 4, "what is being made is not wanted"
    assert all(job.cancelled for job in (*jobs, busy)), "or it would go on with nobody to stop it"


def test_a_job_says_whether_it_was_taken_up():
    pool, work = Pool(workers=1), Work()
    first = pool.submit(Watcher("a"), Job("a", work))
    second = pool.submit(Watcher("b"), Job("b", Work()))
    assert work.began.wait(SOON)
    assert first.started
    assert not second.started
    work.release()


def test_a_server_ends_while_work_is_done_and_more_is_waiting():
    script = """
from app.shell.jobs import Job, Watcher
from app.shell.pool import Pool
import threading, time
began = threading.Event()
def work(job):
    began.set()
    time.sleep(3600)
pool = Pool(workers=1)
pool.submit(Watcher("a"), Job("a", work))
pool.submit(Watcher("b"), Job("b", work))
assert began.wait(60)
print("main is through")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "main is through\n"


def test_a_cancelled_request_may_be_made_again():
    pool, work = Pool(), Work()
    pool.submit(Watcher("a"), Job("key", work))
    assert work.began.wait(SOON)
    pool.cancel(Watcher("a"))
    again = pool.submit(Watcher("a"), Job("key", Work("again").release()))
    assert again.future.result(SOON) == "again"
    work.release()


def test_an_error_reaches_who_asked_and_a_retry_starts_anew():
    pool = Pool()
    job = pool.submit(Watcher("a"), Job("key", Work(ValueError("no")).release()))
    with pytest.raises(ValueError, match="no"):
        job.future.result(SOON)
    again = pool.submit(Watcher("a"), Job("key", Work("yes").release()))
    assert again is not job
    assert again.future.result(SOON) == "yes"


def test_results_are_kept_up_to_a_number_the_oldest_go_first():
    pool = Pool(capacity=3)
    for key in range(6):
        pool.submit(Watcher("a"), Job(key, Work(key).release())).future.result(SOON)
    pool.submit(Watcher("a"), Job(6, Work(6).release())).future.result(SOON)
    assert len(pool._jobs) <= 4
    assert pool.submit(Watcher("a"), Job(5, never)).future.result(SOON) == 5
    work = Work("anew").release()
    assert pool.submit(Watcher("a"), Job(0, work)).future.result(SOON) == "anew"


def test_no_more_jobs_run_at_once_than_there_are_workers():
    pool, works = Pool(workers=2), [Work(i) for i in range(3)]
    jobs = [pool.submit(Watcher(f"s{i}"), Job(i, work)) for i, work in enumerate(works)]
    assert works[0].began.wait(SOON)
    assert works[1].began.wait(SOON)
    assert not works[2].began.is_set()
    for work in works:
        work.release()
    assert not wait([job.future for job in jobs], SOON).not_done


def test_many_sessions_at_once_run_each_request_once():
    pool, runs, lock = Pool(workers=4), [], threading.Lock()

    def work(key):
        def run(job):
            with lock:
                runs.append(key)
            return key

        return run

    def ask(session):
        for key in range(20):
            assert pool.submit(Watcher(session), Job(key, work(key))).future.result(SOON) == key

    threads = [threading.Thread(target=ask, args=(f"s{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert sorted(runs) == list(range(20))


def test_the_time_left_is_told_from_the_speed_so_far():
    job = Job("key", never)
    assert job.seconds_left is None
    job.spent, job.progress = 1.0, 0.25
    assert job.seconds_left is None  # too early to tell
    job.spent = 10.0
    assert job.seconds_left == 30.0
