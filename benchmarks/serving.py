"""A server of the app's own for a measurement, started and ended with it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

LIMIT = 60.0  # seconds until a start counts as failed


@dataclass(frozen=True)
class Server:
    """The process, and the port that it listens to."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def app_server(log: IO[str], *options: str) -> Iterator[Server]:
    """``advprop app`` with these options on a free port, listening; it ends with the block."""
    # The server chooses its own threads, and opens no browser window.
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "advprop_core.cli", "app", "--port", str(port), *options],
        env={**environment, "STREAMLIT_SERVER_HEADLESS": "true"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a process group of its own, to end it whole
    )
    try:
        _wait_until_listening(process, port, log)
        yield Server(process, port)
    finally:
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: IO[str]) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    log.seek(0)
    raise SystemExit(f"the app's server did not start:\n{log.read()[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
