"""Moving through the app as a person does, and waiting for it."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError, expect

SCREENSHOTS = Path(__file__).parent / "screenshots"
SCENE = "v=3&model=shapes-advprop&image=scene:2"
"""A small network that answers at once, and a picture that it knows."""
FIRST = 240_000  # ms: torch is loaded in it, on machines that may be busy with training


def wait_until_calm(page: Page) -> None:
    """Until nothing of the previous result is left: both verdicts are there for a moment."""
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST)
    expect(page.get_by_text("Previous result.")).to_have_count(0, timeout=FIRST)
    expect(page.locator("h2")).to_have_count(1, timeout=FIRST)


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


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole page: Streamlit scrolls inside, so the tab is made as tall."""
    SCREENSHOTS.mkdir(exist_ok=True)
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": int(height) + 80})
    page.wait_for_timeout(1500)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(size)
