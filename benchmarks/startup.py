"""From the command to the first page: a real server, seen by a real Chromium that is open."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from benchmarks.serving import LIMIT, app_server
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
        start = time.perf_counter()
        with app_server(log) as server:
            try:
                page.goto(f"http://{server.address}", wait_until="commit")
                return {
                    PAINTED: _seen(page, "h1", start),
                    PICTURE: _seen(page, "img[alt^='The clean picture']", start),
                    USABLE: _seen(page, "text=How large is this perturbation", start),
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


def _chromium() -> str:
    """$CHROMIUM, or the first one found on the path, as in tests/browser."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    raise SystemExit("no Chromium to start: apt-get install chromium, or CHROMIUM=/path/to/it")
