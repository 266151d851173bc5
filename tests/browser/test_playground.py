"""A person's way through the Playground, in a real Chromium.

Screenshots are kept under `tests/browser/screenshots/`, to be looked at.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from advprop_core.bundle import bundled_models

SCREENSHOTS = Path(__file__).parent / "screenshots"
FIRST = 240_000  # ms: torch is loaded in it, on machines that may be busy with training
QUESTION = "What do the two BatchNorms make of this picture?"


@pytest.fixture(scope="package")
def lens_url(
    request: pytest.FixtureRequest, serve_app, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The app on its default network, or on one made here where none is bundled yet."""
    if "shapes-advprop" in bundled_models():
        yield request.getfixturevalue("app_url")
        return
    path = save_network(tmp_path_factory.mktemp("model") / "shapes-untrained.safetensors")
    advprop = [sys.executable, "-c", "from advprop_core.cli import main; main()"]
    with serve_app(advprop, "--model", path) as url:
        yield url


def save_network(path: Path) -> Path:
    """An untrained network with two branches that differ."""
    import torch  # here: with a bundled network these tests need none

    from advprop_core import checkpoints, models
    from advprop_core.datasets.scenes import SHAPES
    from advprop_core.dual_bn import norm_layers
    from advprop_core.types import ModelInfo

    halves, branches = (0.5, 0.5, 0.5), {"main": "trained", "aux": "trained"}
    info = ModelInfo("test_resnet", SHAPES, SHAPES, 96, halves, halves, branches, name="untrained")
    torch.manual_seed(0)
    model = models.create(info)
    with torch.no_grad():
        model.branch("main").network.get_classifier().weight.normal_(0, 0.3)
        for norm in norm_layers(model).values():
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 2.0)
    checkpoints.save(path, model.freeze(), info)
    return path


@pytest.fixture
def strangers(page: Page) -> list[str]:
    """Fills with the addresses outside this machine that the tab asks for."""
    asked: list[str] = []

    def note(request) -> None:
        if urlsplit(request.url).hostname not in ("localhost", "127.0.0.1", None):
            asked.append(request.url)

    page.on("request", note)
    return asked


def open_app(page: Page, url: str) -> None:
    """Open the address and wait for the whole page."""
    page.goto(url, timeout=FIRST)
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible(timeout=FIRST)
    expect_whole(page)


def expect_whole(page: Page) -> None:
    """Three pictures, both branches' bars, four maps over four photos, the honesty panel."""
    expect(page.get_by_text("How honest is this perturbation?")).to_be_visible(timeout=FIRST)
    wait_until_calm(page)
    bars, maps = charts(page)
    expect(bars.locator(".barlayer .trace.bars")).to_have_count(4, timeout=FIRST)
    expect(bars.locator(".barlayer .point")).to_have_count(20)
    expect(maps.locator(".heatmaplayer .hm image")).to_have_count(4)
    expect(maps.locator(".imagelayer .im image")).to_have_count(4)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def charts(page: Page) -> tuple[Locator, Locator]:
    both = page.locator("[data-testid=stPlotlyChart]")
    expect(both).to_have_count(2, timeout=FIRST)
    return both.nth(0), both.nth(1)


def wait_until_calm(page: Page) -> None:
    """Until nothing of the previous result is left: both verdicts are there for a moment."""
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=FIRST)
    expect(page.get_by_text("This is the previous result")).to_have_count(0, timeout=FIRST)
    expect(page.locator("h4")).to_have_count(1, timeout=FIRST)


def numbers(page: Page) -> dict[str, object]:
    """What the page says in words: verdict, bars and honesty figures."""
    wait_until_calm(page)
    bars, _ = charts(page)
    return {
        "verdict": page.locator("h4").inner_text(),
        "bars": bars.locator(".textpoint text").all_text_contents(),
        "facts": page.locator("[data-testid=stMetricValue]").all_inner_texts(),
    }


def strength(page: Page) -> Locator:
    return page.get_by_role("slider", name=re.compile("Strength ε"))


def choose_upload(page: Page) -> None:
    page.get_by_role("button", name="Choose a picture").click()
    page.get_by_role("radio", name="Upload").or_(
        page.get_by_role("button", name="Upload", exact=True)
    ).first.click()
    expect(page.locator("[data-testid=stFileUploaderDropzone]")).to_be_visible()


def upload(page: Page, file: Path) -> None:
    choose_upload(page)
    wait_until_calm(page)  # a person is slower than the run that brought the uploader
    page.locator("input[type=file]").set_input_files(file)


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


