"""Every page at four widths: no text over another, none cut, nothing to scroll sideways for.

And in light and dark: nothing that axe finds serious or moderate.
"""

import json

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.axe import violations
from tests.browser.driving import FIRST, SCENE, set_width, wait_until_drawn
from tests.browser.faults import FAULTS

WIDTHS = (1440, 1280, 820, 360)
PLACES = {
    "playground": f"?{SCENE}&expert=1",
    "playground, two": f"?{SCENE}&beside=v%3D3%26model%3Dshapes-vanilla%26image%3Dscene:2",
    "maps": f"maps?{SCENE}&steps=1",
    "anatomy, halves": f"anatomy?{SCENE}&steps=1",
    "anatomy, layers": f"anatomy?{SCENE}&steps=1&looked_into=Where do they differ%3F",
    "anatomy, gap": f"anatomy?{SCENE}&steps=1&looked_into=Which layers carry the gap%3F",
    "robustness": "robustness?v=3",
    "robustness, corruptions": "robustness?v=3&part=Corruptions",
    "robustness, confidence": "robustness?v=3&part=Confidence",
    "robustness, shape": "robustness?v=3&results=shapes-conflict&part=Shape",
    "robustness, studies": "robustness?v=3&part=Studies",
    "robustness, a study": "robustness?v=3&results=strengths-64px",
    "influence": f"influence?{SCENE}&training_images=100",
    "influence, labels": f"influence?{SCENE}&training_images=100&influence_part=Which labels look "
    "wrong%3F",
    "transfer": "transfer?v=3",
    "visualise": f"visualise?{SCENE}&visual_steps=5&second_model=shapes-vanilla",
    "models": "models",
}
WHOLE_PAGES = (
    "playground",
    "maps",
    "anatomy, halves",
    "robustness",
    "robustness, studies",
    "influence, labels",
    "transfer",
    "visualise",
    "models",
)
"""Each page once, with every kind of figure: in dark, the other places show nothing else."""


@pytest.mark.parametrize("place", PLACES)
def test_labels_neither_overlap_nor_are_cut_and_axe_finds_nothing_serious(
    app_url: str, page: Page, place: str
) -> None:
    faults: dict[str, object] = {}
    page.goto(f"{app_url}/{PLACES[place]}", timeout=FIRST)
    for width in WIDTHS:
        set_width(page, width)
        if found := page.evaluate(FAULTS):
            faults[f"{width} px"] = found[:8]
        if width == 1280:
            faults |= violations(page, place)
    assert not faults, json.dumps(faults, indent=1, ensure_ascii=False)


def test_axe_finds_nothing_serious_in_dark(app_url: str, browser: Browser) -> None:
    faults = {}
    size = {"width": 1280, "height": 900}
    context = browser.new_context(viewport=size, color_scheme="dark", reduced_motion="reduce")
    for place in WHOLE_PAGES:
        page = context.new_page()
        page.goto(f"{app_url}/{PLACES[place]}", timeout=FIRST)
        wait_until_drawn(page)
        broken = violations(page, place)
        faults |= {f"{place}: {rule}": shown for rule, shown in broken.items()}
        page.close()
    context.close()
    assert not faults, json.dumps(faults, indent=1, ensure_ascii=False)
