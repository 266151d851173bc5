"""Where a picture may come from besides an upload: the person's folder, and the camera."""

import re
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import CHROMIUM_ARGS
from tests.browser.driving import FIRST, SCENE, wait_until_calm

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def folder_url(
    chromium_path: str, serve_app, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The app with a folder that holds two photos and a file that is none."""
    folder = tmp_path_factory.mktemp("own")
    noise = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)
    for name, pixels in zip(("star", "heart"), noise, strict=True):
        (folder / name).mkdir()
        Image.fromarray(pixels).resize((80, 60)).save(folder / name / f"my {name}.jpg")
    (folder / "star" / "broken.jpg").write_text("no photo")
    command = [sys.executable, "-c", "from advprop_core.cli.main import main; main()"]
    empty = {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}
    with serve_app(command, "--images", folder, env=empty) as url:
        yield url


def choose(page: Page, source: str) -> None:
    page.get_by_role("button", name="Choose a picture").click()
    page.get_by_role("radio", name=source).or_(
        page.get_by_role("button", name=source, exact=True)
    ).first.click()


def test_a_photo_of_the_persons_folder_has_its_true_class(folder_url: str, page: Page) -> None:
    page.goto(f"{folder_url}/?{SCENE}", timeout=FIRST)
    wait_until_calm(page)
    choose(page, "Your folder")
    photo = page.get_by_role("button", name="heart/my heart.jpg")
    expect(photo).to_be_visible(timeout=FIRST)
    expect(
        page.get_by_role("button", name="star/broken.jpg: This file is not an image")
    ).to_be_disabled()
    photo.click()
    expect(page.get_by_text("Clean: my heart.jpg")).to_be_visible(timeout=FIRST)
    wait_until_calm(page)
    expect(page.get_by_text("the class under attack is heart, its true class")).to_be_visible()
    assert re.search(r"image=folder(%3A|:)heart", page.url)


def test_a_picture_of_the_camera(
    folder_url: str, chromium_path: str, playwright: Playwright
) -> None:
    chromium = playwright.chromium.launch(
        executable_path=chromium_path, args=[*CHROMIUM_ARGS, *CAMERA]
    )
    page = chromium.new_context(permissions=["camera"]).new_page()
    page.goto(folder_url, timeout=FIRST)
    wait_until_calm(page)
    choose(page, "Camera")
    page.wait_for_function("document.querySelector('video')?.readyState === 4", timeout=FIRST)
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_text("Clean: Your photo")).to_be_visible(timeout=FIRST)
    assert "image=upload" in page.url
    chromium.close()


def test_a_picture_is_chosen_and_cropped_from_the_keyboard(app_url: str, page: Page) -> None:
    page.goto(f"{app_url}/?{SCENE}", timeout=FIRST)
    wait_until_calm(page)
    chooser = page.get_by_role("button", name="Choose a picture")
    chooser.click()
    chosen = page.get_by_role("button", name="crescent, covered in marble")
    expect(chosen).to_be_focused(timeout=FIRST)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("image=scene%3A3"), timeout=FIRST)
    expect(chooser).to_be_focused()
    chooser.click()
    page.get_by_text("Photos", exact=True).click()
    page.get_by_role("button", name="Coffee").click()
    page.wait_for_url(re.compile("photo%3Acoffee$"), timeout=FIRST)
    chooser.click()
    page.locator(".square").focus(timeout=FIRST)
    page.keyboard.press("-")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"photo%3Acoffee%40\d+\.10\.980"), timeout=FIRST)
    wait_until_calm(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
