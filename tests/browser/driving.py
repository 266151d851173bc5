"""Moving through the app as a person does, and waiting for it."""

import os
import re
import time
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError, expect

SCENE = "v=3&model=shapes-advprop&image=scene:2"
"""A small network that answers at once, and a picture that it knows."""
FIRST = 240_000  # ms: torch is loaded in it, on machines that may be busy with training
TOO_SMALL_TO_TOUCH = """() => [...document.querySelectorAll('a, button, select, summary, input')]
    .filter(each => each.checkVisibility({ visibilityProperty: true }))
    .map(each => each.closest('label:has(input[type=radio], input[type=checkbox])') ?? each)
    .map(each => [each.getBoundingClientRect(), each.outerHTML.slice(0, 80)])
    .filter(([{ width, height }]) => Math.min(width, height) < 43.5)
    .map(([{ width, height }, html]) => `${width} × ${height}: ${html}`)"""
"""What of a page without a server is smaller than 44 px; a choice is as large as its label."""


def wait_until_calm(page: Page) -> None:
    """Until nothing of the previous result is left: both verdicts are there for a moment."""
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST)
    expect(page.get_by_text("Previous result.")).to_have_count(0, timeout=FIRST)
    expect(page.locator("h2")).to_have_count(1, timeout=FIRST)


def until(page: Page, condition: str, seconds: float = 60) -> None:
    """Ask again and again: the policy of a page without a server forbids Playwright's waiting."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({condition})"):
        assert time.monotonic() < deadline, f"{condition}: {page.inner_text('body')[:500]}"
        time.sleep(0.05)


def download(page: Page, button: str) -> Path:
    """The file behind a button; pressed again where a page that was drawn anew lost the click."""
    for patience in (10_000, 10_000, FIRST):
        try:
            with page.expect_download(timeout=patience) as started:
                page.get_by_role("button", name=button).click()
            return started.value.path()
        except TimeoutError:
            continue
    raise AssertionError(f"{button} gives no file")


def strength(page: Page) -> Locator:
    return page.get_by_role("slider", name=re.compile("Strength ε"))


def wait_until_drawn(page: Page) -> None:
    """Until the script has ended, and no part of the page waits for anything."""
    app = page.locator("[data-testid=stApp]")
    expect(page.locator("h1")).to_be_visible(timeout=FIRST)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST)
    expect(page.locator("[data-testid=stProgress]")).to_have_count(0, timeout=FIRST)
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST)


def set_width(page: Page, width: int, height: int = 900) -> None:
    """Make the window this wide, and wait until figures are drawn anew for it."""
    page.set_viewport_size({"width": width, "height": height})
    wait_until_drawn(page)
    page.evaluate(STILL)


# Figures fill their frames and nothing has moved for 0.3 s; or 1.5 s are over, in which what is
# too wide for its frame has had its time.
STILL = """async () => {
  const main = document.querySelector('[data-testid=stMain]')
  const places = () => JSON.stringify([...main.querySelectorAll('*')].map(element => {
    const box = element.getBoundingClientRect()
    return [box.x, box.y, box.width, box.height].map(Math.round)
  }))
  const fit = () => [...main.querySelectorAll('.js-plotly-plot')].every(plot => {
    const drawing = plot.querySelector('.main-svg')
    return drawing && Math.abs(drawing.clientWidth - plot.parentElement.clientWidth) < 2
  })
  let before = ''
  for (let turn = 0; turn < 5; turn++) {
    const now = places()
    if (now === before && fit()) return
    before = now
    await new Promise(resolve => setTimeout(resolve, 300))
  }
}"""


def assert_scrolls_down_only(page: Page) -> None:
    """On a phone, wherever the page is."""
    before = page.viewport_size
    assert before is not None
    set_width(page, 390, 844)
    for selector in ("html", "[data-testid=stMain]"):
        wide = page.locator(selector).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide[0] <= wide[1], selector
    page.set_viewport_size(before)


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole page where $SCREENSHOTS names a folder.

    Streamlit scrolls inside, so the tab is made as tall.
    """
    if not (folder := os.environ.get("SCREENSHOTS")):
        return
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    set_width(page, size["width"], int(height) + 80)
    page.screenshot(path=Path(folder) / f"{name}.png")  # makes the folder too
    page.set_viewport_size(size)
