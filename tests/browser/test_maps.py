"""The Maps page in a real Chromium."""

import re

from playwright.sync_api import Page, expect

from tests.browser.driving import FIRST, SCENE, shoot, strength, wait_until_calm

QUESTION = "Where did each branch look, and can the maps be trusted?"


def test_maps_of_the_playgrounds_view_and_their_checks(
    app_url: str, page: Page, console_errors: list[str], strangers: list[str]
) -> None:
    page.goto(f"{app_url}/?{SCENE}", timeout=FIRST)
    expect(page.get_by_text("How large is this perturbation?")).to_be_visible(timeout=FIRST)
    strength(page).press("ArrowRight")
    expect(page.get_by_text("4.50/255", exact=True)).to_be_visible(timeout=FIRST)
    page.get_by_role("link", name="Maps").click()
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible(timeout=FIRST)
    expect(page.locator("table.maps")).to_have_count(3, timeout=FIRST)
    wait_until_calm(page)
    assert "epsilon=4.5" in page.url
    # Two branches and their difference on two pictures, and each branch's difference.
    expect(page.locator("table.maps").nth(0).locator("img")).to_have_count(8)
    expect(page.locator("table.maps").nth(2).locator("img")).to_have_count(20)
    widths = "images => images.map(image => image.naturalWidth)"
    assert min(page.locator("table.maps img").evaluate_all(widths)) >= 64
    shoot(page, "maps")

    page.get_by_role("button", name="Check these maps").click()
    expect(page.get_by_role("tab", name="SmoothGrad")).to_be_visible(timeout=FIRST)
    expect(page.get_by_role("columnheader", name="Deletion")).to_be_visible()
    expect(page.get_by_text(re.compile("^SmoothGrad (holds|is|should)"))).to_be_visible()
    shoot(page, "maps-checked")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)

    search = page.get_by_role("combobox", name="Maps", exact=True)
    search.fill("LRP")
    expect(page.get_by_role("option", name="Layer-wise relevance (LRP)")).to_be_visible()
    search.press("Escape")

    page.set_viewport_size({"width": 420, "height": 900})
    shoot(page, "maps-narrow")
    assert console_errors == []
    assert strangers == []
