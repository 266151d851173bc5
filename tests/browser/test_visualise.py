"""The Visualise page in a real Chromium."""

from playwright.sync_api import Page, expect

from tests.browser.driving import FIRST, SCENE, assert_scrolls_down_only, download, shoot
from tests.browser.driving import wait_until_calm as wait

QUESTION = "What does each branch look for?"


def test_pictures_of_a_class_are_scrubbed_and_saved(
    app_url: str, page: Page, strangers: list[str]
) -> None:
    page.goto(f"{app_url}/visualise?{SCENE}&visual_steps=10&wished_class=star", timeout=FIRST)
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible(timeout=FIRST)
    slider = page.get_by_role("slider", name="Step", exact=True)
    expect(slider).to_be_visible(timeout=FIRST)
    wait(page)
    expect(page.get_by_role("heading", name="Star", exact=True)).to_be_visible()
    pictures = page.locator("section.film canvas")
    expect(pictures).to_have_count(2)
    expect(slider).to_have_value("10")
    made = pictures.first.evaluate("canvas => canvas.toDataURL()")
    slider.press("Home")
    expect(slider).to_have_value("0")
    start = pictures.first.evaluate("canvas => canvas.toDataURL()")
    assert start != made, "the branch changed the start"
    assert start == pictures.nth(1).evaluate("canvas => canvas.toDataURL()"), "one start for both"
    assert download(page, "Save as WebP").read_bytes()[8:12] == b"WEBP"
    shoot(page, "visualise")
    assert_scrolls_down_only(page)
    page.get_by_role("button", name="Open Maps").click()
    expect(page.get_by_role("heading", name="Loss gradient")).to_be_visible(timeout=FIRST)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert strangers == []