def test_a_persons_own_photo_is_attacked_and_its_link_shows_the_same(
    lens_url: str,
    page: Page,
    browser: Browser,
    console_errors: list[str],
    strangers: list[str],
    real_photo: Path,
) -> None:
    open_app(page, lens_url)
    shoot(page, "first-view")
    upload(page, real_photo)
    expect(page.get_by_text("Clean: Your photo")).to_be_visible(timeout=FIRST)
    page.keyboard.press("Escape")
    strength(page).press("ArrowRight")
    expect(page.get_by_text("4.50/255", exact=True)).to_be_visible(timeout=FIRST)
    expect_whole(page)
    seen = numbers(page)
    query = parse_qs(urlsplit(page.url).query)
    assert query["epsilon"] == ["4.5"]
    assert query["image"][0].startswith("upload:")
    shoot(page, "upload")

    page.reload(timeout=FIRST)
    expect(page.get_by_text("Clean: Your photo")).to_be_visible(timeout=FIRST)
    expect_whole(page)
    assert numbers(page) == seen

    context = browser.new_context()
    other = context.new_page()
    open_app(other, page.url)
    assert numbers(other) == seen
    context.close()
    assert console_errors == []
    assert strangers == []


def test_a_change_shows_without_a_button_and_lands_in_the_link(
    lens_url: str, page: Page, console_errors: list[str], strangers: list[str]
) -> None:
    open_app(page, lens_url)
    before = numbers(page)
    expect(page.get_by_text("4.00/255", exact=True)).to_be_visible()
    strength(page).press("Home")
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible(timeout=FIRST)
    wait_until_calm(page)
    assert "epsilon=0" in page.url
    strength(page).press("End")
    expect(page.get_by_text("16.00/255", exact=True)).to_be_visible(timeout=FIRST)
    after = numbers(page)
    assert "epsilon=16" in page.url
    assert after != before
    assert console_errors == []
    assert strangers == []


def test_a_wrong_file_is_named_and_the_page_stays(
    lens_url: str, page: Page, console_errors: list[str], tmp_path: Path
) -> None:
    open_app(page, lens_url)
    before = numbers(page)
    wrong = tmp_path / "notes.jpg"
    wrong.write_text("These are words and no picture.")
    upload(page, wrong)
    message = page.get_by_role("alert").filter(has_text="notes.jpg").first
    expect(message).to_contain_text("not an image", timeout=FIRST)
    expect_whole(page)
    assert numbers(page) == before
    shoot(page, "wrong-file")
    assert console_errors == []


def test_a_narrow_window_scrolls_down_only(lens_url: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    open_app(page, f"{lens_url}/?expert=1")
    for selector in ("html", "[data-testid=stMain]"):
        wide = page.locator(selector).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide[0] <= wide[1], selector
    for chart in page.locator("[data-testid=stPlotlyChart]").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    shoot(page, "narrow")
    page.get_by_test_id("stExpandSidebarButton").click()
    # The label: of a slider, the input itself is there for keyboards and not to be seen.
    expect(page.get_by_text("Strength ε, in 1/255")).to_be_in_viewport(timeout=FIRST)
    page.wait_for_timeout(500)
    page.screenshot(path=SCREENSHOTS / "narrow-controls.png")
    context.close()


def test_dark_is_as_complete_as_light(lens_url: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page = context.new_page()
    open_app(page, f"{lens_url}/?expert=1&method=integrated-gradients")
    shade = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert max(map(int, re.findall(r"\d+", shade)[:3])) < 60
    inks = page.locator(".textpoint text").evaluate_all(
        "all => all.map(e => getComputedStyle(e).fill)"
    )
    assert {min(map(int, re.findall(r"\d+", ink)[:3])) > 180 for ink in inks} == {True}
    shoot(page, "dark")
    context.close()


def test_every_control_can_be_reached_by_keyboard(lens_url: str, page: Page) -> None:
    open_app(page, f"{lens_url}/?expert=1")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => {
                    const e = document.activeElement;
                    const box = e.closest('[data-testid=stElementContainer]');
                    return [e.getAttribute('aria-label'), e.innerText, box && box.innerText]
                        .filter(Boolean).join(' | ');
                }"""
            )
        )
    for name in ("Network", "Choose a picture", "Perturbation", "Strength ε", "Attack through",
                 "Expert controls", "Norm", "Steps", "Target class", "Seed", "Map", "Layer",
                 "Class the maps explain", "Opacity", "Save the perturbed picture"):  # fmt: skip
        assert any(name in text for text in reached), (name, reached)


def test_the_models_page_opens_from_the_menu_and_leads_back(
    lens_url: str, page: Page, console_errors: list[str]
) -> None:
    open_app(page, f"{lens_url}/?epsilon=2")
    before = numbers(page)
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Which networks are here")).to_be_visible(timeout=FIRST)
    shoot(page, "models")
    page.get_by_role("link", name="Playground").click()
    expect_whole(page)
    assert numbers(page) == before
    assert console_errors == []
