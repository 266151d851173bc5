"""A real Chromium and a served app, shared by the tests of this folder and gone after them.

The fixtures have the scope of this package, not of the session: while Playwright's sync API is
open, its event loop runs in this thread and would disturb other tests.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from advprop_core.browser import network
from advprop_core.models.bundle import open_model
from advprop_core.types import AttackConfig

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


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser to drive: $CHROMIUM, or the first one found on the path."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    missing = (
        f"no Chromium ({named or ', '.join(CHROMIUM_NAMES)}). On Debian: apt-get install chromium; "
        "elsewhere install Chrome or Chromium and name it: CHROMIUM=/path/to/it make test"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    # A person without a browser runs every other test; in CI this has failed above.
    pytest.skip(missing)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(chromium_path: str, playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_ARGS))
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def page_checkpoint():
    """The network of the pages without a server."""
    return open_model("shapes-advprop")


@pytest.fixture(scope="package")
def page_network(page_checkpoint):
    """The same, exported once for all tests."""
    attack = AttackConfig.pgd(4 / 255, steps=10)
    return network.page_network(page_checkpoint, "shapes-advprop", attack=attack)


@pytest.fixture(scope="package")
def app_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app of `app_url` keeps things; empty before it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="package")
def app_url(chromium_path: str, serve_app, app_cache: Path) -> Iterator[str]:
    """The app on its defaults, started as `advprop app` starts it."""
    command = [sys.executable, "-c", "from advprop_core.cli.main import main; main()"]
    with serve_app(command, env={"XDG_CACHE_HOME": str(app_cache)}) as url:
        yield url


@pytest.fixture(scope="package")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A window whose tabs share what was fetched, so that the app's scripts are read once.

    With little motion: each frame is drawn in software, which takes longer than all else.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext) -> Iterator[Page]:
    """A tab with a history and a session of its own, 1280×900."""
    tab = window.new_page()
    yield tab
    tab.close()


@pytest.fixture
def console_errors(page: Page) -> list[str]:
    """Fills with what the tab's console reports as an error; ask for it before `page.goto`."""
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


@pytest.fixture
def strangers(page: Page) -> list[str]:
    """Fills with the addresses outside this machine that the tab asks for."""
    asked: list[str] = []

    def note(request) -> None:
        if urlsplit(request.url).hostname not in ("localhost", "127.0.0.1", None):
            asked.append(request.url)

    page.on("request", note)
    return asked
