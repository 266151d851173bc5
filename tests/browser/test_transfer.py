"""The Transfer page in a real Chromium: a small grid, started and read."""

import re

from playwright.sync_api import Page, expect

from tests.browser.driving import FIRST, set_width, shoot, wait_until_drawn
from tests.browser.faults import FAULTS

LINK = (
    "transfer?v=3&contenders=shapes-vanilla,shapes-advprop:aux&amounts=10, 20&repeats=2&rounds=6"
    "&learned=run"
)


def test_a_grid_is_run_and_its_results_fit_every_width(app_url: str, page: Page) -> None:
    page.goto(f"{app_url}/{LINK}", timeout=FIRST)
    chosen = page.get_by_label("Selected values").locator("[data-tag]")
    expect(chosen.nth(1)).to_have_text("aux · shapes-advprop", timeout=FIRST)
    page.get_by_role("button", name="Run", exact=True).click()
    answer = page.get_by_role("heading", name=re.compile("^With 10 images "))
    expect(answer).to_be_visible(timeout=FIRST)
    wait_until_drawn(page)
    expect(page.get_by_text("Against shapes-vanilla (natural), head only:")).to_be_visible()
    # A head, two networks with two amounts.
    expect(page.get_by_role("row")).to_have_count(5, timeout=FIRST)
    plot = page.locator(".js-plotly-plot")
    expect(plot).to_have_count(1)
    main = page.locator("[data-testid=stMainBlockContainer]").bounding_box()
    drawn = plot.bounding_box()
    assert main
    assert drawn
    assert drawn["width"] > 0.8 * main["width"], "a single figure has the whole page"
    for width in (1280, 820, 360):
        set_width(page, width)
        assert page.evaluate(FAULTS) == [], width
    page.set_viewport_size({"width": 1280, "height": 900})
    shoot(page, "transfer")
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".legendtext").first).to_have_css("fill", "rgb(230, 234, 238)")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
