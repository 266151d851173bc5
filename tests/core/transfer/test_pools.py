"""Tasks are run once, those that fail once more, and a process that dies takes its own alone."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from advprop_core.transfer.pools import Failure, ProcessPool, RayPool, ThreadPool, run_all


def square(task):
    """Write down that it began and ended; the third dies at its first try, the fifth always."""
    folder, number = task
    begun = Path(folder) / f"begun {number} {time.time_ns()}"
    begun.touch()
    tries = len([*Path(folder).glob(f"begun {number} *")])
    if number == 3 and tries == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 5:
        raise ValueError("five is refused")
    (Path(folder) / f"ended {number} {time.time_ns()}").touch()
    return number**2


def run(pool, folder):
    results = {}
    try:
        run_all(pool, [(str(folder), number) for number in range(8)], results.__setitem__)
    finally:
        pool.close()
    return results


@pytest.mark.parametrize("kind", [ProcessPool, RayPool])
def test_a_worker_that_dies_loses_nothing_and_nothing_is_run_twice(
    kind, tmp_path, monkeypatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if kind is RayPool:
        pytest.importorskip("ray")
    results = run(kind(square, 2), tmp_path)
    assert {place: result for place, result in results.items() if place != 5} == {
        number: number**2 for number in range(8) if number != 5
    }
    assert isinstance(results[5], Failure)
    assert results[5].reason == "ValueError: five is refused"
    assert "square" in results[5].details
    tries = {n: len([*tmp_path.glob(f"begun {n} *")]) for n in range(8)}
    assert tries == {**dict.fromkeys(range(8), 1), 3: 2, 5: 2}
    assert len([*tmp_path.glob("ended *")]) == 7


def test_a_worker_that_always_dies_is_told_with_what_to_do(tmp_path) -> None:
    pool = ProcessPool(os._exit, 1)
    results = {}
    run_all(pool, [3], results.__setitem__)
    pool.close()
    assert results[0].reason.startswith(
        "the process that trained it ended with exit code 3; it may"
    )
    assert "use fewer --workers" in results[0].reason


def test_what_is_interrupted_ends_its_processes(tmp_path) -> None:
    pool = ProcessPool(time.sleep, 1)
    future = pool.submit(600)
    while not pool._workers:
        time.sleep(0.01)
    pool.close()
    assert pool._workers[0].process.exitcode is not None
    assert future.done()


def test_ray_that_is_not_installed_or_cannot_be_reached(monkeypatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "ray", None)
        with pytest.raises(ValueError, match=r"pip install 'advprop-lens\[ray\]', or leave --ray"):
            RayPool(square, 1)
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "nowhere at all")
    with pytest.raises(ValueError, match="Ray cannot start at RAY_ADDRESS nowhere at all"):
        RayPool(square, 1)


def test_threads_run_tasks_too(tmp_path) -> None:
    assert run(ThreadPool(abs), tmp_path)[0].reason.startswith("TypeError: bad operand")
