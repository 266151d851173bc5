"""What axe finds on a page.

`AXE_RESULTS=benchmarks/results/axe.json make test ARGS="tests/browser -k 'axe or on_a_phone'"`
keeps what it found, page by page.
"""

import json
import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def violations(page: Page, place: str) -> dict[str, list[str]]:
    """Rules of moderate weight or more that a page breaks, and by what.

    Args:
        page: As it is now.
        place: What results call it.
    """
    broken = _run(page, place)
    if broken:  # what is fading in has little contrast for a moment
        page.wait_for_timeout(3000)
        broken = _run(page, place)
    return broken


def _run(page: Page, place: str) -> dict[str, list[str]]:
    response = Axe().run(page).response
    _keep(page, place, response)
    return {
        violation["id"]: [node["html"][:120] for node in violation["nodes"][:3]]
        for violation in response["violations"]
        if violation["impact"] != "minor"
    }


def _keep(page: Page, place: str, response: dict) -> None:
    if "AXE_RESULTS" not in os.environ:
        return
    file = Path(os.environ["AXE_RESULTS"])
    results = json.loads(file.read_text()) if file.exists() else {}
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    size = page.viewport_size or {"width": 0}
    key = f"{place}, {size['width']} px, {'dark' if dark else 'light'}"
    results[key] = {
        "axe": response["testEngine"]["version"],
        "rules passed": len(response["passes"]),
        "rules broken": {
            violation["id"]: violation["impact"] for violation in response["violations"]
        },
    }
    file.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
