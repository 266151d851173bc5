"""From the command to the first page: a real server, seen by a real Chromium that is open."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from benchmarks.timing import verdict

REPEATS = 3
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
LIMIT = 60.0  # seconds until a start counts as failed
PAINTED, PICTURE, USABLE = "title", "clean picture", "usable"
TARGETS = {PICTURE: 4.0, USABLE: 12.0}


def run(data: Path | None) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=list(CHROMIUM_ARGS))
        _start_once(browser)  # warms the disk
        starts = [_start_once(browser) for _ in range(REPEATS)]
        browser.close()
    print(f"`advprop app` on its defaults, seconds from the command, {REPEATS} starts, warm disk")
    print("  the title is st.title; usable means that the result is drawn to its last section")
    result: dict[str, Any] = {}
    for what in (PAINTED, PICTURE, USABLE):
        values = [start[what] for start in starts]
        best, middle = min(values), statistics.median(values)
        limit = TARGETS.get(what)
        target = f"; target {limit:g} s: {verdict(middle < limit)}" if limit else ""
        print(f"  {what:14} median {middle:5.2f} s, best {best:5.2f} s{target}")
        result[what] = {"seconds": values, "median": middle, "best": best, "target": limit}
    return result


def _start_once(browser: Browser) -> dict[str, float]:
    """Seconds from the command to the title, to the clean picture and to the whole result."""
    with tempfile.TemporaryFile("w+") as log, _page(browser) as page:
        port = _free_port()
        start = time.perf_counter()
        with _server(port, log) as server:
            _wait_until_listening(server, port, log)
            try:
                page.goto(f"http://127.0.0.1:{port}", wait_until="commit")
                return {
                    PAINTED: _seen(page, "h1", start),
                    PICTURE: _seen(page, "img[alt^='The clean picture']", start),
                    USABLE: _seen(page, "text=How honest is this perturbation", start),
                }
            except PlaywrightError as error:
                raise SystemExit(f"{error}\nThe page says:\n{page.inner_text('body')}") from None


def _seen(page: Page, selector: str, start: float) -> float:
    page.locator(selector).first.wait_for(state="visible", timeout=LIMIT * 1000)
    return time.perf_counter() - start


@contextlib.contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    """A tab without cookies or cache of an earlier start."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@contextlib.contextmanager
def _server(port: int, log: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    # The server chooses its own threads, and opens no browser window.
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    server = subprocess.Popen(
        [sys.executable, "-m", "advprop_core.cli", "app", "--port", str(port)],
        env={**environment, "STREAMLIT_SERVER_HEADLESS": "true"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a process group of its own, to end it whole
    )
    try:
        yield server
    finally:
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=10)


def _wait_until_listening(server: subprocess.Popen[bytes], port: int, log: IO[str]) -> None:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    log.seek(0)
    raise SystemExit(f"the app's server did not start:\n{log.read()[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _chromium() -> str:
    """$CHROMIUM, or the first one found on the path, as in tests/browser."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    raise SystemExit("no Chromium to start: apt-get install chromium, or CHROMIUM=/path/to/it")
