"""Cells as tasks of Ray, on one machine or a cluster; Ray is an optional extra."""

import logging
import os
from concurrent.futures import Future
from typing import Any

from advprop_core.errors import InputError
from advprop_core.transfer.pools import Run, attempt

_STORE = 100_000_000  # bytes: results are small, and Ray would take a third of the memory


class RayPool:
    """The cluster that ``RAY_ADDRESS`` names, or one that is started on this machine.

    A cell takes one CPU. Ray itself tries nothing again: :func:`~.pools.run_all` does.

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
        local_options: dict[str, Any] = {
            "num_cpus": workers,
            "include_dashboard": False,
            "object_store_memory": _STORE,
        }
        try:
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if address else local_options),
            )
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
        """See :class:`~.pools.Pool`."""
        future: Future[Any] = self._attempt.remote(self._run, task).future()
        return future

    def close(self) -> None:
        """See :class:`~.pools.Pool`."""
        self._ray.shutdown()
