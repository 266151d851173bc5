"""Heavy work off the script thread: what is asked for, who waits for it, how far it is.

A worker never calls Streamlit. It reports progress and asks whether it was cancelled by calling
:meth:`Job.report`; :mod:`app.shell.pool` says who works when.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from advprop_core.errors import AdvPropError

_TELLING = 2.0  # seconds of work after which its speed is known

Report = Callable[..., None]
"""Takes a share that is done, or what is done and its total; may raise to stop."""


class Cancelled(Exception):
    """Raised inside a worker whose result nobody waits for any more."""


class Refused(AdvPropError, RuntimeError):
    """More work than this server takes, of one person or of all."""


class Watcher(NamedTuple):
    """Who waits for a job: a named place on the page of one session."""

    session: str
    slot: str = ""


@dataclass(frozen=True)
class Limits:
    """What a server takes.

    Attributes:
        seconds: That short work may take.
        long_seconds: That long work may take.
        each: Unfinished jobs of one session.
        queue: Jobs that wait for a worker, of all sessions.
    """

    seconds: float = float("inf")
    long_seconds: float = float("inf")
    each: int = 100
    queue: int = 1000


@dataclass(eq=False)
class Job:
    """One request being worked on, or done.

    Attributes:
        key: What was asked; equal keys mean the same job.
        work: Called by a worker with the job; None once it has begun.
        on_report: Called by each report; may wait, cancel the job, or raise.
        is_long: Whether it goes on only while no short work waits, one of its kind at a time.
        follows: Whether it completes an answer that is on a page already: such go first.
        progress: Share done, in [0, 1].
        spent: Seconds that a worker has given to it.
        started: Whether a worker took it up.
        stays: Whether it goes on when nobody is there any more.
        cancelled: Whether the worker was asked to stop, at its next report.
        watchers: Who waits for it.
        number: Larger than that of any job before.
        wanted: When somebody was there last; this and what follows is the pool's own.
        has_worker: Whether a worker is at it.
        since: From when on that was not counted yet.
    """

    key: Hashable
    work: Callable[[Job], Any] | None
    on_report: Callable[[Job], None] = lambda job: None
    is_long: bool = False
    follows: bool = False
    progress: float = 0.0
    spent: float = 0.0
    started: bool = False
    stays: bool = False
    cancelled: bool = False
    future: Future[Any] = field(default_factory=Future)
    watchers: set[Watcher] = field(default_factory=set)
    number: int = field(default_factory=itertools.count().__next__)
    wanted: float = field(default_factory=time.monotonic)
    has_worker: bool = False
    since: float = 0.0

    @property
    def done(self) -> bool:
        """Whether there is a result, or an error."""
        return self.future.done()

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None while there is too little to tell it from."""
        if not self.progress or self.spent <= _TELLING:
            return None
        return self.spent * (1 - self.progress) / self.progress

    def report(self, done: float, total: float = 1.0) -> None:
        """Called by the library between batches.

        Raises:
            Cancelled: When it should stop.
            Refused: When it took longer than this server allows.
        """
        self.progress = done / total
        self.on_report(self)
        if self.cancelled:
            raise Cancelled

    def run(self) -> None:
        """Do the work, on the worker's thread."""
        work, self.work = self.work, None  # or its pictures would stay as long as the result
        assert work is not None
        try:
            self.report(0.0)
            self.future.set_result(work(self))
        except BaseException as error:  # carried to whoever asks for the result, as Future does
            self.future.set_exception(error)
