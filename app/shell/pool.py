"""Who works when: a bounded pool of workers that is fair among people.

People take turns; of each person the newest request goes first. Who has used the workers for much
longer than another goes after them. Long work goes on while no short work waits. A job gives way
when it reports, so nobody's long work holds up another's short work.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import count
from queue import SimpleQueue
from threading import Thread
from typing import Any

from app.shell.jobs import Cancelled, Job, Limits, Refused, Watcher

_SLICE = 3.0  # seconds that short work may take before it gives way to others
_GRACE = 20.0  # seconds: a tab that is reloaded, or a phone that was asleep, comes back within them
_AHEAD = 10.0  # seconds of the workers: who has had so many more than another goes after them
_KNOWN = 1024  # sessions whose use of the workers is remembered


@dataclass
class _Person:
    """One session."""

    turn: int  # the number of its last turn, or of its arrival
    earlier: int  # of the one before, for when the last one came to nothing
    spent: float = 0.0  # seconds of workers


class Pool:
    """At most ``workers`` jobs at a time; the last ``capacity`` results stay.

    Its threads are daemons, unlike a ThreadPoolExecutor's: a server that is told to end does so
    at once, whatever is being worked on.

    Args:
        workers: How many jobs are worked on at once. Those that gave way keep their threads.
        capacity: How many results are kept.
        is_here: Whether a session's page is open; jobs that nobody looks at are given up.
        limits: What is refused.
    """

    def __init__(
        self,
        workers: int = 2,
        capacity: int = 48,
        is_here: Callable[[str], bool] = lambda session: True,
        limits: Limits = Limits(),  # noqa: B008, it is frozen
    ) -> None:
        self._workers = self._free = workers
        self._capacity = capacity
        self._is_here = is_here
        self._limits = limits
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._waiting: list[Job] = []  # for a worker: new ones, and those that gave way
        self._people: OrderedDict[str, _Person] = OrderedDict()  # by session
        self._turns = count()
        self._typical = 0.0  # seconds that short work takes, on average
        self._seconds = 0.0  # that workers gave to all jobs
        self._begun: SimpleQueue[Job] = SimpleQueue()
        self._idle_threads = 0
        self._changed = threading.Condition()
        self._counts: Counter[str] = Counter()  # jobs by how they ended

    def submit(self, watcher: Watcher, asked: Job) -> Job:
        """This job, or the one of its key that is there already.

        The watcher gives up whatever else it waited for; a job that nobody waits for is
        cancelled. A job that failed or was cancelled is started again.

        Raises:
            Refused: If this server takes no more.
        """
        with self._changed:
            self._release(watcher, asked.key)
            job = self._jobs.get(asked.key)
            if job is None or (job.done and job.future.exception() is not None):
                self._check_room(watcher.session)
                asked.on_report = self._give_way
                job = self._jobs[asked.key] = asked
                self._waiting.append(job)
            if not job.done:
                self._join_line(watcher.session)
            job.watchers.add(watcher)
            self._jobs.move_to_end(job.key)
            self._forget_oldest()
            self._use_workers()
            return job

    def find(self, key: Hashable) -> Job | None:
        """The job of this key, whoever asked for it, or None."""
        with self._changed:
            return self._jobs.get(key)

    def place(self, job: Job) -> tuple[int, float] | None:
        """Which one in line it is, from 1, and in how many seconds its turn comes, about.

        None where it does not wait. What comes later may still go first.
        """
        with self._changed:
            if job not in self._waiting:
                return None
            position = self._in_order(self._waiting).index(job) + 1
            return position, position * self._typical / self._workers

    def forget(self, matches: Callable[[Any], bool]) -> None:
        """Drop the jobs with such a key, and stop them: they are made anew when asked."""
        with self._changed:
            for job in [job for key, job in self._jobs.items() if matches(key)]:
                self._drop(job)  # one that is done, for whoever holds it

    def cancel(self, watcher: Watcher) -> None:
        """The watcher waits for nothing any more."""
        with self._changed:
            self._release(watcher, None)

    def numbers(self) -> dict[str, float]:
        """How many jobs wait, run and ended how, and the seconds that workers gave to them."""
        with self._changed:
            now = {"waiting": len(self._waiting), "running": self._workers - self._free}
            return {**self._counts, **now, "seconds": self._seconds}

    # -- what follows is called with the lock held -------------------------------------------------

    def _use_workers(self) -> None:
        while self._free and (job := self._next()) is not None:
            self._waiting.remove(job)
            for person in self._people_of(job):
                person.earlier, person.turn = person.turn, next(self._turns)
            self._free -= 1
            job.has_worker, job.since = True, time.monotonic()
            if job.started:
                self._changed.notify_all()
                continue
            job.started = True
            if self._idle_threads:
                self._idle_threads -= 1
            else:
                Thread(target=self._work, name="advprop-job", daemon=True).start()
            self._begun.put(job)

    def _next(self) -> Job | None:
        for job in [job for job in self._waiting if not self._is_wanted(job)]:
            self._drop(job)
        long_begun = any(
            job.is_long and job.started and not job.done for job in self._jobs.values()
        )
        ready = [
            job for job in self._waiting if job.started or not (job.is_long and long_begun)
        ]  # a second long one would only hold memory
        return next(iter(self._in_order(ready)), None)

    def _in_order(self, jobs: Iterable[Job]) -> list[Job]:
        """Whose turn it is comes first."""
        spent = {
            job: min((person.spent for person in self._people_of(job)), default=0.0) for job in jobs
        }
        # Beyond this a person has had so much more than the others that turns alone are not fair:
        # one long piece of work counts as one turn, as a short one does.
        most = min(spent.values(), default=0.0) + _AHEAD

        def rank(job: Job) -> tuple[bool, bool, bool, int, int]:
            turn = min((person.turn for person in self._people_of(job)), default=0)
            return job.is_long, not job.follows, spent[job] > most, turn, -job.number

        return sorted(spent, key=rank)

    def _should_give_way(self, job: Job) -> bool:
        if self._free or not self._waiting or not (job.is_long or job.spent > _SLICE):
            return False
        other = self._next()
        return other is not None and self._in_order((job, other))[0] is other

    def _join_line(self, session: str) -> None:
        """Who was not there has saved up nothing: they begin with those who are behind."""
        busy = [
            person.spent
            for job in self._jobs.values()
            if not job.done
            for person in self._people_of(job)
        ]
        person = self._person(session)
        person.spent = max(person.spent, min(busy, default=0.0))
        self._people.move_to_end(session)
        while len(self._people) > _KNOWN:
            self._people.popitem(last=False)

    def _people_of(self, job: Job) -> list[_Person]:
        return [self._person(watcher.session) for watcher in job.watchers]

    def _person(self, session: str) -> _Person:
        if session not in self._people:
            turn = next(self._turns)
            self._people[session] = _Person(turn, turn)
        return self._people[session]

    def _charge(self, job: Job) -> None:
        """Count what a worker gave to a job since the last time."""
        if not job.has_worker:
            return
        now = time.monotonic()
        seconds, job.since = now - job.since, now
        job.spent += seconds
        self._seconds += seconds
        for person in self._people_of(job):
            person.spent += seconds / len(job.watchers)

    def _let_go(self, job: Job) -> None:
        if job.has_worker:
            job.has_worker = False
            self._free += 1

    def _is_wanted(self, job: Job) -> bool:
        now = time.monotonic()
        if self._is_looked_at(job):
            job.wanted = now
        return now - job.wanted <= _GRACE

    def _is_looked_at(self, job: Job) -> bool:
        return job.stays or any(self._is_here(who.session) for who in job.watchers)

    def _release(self, watcher: Watcher, kept_key: Hashable) -> None:
        for key, job in list(self._jobs.items()):
            if key == kept_key or watcher not in job.watchers:
                continue
            job.watchers.discard(watcher)
            if not self._is_looked_at(job) and not job.done:
                if job.started and kept_key is not None:
                    # Their own newer request: its turn is now, or who asks again just as often
                    # as turns come would never be answered.
                    person = self._person(watcher.session)
                    person.turn = person.earlier
                self._drop(job)

    def _drop(self, job: Job) -> None:
        """Stop a job and forget it; who waits for it is told at once, where it has not begun."""
        job.cancelled = True
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        if job in self._waiting:
            self._waiting.remove(job)
            if not job.started:
                job.future.set_exception(Cancelled())
                self._counts["cancelled"] += 1
        self._changed.notify_all()

    def _check_room(self, session: str) -> None:
        unfinished = sum(
            not job.done and any(who.session == session for who in job.watchers)
            for job in self._jobs.values()
        )
        if unfinished >= self._limits.each or len(self._waiting) >= self._limits.queue:
            self._counts["refused"] += 1
            raise Refused("This server is busy with earlier requests: try again in a minute.")

    def _forget_oldest(self) -> None:
        finished = [key for key, job in self._jobs.items() if job.done]
        for key in finished[: max(0, len(self._jobs) - self._capacity)]:
            del self._jobs[key]

    # -- on the threads of jobs --------------------------------------------------------------------

    def _give_way(self, job: Job) -> None:
        """Note whether the job should stop, and wait where others go first."""
        with self._changed:
            self._charge(job)
            limit = self._limits.long_seconds if job.is_long else self._limits.seconds
            if job.spent > limit:
                raise Refused(
                    f"This server stops work after {limit:g} seconds: choose a smaller task."
                )
            if not job.cancelled and not self._is_wanted(job):
                self._drop(job)
            if self._should_give_way(job):
                self._let_go(job)
                self._waiting.append(job)
                self._use_workers()
                self._changed.wait_for(lambda: job.has_worker or job.cancelled)

    def _work(self) -> None:
        """One job after another, from the first on with its share of the cores."""
        import torch  # here: it is heavy

        job = self._begun.get()
        # Torch would use all cores in every worker. Its threads wait for one another many times in
        # a forward pass, and where other work has the cores each of these waits costs milliseconds.
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // self._workers))
        while True:
            job.run()
            with self._changed:
                self._charge(job)
                self._count(job)
                self._let_go(job)
                self._idle_threads += 1
                self._use_workers()
            del job  # or the last one's result would stay until the next
            job = self._begun.get()

    def _count(self, job: Job) -> None:
        error = job.future.exception()
        if error is None:
            self._counts["done"] += 1
            if not job.is_long:
                self._typical += 0.1 * (job.spent - self._typical)
        else:
            self._counts["cancelled" if isinstance(error, Cancelled) else "failed"] += 1
