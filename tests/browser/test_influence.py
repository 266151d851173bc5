"""The Influence page in a real Chromium: a question answered, an image opened."""

import re

from playwright.sync_api import Page, expect

from tests.browser.driving import FIRST, SCENE, shoot, wait_until_drawn


def test_training_images_are_shown_and_one_opens_in_the_playground(
    app_url: str, page: Page
) -> None:
    page.goto(f"{app_url}/influence?{SCENE}&training_images=100", timeout=FIRST)
    wait_until_drawn(page)
    for branch in ("main", "aux"):
        heading = page.get_by_role(
            "heading", name=re.compile(f"^{branch} with a new last layer says ")
        )
        expect(heading).to_be_visible(timeout=FIRST)
    images = page.locator("[data-testid=stMain]").get_by_role("button", name="Open", exact=True)
    expect(images).to_have_count(16)  # four helpful and four harmful ones of each branch
    shoot(page, "influence")
    images.first.click()
    expect(page).not_to_have_url(re.compile("influence"), timeout=FIRST)
    expect(page.get_by_text("How large is this perturbation?")).to_be_visible(timeout=FIRST)
    assert "image=scene:2&" not in page.url, "it is another picture than the one that was asked of"
    assert re.search("model=shapes-advprop", page.url)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
