"""What a person saves, in a real Chromium."""

import csv
import zipfile

from PIL import Image
from playwright.sync_api import Page, expect

from advprop_core.compare.bundles.read import read_bundle
from tests.browser.driving import FIRST, SCENE, download, wait_until_calm


def test_everything_and_a_chart_are_saved(
    app_url: str, page: Page, console_errors: list[str], strangers: list[str]
) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{app_url}/?{SCENE}&studio=sweep", timeout=FIRST)
    expect(page.locator(".board .lens img")).to_have_count(7, timeout=FIRST)
    expect(page.locator(".js-plotly-plot")).to_have_count(1, timeout=FIRST)
    wait_until_calm(page)
    page.get_by_role("button", name="Save more").click()
    bundle = download(page, "Save everything (zip)")
    assert read_bundle(bundle).network["name"] == "shapes-advprop"
    with zipfile.ZipFile(bundle) as archive:
        assert "comparison.png" in archive.namelist()
    page.keyboard.press("Escape")
    for name in ("Picture (PNG)", "Drawing (SVG)", "Numbers (CSV)"):
        file = save_chart(page, name)
        if "PNG" in name:
            drawn = Image.open(file).convert("RGB")
            assert drawn.width >= 2000
            assert drawn.getpixel((2, 2)) == (255, 255, 255), "light, whatever the page is"
        elif "SVG" in name:
            drawing = file.read_text()
            assert drawing.startswith("<svg")
            assert "Answers of each branch against ε" in drawing
            assert "shapes-advprop, " in drawing
        else:
            first, row, *_ = csv.reader(file.read_text().splitlines())
            assert first[:5] == ["network", "branch", "picture", "condition", "epsilon"]
            assert row[:2] == ["shapes-advprop", "main"]
    expect(page.locator(".plotly-notifier")).to_be_hidden()
    assert not console_errors
    assert not strangers


def save_chart(page: Page, name: str):
    """The file behind a button of the chart's menu, which closes when a picture was saved."""
    button = page.get_by_role("button", name=name, exact=True)
    if not button.count():
        page.get_by_role("button", name="Save", exact=True).click()
    with page.expect_download(timeout=FIRST) as started:
        button.click()
    return started.value.path()
