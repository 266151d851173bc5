"""Heavy work off the script thread: a bounded pool whose equal requests share one job.

A worker never calls Streamlit. It reports progress and asks whether it was cancelled by calling
:meth:`Job.report`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any

_TELLING = 2.0  # seconds of work after which its speed is known

Report = Callable[..., None]
"""Takes a share that is done, or what is done and its total; may raise to stop."""


class Cancelled(Exception):
    """Raised inside a worker whose result nobody waits for any more."""


class Job:
    """One request being worked on, or done.

    Attributes:
        key: What was asked; equal keys mean the same job.
        progress: Share done, in [0, 1].
        started: When a worker took it up, on the monotonic clock; None where none has yet.
        cancelled: Whether the worker was asked to stop, at its next report.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.progress = 0.0
        self.started: float | None = None
        self.future: Future[Any] = Future()
        self.waiting: set[str] = set()
        self.cancelled = False

    @property
    def done(self) -> bool:
        """Whether there is a result, or an error."""
        return self.future.done()

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None while there is too little to tell it from."""
        if self.started is None or not self.progress:
            return None
        spent = time.monotonic() - self.started
        return spent * (1 - self.progress) / self.progress if spent > _TELLING else None

    def report(self, done: float, total: float = 1.0) -> None:
        """Called by the library between batches; raises Cancelled when it should stop."""
        if self.cancelled:
            raise Cancelled
        self.progress = done / total


class Pool:
    """At most ``workers`` jobs at a time; the last ``capacity`` results stay.

    Its threads are daemons, unlike a ThreadPoolExecutor's: a server that is told to end does so
    at once, whatever is being worked on.
    """

    def __init__(self, workers: int = 2, capacity: int = 48) -> None:
        self._queue: SimpleQueue[tuple[Job, Callable[[Job], Any]]] = SimpleQueue()
        for number in range(workers):
            name = f"advprop-job-{number}"
            Thread(target=_work, args=(self._queue, workers), name=name, daemon=True).start()
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._capacity = capacity
        self._lock = threading.Lock()

    def submit(self, session: str, key: Hashable, work: Callable[[Job], Any]) -> Job:
        """The job of this key, started if there is none.

        The session gives up whatever else it waited for; a job that nobody waits for is
        cancelled. A job that failed or was cancelled is started again.
        """
        with self._lock:
            self._release(session, key)
            job = self._jobs.get(key)
            if job is None or (job.done and job.future.exception() is not None):
                job = self._jobs[key] = Job(key)
                self._queue.put((job, work))
            job.waiting.add(session)
            self._jobs.move_to_end(key)
            self._forget_oldest()
            return job

    def find(self, key: Hashable) -> Job | None:
        """The job of this key, whoever asked for it, or None."""
        with self._lock:
            return self._jobs.get(key)

    def stop(self, key: Hashable) -> None:
        """Stop a job, whoever waits: a session that was reloaded waits for ever."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.done:
                job.cancelled = True
                del self._jobs[key]

    def forget(self, matches: Callable[[Any], bool]) -> None:
        """Drop the jobs with such a key, and stop them: they are made anew when asked."""
        with self._lock:
            for key, job in list(self._jobs.items()):
                if matches(key):
                    job.cancelled = True  # one that is done, for whoever holds it
                    del self._jobs[key]

    def cancel(self, session: str) -> None:
        """The session waits for nothing any more."""
        with self._lock:
            self._release(session, None)

    def _release(self, session: str, kept_key: Hashable) -> None:
        for key, job in list(self._jobs.items()):
            if key == kept_key or session not in job.waiting:
                continue
            job.waiting.discard(session)
            if not job.waiting and not job.done:
                job.cancelled = True
                del self._jobs[key]

    def _forget_oldest(self) -> None:
        finished = [key for key, job in self._jobs.items() if job.done]
        for key in finished[: max(0, len(self._jobs) - self._capacity)]:
            del self._jobs[key]


def _work(queue: SimpleQueue[tuple[Job, Callable[[Job], Any]]], workers: int) -> None:
    """One job after another, from the first on with its share of the cores."""
    job, work = queue.get()
    _share_cores(workers)  # not before: it loads torch
    while True:
        _run(job, work)
        del job, work  # or the last one's pictures would stay until the next
        job, work = queue.get()


def _share_cores(workers: int) -> None:
    """Each worker computes on its share of the cores.

    Torch would use all of them in every worker. Its threads wait for one another many times in a
    forward pass, and where other work has the cores each of these waits costs milliseconds.
    """
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def _run(job: Job, work: Callable[[Job], Any]) -> None:
    job.started = time.monotonic()
    try:
        job.report(0.0)  # a job cancelled while it queued does not start
        job.future.set_result(work(job))
    except BaseException as error:  # carried to whoever asks for the result, as Future does
        job.future.set_exception(error)
