"""The Robustness page in a real Chromium."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.driving import FIRST, SCENE, download, shoot

QUESTION = "How robust is each branch?"
CHOICES = "v=1&tested=shapes-advprop&data=shapes&results=run"


def run_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("Run$"))


def verdict(page: Page) -> Locator:
    return page.get_by_role("heading", name=re.compile("^Under PGD-2 at ε = "))


def wait_until_still(page: Page) -> None:
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST)


def test_a_run_survives_a_reload_and_its_images_open_in_the_playground(
    app_url: str, page: Page, console_errors: list[str], strangers: list[str]
) -> None:
    page.goto(f"{app_url}/?{SCENE}", timeout=FIRST)
    page.get_by_role("link", name="Robustness").click()
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible(timeout=FIRST)
    expect(page.locator("[data-testid=stPlotlyChart]").first).to_be_visible(timeout=FIRST)
    shoot(page, "robustness-bundled")
    assert console_errors == []  # a deep link adds some: Streamlit looks for itself below it

    page.goto(
        f"{app_url}/robustness?{CHOICES}&images=24&attack_steps=2&radii=2/255,16/255", timeout=FIRST
    )
    expect(run_button(page)).to_be_enabled(timeout=FIRST)
    run_button(page).click()
    expect(verdict(page)).to_be_visible(timeout=FIRST)
    expect(verdict(page)).to_contain_text("of 24 images right")
    wait_until_still(page)
    expect(run_button(page)).to_be_enabled()
    said = verdict(page).inner_text()
    shoot(page, "robustness")

    bottom = page.locator("[data-testid=stPlotlyChart]").first.bounding_box()
    assert bottom is not None
    assert bottom["y"] + bottom["height"] < 720, "the answer and its figure are on the first screen"

    page.reload(timeout=FIRST)
    expect(verdict(page)).to_be_visible(timeout=FIRST)  # nobody pressed Run
    assert verdict(page).inner_text() == said
    expect(page.locator("[data-testid=stPlotlyChart]")).to_have_count(2, timeout=FIRST)
    expect(page.locator(".ytick", has_text="100 %")).to_have_count(1)  # as sentences write it
    wait_until_still(page)  # a click while charts are still drawn is lost
    page.get_by_text("Repeat or download this result").click()
    expect(page.get_by_role("button", name="Results (JSON)")).to_be_visible()
    wait_until_still(page)  # the box opens slowly, and a click beside the button is lost
    saved = download(page, "Results (JSON)").read_text(encoding="utf-8")
    assert '"command": "advprop evaluate --model shapes-advprop' in saved

    page.set_viewport_size({"width": 420, "height": 900})
    shoot(page, "robustness-narrow")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("tab", name="Disagreement").click()
    page.get_by_text("Confidently wrong").click()
    page.get_by_role("button", name="Playground").first.click()
    expect(page.get_by_text("How large is this perturbation?")).to_be_visible(timeout=FIRST)
    expect(page).to_have_url(re.compile("model=shapes-advprop|image=scene"), timeout=FIRST)
    expect(page.get_by_text("16.00/255", exact=True)).to_be_visible(timeout=FIRST)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert strangers == []


def test_a_running_job_is_found_after_a_reload_and_can_be_stopped(app_url: str, page: Page) -> None:
    page.goto(f"{app_url}/robustness?{CHOICES}&images=400", timeout=FIRST)
    expect(run_button(page)).to_be_enabled(timeout=FIRST)
    run_button(page).click()
    # Not Streamlit's own Stop, which is above the page while its script runs.
    stop = page.get_by_test_id("stMain").get_by_role("button", name="Stop")
    expect(stop).to_be_visible(timeout=FIRST)
    expect(run_button(page)).to_be_disabled()
    page.reload(timeout=FIRST)
    expect(stop).to_be_visible(timeout=FIRST)
    stop.click()
    expect(page.get_by_text("The run was stopped.")).to_be_visible(timeout=FIRST)
    expect(run_button(page)).to_be_enabled()
