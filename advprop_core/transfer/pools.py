"""Where cells are trained: in threads or processes of this machine, or as tasks of Ray."""

import logging
import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

from advprop_core.errors import AdvPropError, InputError

_RAY_STORE = 100_000_000  # bytes: results are small, and Ray would take a third of the memory

Run = Callable[[Any], Any]
"""From a task to its result; a function that other processes can import."""


class WorkerDied(AdvPropError):
    """A process ended before it gave its result."""


@dataclass(frozen=True)
class Failure:
    """A task that gave no result.

    Attributes:
        reason: In a sentence.
        details: The traceback, where there is one.
    """

    reason: str
    details: str = ""


class Pool(Protocol):
    """Runs tasks, several at a time."""

    def submit(self, task: Any) -> Future[Any]:
        """The result of a task, or a Failure; the future raises if its process died."""

    def close(self) -> None:
        """End what still runs."""


def attempt(run: Run, task: Any) -> Any:
    """The result of a task, or why there is none: exceptions do not travel well."""
    try:
        return run(task)
    except AdvPropError as error:
        return Failure(" ".join(str(error).split()), traceback.format_exc())
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}", traceback.format_exc())


def run_all(pool: Pool, tasks: Sequence[Any], finished: Callable[[int, Any], None]) -> None:
    """Run every task, and one that fails once more.

    ``finished`` is called with a task's index and its result, or its second Failure.
    """
    waiting = {pool.submit(task): (index, True) for index, task in enumerate(tasks)}
    while waiting:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            index, is_first = waiting.pop(future)
            if (error := future.exception()) is None:
                result = future.result()
            else:  # its process died
                result = Failure(" ".join(str(error).split()) or type(error).__name__)
            if isinstance(result, Failure) and is_first:
                waiting[pool.submit(tasks[index])] = (index, False)
            else:
                finished(index, result)


class ThreadPool:
    """Threads of this process; for a few cells, where processes would start more slowly."""

    def __init__(self, run: Run, workers: int = 1) -> None:
        self._run = run
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, task: Any) -> Future[Any]:
        """See :class:`Pool`."""
        return self._threads.submit(self._attempt, task)

    def close(self) -> None:
        """See :class:`Pool`; a cell that runs is waited for."""
        self._threads.shutdown(cancel_futures=True)

    def _attempt(self, task: Any) -> Any:
        return attempt(self._run, task)


class ProcessPool(ThreadPool):
    """Processes of this machine, each with one thread; one that dies takes its own task alone.

    Not a ProcessPoolExecutor: there one dead process fails all tasks, and which one killed it is
    not known. Here each thread waits for a process of its own.
    """

    def __init__(self, run: Run, workers: int) -> None:
        super().__init__(run, workers)
        self._of_thread = threading.local()
        self._workers: list[_Worker] = []

    def close(self) -> None:
        """See :class:`Pool`."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.process.terminate()
        super().close()

    def _attempt(self, task: Any) -> Any:
        worker: _Worker | None = getattr(self._of_thread, "worker", None)
        if worker is None or not worker.process.is_alive():
            worker = self._of_thread.worker = _Worker(self._run)
            self._workers.append(worker)
        return worker.send(task)


class _Worker:
    """A process that runs one task after the other."""

    def __init__(self, run: Run) -> None:
        # A forked copy of a process with threads may hang; a daemon ends with its parent.
        context = multiprocessing.get_context("spawn")
        self._pipe, other_end = context.Pipe()
        self.process = context.Process(target=_serve, args=(other_end, run), daemon=True)
        self.process.start()
        other_end.close()  # or the end of the process would not be seen here

    def send(self, task: Any) -> Any:
        try:
            self._pipe.send(task)
            return self._pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise WorkerDied(
                f"the process that trained it {how}; it may have run out of memory: use fewer "
                "--workers"
            ) from None


def _serve(pipe: Connection, run: Run) -> None:
    if torch := sys.modules.get("torch"):  # what it runs may need none, and it loads slowly
        torch.set_num_threads(1)
    while True:
        try:
            task = pipe.recv()
        except EOFError:  # the parent has gone
            return
        pipe.send(attempt(run, task))


class RayPool:
    """The cluster that ``RAY_ADDRESS`` names, or one that is started on this machine.

    A cell takes one CPU. Ray itself tries nothing again: :func:`run_all` does.

    Raises:
        InputError: If Ray is not installed, or cannot start or be reached.
    """

    def __init__(self, run: Run, workers: int) -> None:
        try:
            import ray
        except ImportError:
            raise InputError(
                "Ray is not installed: pip install 'advprop-lens[ray]', or leave --ray out"
            ) from None
        address = os.environ.get("RAY_ADDRESS")
        options: dict[str, Any] = {"address": address}
        if not address:  # a cluster that runs has its own sizes
            options = {
                "address": "local",
                "num_cpus": workers,
                "include_dashboard": False,
                "object_store_memory": _RAY_STORE,
            }
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        except Exception as error:  # of many kinds: Ray starts programs and speaks to them
            where = f"at RAY_ADDRESS {address}" if address else "on this machine"
            raise InputError(
                f"Ray cannot start {where} ({type(error).__name__}: {error}): mend that, or leave "
                "--ray out"
            ) from error
        self._ray = ray
        self._run = run
        self._attempt = ray.remote(num_cpus=1, max_retries=0)(attempt)

    def submit(self, task: Any) -> Future[Any]:
        """See :class:`Pool`."""
        future: Future[Any] = self._attempt.remote(self._run, task).future()
        return future

    def close(self) -> None:
        """See :class:`Pool`."""
        self._ray.shutdown()
