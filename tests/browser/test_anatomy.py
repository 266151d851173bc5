"""The Anatomy page in a real Chromium."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.driving import FIRST, SCENE, shoot, wait_until_calm

QUESTION = "How do the two BatchNorms differ?"


def charts(page: Page) -> Locator:
    return page.locator("[data-testid=stPlotlyChart]")


def dial(page: Page) -> Locator:
    return page.get_by_role("slider", name=re.compile("From main"))


def said(page: Page) -> Locator:
    """What the network says at the dial's place."""
    return page.get_by_text(re.compile("^At .* the network says"))


def bar_texts(page: Page) -> list[str]:
    """What stands beside the bars of the perturbed picture: a number for each network."""
    return charts(page).nth(2).locator(".barlayer .point text").all_text_contents()


def test_the_dial_turns_main_into_aux(
    app_url: str, page: Page, console_errors: list[str], strangers: list[str]
) -> None:
    page.goto(f"{app_url}/?{SCENE}", timeout=FIRST)
    expect(page.get_by_text("How large is this perturbation?")).to_be_visible(timeout=FIRST)
    page.get_by_role("link", name="Anatomy").click()
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible(timeout=FIRST)
    expect(charts(page)).to_have_count(6, timeout=FIRST)
    wait_until_calm(page)
    expect(said(page)).to_contain_text("At 50 % of the way from main to aux")
    halfway, before = bar_texts(page), said(page).inner_text()
    shoot(page, "anatomy")

    dial(page).press("End")
    expect(said(page)).to_contain_text("At aux itself", timeout=FIRST)
    wait_until_calm(page)
    assert said(page).inner_text() != before
    end = bar_texts(page)
    assert end != halfway
    each = len(end) // 3  # main, the blend, aux
    assert end[each : 2 * each] == end[2 * each :]
    assert end[:each] == halfway[:each], "main itself does not move"
    assert "dial=100" in page.url

    dial(page).press("Home")
    expect(said(page)).to_contain_text("At main itself", timeout=FIRST)
    wait_until_calm(page)
    start = bar_texts(page)
    assert start[each : 2 * each] == start[:each]
    assert console_errors == []  # a reload adds some: Streamlit looks for itself below /anatomy

    page.reload(timeout=FIRST)
    expect(said(page)).to_contain_text("At main itself", timeout=FIRST)
    assert strangers == []


def test_a_click_looks_into_a_layer(app_url: str, page: Page) -> None:
    page.goto(f"{app_url}/anatomy?{SCENE}&steps=1", timeout=FIRST)
    expect(charts(page)).to_have_count(6, timeout=FIRST)
    wait_until_calm(page)
    page.get_by_role("tab", name="Where do they differ?").click()
    expect(charts(page)).to_have_count(5, timeout=FIRST)
    wait_until_calm(page)
    profile = charts(page).nth(3)
    profile.scroll_into_view_if_needed()
    plot = profile.locator(".nsewdrag").first.bounding_box()
    last = profile.locator(".barlayer .point").last.bounding_box()
    assert plot is not None
    assert last is not None
    # At its foot: what lies over the bars takes the click.
    page.mouse.click(last["x"] + last["width"] / 2, plot["y"] + plot["height"] - 3)
    expect(page.get_by_text(re.compile("Channel by channel, .*: half of"))).to_be_visible(
        timeout=FIRST
    )
    page.wait_for_url(re.compile("norm_layer="), timeout=FIRST)
    wait_until_calm(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)

    page.set_viewport_size({"width": 420, "height": 900})
    shoot(page, "anatomy-narrow")
