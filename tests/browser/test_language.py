"""A phone whose browser asks for Japanese: the page is Japanese, until another is chosen."""

import json

from playwright.sync_api import Browser, expect

from tests.browser.driving import FIRST, SCENE, wait_until_drawn
from tests.browser.faults import FAULTS


def test_the_browser_asks_for_a_language_and_a_person_for_another(
    app_url: str, browser: Browser
) -> None:
    size = {"width": 360, "height": 800}
    context = browser.new_context(viewport=size, locale="ja-JP", reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{app_url}/?{SCENE}", timeout=FIRST)
    wait_until_drawn(page)
    expect(page.locator("h1")).to_have_text("2つのBatchNormは、この画像をどう見る？")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    assert "lang=" not in page.url
    faults = page.evaluate(FAULTS)
    assert not faults, json.dumps(faults, ensure_ascii=False)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("radio", name="中文").click()
    expect(page.locator("h1")).to_have_text("两组 BatchNorm 怎样看这张图片？", timeout=FIRST)
    wait_until_drawn(page)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    assert "lang=zh" in page.url
    faults = page.evaluate(FAULTS)
    assert not faults, json.dumps(faults, ensure_ascii=False)
    context.close()
