"""A person's way through the Playground, in a real Chromium."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.driving import FIRST, SCENE, set_width, shoot, strength, wait_until_calm

QUESTION = "What do the two BatchNorms see in this picture?"


def open_app(page: Page, url: str) -> None:
    """Open the address and wait for the whole page."""
    page.goto(url, timeout=FIRST)
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible(timeout=FIRST)
    expect_whole(page)


def expect_whole(page: Page) -> None:
    """Three pictures, four maps over photos, both branches' bars, the honesty panel."""
    expect(page.get_by_text("How large is this perturbation?")).to_have_count(1, timeout=FIRST)
    wait_until_calm(page)
    board = page.locator(".board")
    expect(board.locator(".lens img")).to_have_count(7, timeout=FIRST)
    expect(board.locator(".waiting, .old")).to_have_count(0, timeout=FIRST)
    expect(board.locator(".answers")).to_have_count(2)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def numbers(page: Page) -> dict[str, object]:
    """What the page says in words: verdict, bars and honesty figures."""
    wait_until_calm(page)
    board = page.locator(".board")
    return {
        "verdict": page.locator("h2").inner_text(),
        "bars": board.locator(".answer").all_inner_texts(),
        "facts": board.locator(".facts").inner_text(),
    }


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


def test_a_persons_own_photo_is_attacked_and_its_link_shows_the_same(
    app_url: str,
    page: Page,
    browser: Browser,
    console_errors: list[str],
    strangers: list[str],
    real_photo: Path,
) -> None:
    open_app(page, f"{app_url}/?{SCENE}")
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
    app_url: str, page: Page, console_errors: list[str], strangers: list[str]
) -> None:
    open_app(page, f"{app_url}/?{SCENE}")
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


def test_all_pictures_are_enlarged_together_and_stay_so(
    app_url: str, page: Page, console_errors: list[str]
) -> None:
    open_app(page, f"{app_url}/?{SCENE}")
    board, pictures = page.locator(".board"), page.locator(".board .lens img")
    whole = transforms(pictures)
    assert len(set(whole)) == 1
    pictures.first.dblclick(position={"x": 20, "y": 30})
    expect(board).to_have_class(re.compile("zoomed"))
    enlarged = transforms(pictures)
    assert len(set(enlarged)) == 1
    assert enlarged[0] != whole[0]
    strength(page).press("ArrowRight")
    expect(page.get_by_text("4.50/255", exact=True)).to_be_visible(timeout=FIRST)
    expect_whole(page)
    assert transforms(pictures) == enlarged, "another strength shows the same part"
    board.focus()
    board.press("ArrowRight")
    assert transforms(pictures) != enlarged
    board.press("0")
    assert transforms(pictures) == whole
    assert console_errors == []


def transforms(pictures: Locator) -> list[str]:
    return pictures.evaluate_all("all => all.map(e => getComputedStyle(e).transform)")


def test_a_low_window_shows_cause_and_effect_without_scrolling(app_url: str, page: Page) -> None:
    open_app(page, f"{app_url}/?{SCENE}")
    for width, height in ((1440, 900), (1280, 720)):
        set_width(page, width, height)
        for part in ("h2", ".board"):
            box = page.locator(part).bounding_box()
            assert box is not None
            assert box["y"] >= 0, part
            assert box["y"] + box["height"] <= height, part


def test_a_wrong_file_is_named_and_the_page_stays(
    app_url: str, page: Page, console_errors: list[str], tmp_path: Path
) -> None:
    open_app(page, f"{app_url}/?{SCENE}")
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


def test_dark_is_as_complete_as_light(app_url: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page = context.new_page()
    open_app(page, f"{app_url}/?{SCENE}&expert=1&method=integrated-gradients")
    shade = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert max(map(int, re.findall(r"\d+", shade)[:3])) < 60
    inks = page.locator(".answer .name").evaluate_all(
        "all => all.map(e => getComputedStyle(e).color)"
    )
    assert {min(map(int, re.findall(r"\d+", ink)[:3])) > 180 for ink in inks} == {True}
    shoot(page, "dark")
    context.close()


def test_every_control_can_be_reached_by_keyboard(app_url: str, page: Page) -> None:
    open_app(page, f"{app_url}/?{SCENE}&expert=1")
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
    for name in ("Network", "Choose a picture", "Change the picture by", "Strength ε",
                 "Attack through", "Expert controls", "Norm", "Steps", "Target class", "Seed",
                 "Map", "Layer", "The maps explain", "Opacity", "Save the perturbed"):  # fmt: skip
        assert any(name in text for text in reached), (name, reached)


def test_the_models_page_opens_from_the_menu_and_leads_back(
    app_url: str, page: Page, console_errors: list[str]
) -> None:
    open_app(page, f"{app_url}/?{SCENE}&epsilon=2")
    before = numbers(page)
    page.set_viewport_size({"width": 1800, "height": 900})  # with room for every page's link
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Which networks are here")).to_be_visible(timeout=FIRST)
    shoot(page, "models")
    page.get_by_role("link", name="Playground").click()
    expect_whole(page)
    assert numbers(page) == before
    assert console_errors == []


def test_back_undoes_a_change_and_forward_does_it_again(app_url: str, page: Page) -> None:
    open_app(page, f"{app_url}/?{SCENE}")
    typed = page.get_by_role("spinbutton", name="Strength ε, in 1/255, typed")
    typed.fill("8")
    typed.press("Enter")
    page.wait_for_url(re.compile("epsilon=8"), timeout=FIRST)
    expect(page.get_by_text("8.00/255", exact=True)).to_be_visible(timeout=FIRST)
    page.go_back()
    expect(page.get_by_text("Back: ε 8 → 4")).to_be_visible(timeout=FIRST)
    expect(page.get_by_text("4.00/255", exact=True)).to_be_visible(timeout=FIRST)
    expect(typed).to_have_value("4")
    assert "epsilon" not in page.url
    page.go_forward()
    expect(page.get_by_text("8.00/255", exact=True)).to_be_visible(timeout=FIRST)
    wait_until_calm(page)
    page.locator(".board").focus()  # not in a field, where it undoes what was typed
    page.keyboard.press("Control+z")
    expect(page.get_by_text("4.00/255", exact=True)).to_be_visible(timeout=FIRST)


def test_back_works_after_a_reload_which_forgets_the_list_of_undo(app_url: str, page: Page) -> None:
    open_app(page, f"{app_url}/?{SCENE}")
    for stop in ("4.50/255", "5.00/255"):
        strength(page).press("ArrowRight")
        expect(page.get_by_text(stop, exact=True)).to_be_visible(timeout=FIRST)
        wait_until_calm(page)
    page.reload()
    expect(page.get_by_text("5.00/255", exact=True)).to_be_visible(timeout=FIRST)
    for stop in ("4.50/255", "4.00/255"):
        wait_until_calm(page)
        page.go_back()
        expect(page.get_by_text(stop, exact=True)).to_be_visible(timeout=FIRST)


def test_two_comparisons_are_enlarged_together(app_url: str, page: Page) -> None:
    kept = "v%3D3%26model%3Dshapes-vanilla%26image%3Dscene:2"
    page.goto(f"{app_url}/?{SCENE}&beside={kept}", timeout=FIRST)
    boards = page.locator(".board")
    expect(boards).to_have_count(2, timeout=FIRST)
    boards.first.locator(".lens").first.dblclick()
    for board in boards.all():
        expect(board).to_have_class(re.compile("zoomed"))
    left, right = (board.locator(".lens img").first for board in boards.all())
    moved = "image => getComputedStyle(image).transform.split(',')[0]"
    assert left.evaluate(moved) == right.evaluate(moved) == "matrix(3"
    inside = "() => document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(inside)


def test_on_a_phone_picture_and_verdict_stay_in_view_while_the_strength_moves(
    app_url: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 780}, has_touch=True)
    open_app(page, f"{app_url}/?{SCENE}")
    for part in page.locator(".board figure, .board .answers").all():
        box = part.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    shoot(page, "narrow")
    page.get_by_test_id("stExpandSidebarButton").click()
    page.locator("h2").evaluate("heading => heading.scrollIntoView()")
    strength(page).press("ArrowRight")
    expect(page.get_by_text("4.50/255", exact=True)).to_have_count(1, timeout=FIRST)
    wait_until_calm(page)
    expect(page.get_by_text("Strength ε, in 1/255", exact=True)).to_be_in_viewport()
    sheet = page.get_by_test_id("stSidebar").bounding_box()
    for shown in (page.locator("h2"), *page.locator(".lens").all()[:2]):
        box = shown.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= sheet["y"]
    page.close()


def test_at_200_percent_the_controls_stand_beside_picture_and_verdict(
    app_url: str, browser: Browser
) -> None:
    """A window of 1280 × 720 has 640 × 360 CSS pixels then."""
    page = browser.new_page(viewport={"width": 640, "height": 360}, device_scale_factor=2)
    open_app(page, f"{app_url}/?{SCENE}")
    page.get_by_test_id("stExpandSidebarButton").click()
    strength(page).press("ArrowRight")
    expect(page.get_by_text("4.50/255", exact=True)).to_have_count(1, timeout=FIRST)
    page.locator("h2").evaluate("heading => heading.scrollIntoView()")
    sheet = page.get_by_test_id("stSidebar").bounding_box()
    for shown in (page.locator("h2"), *page.locator(".lens").all()[:2]):
        box = shown.bounding_box()
        assert box["x"] >= sheet["x"] + sheet["width"]
        assert box["y"] + box["height"] <= 360
    page.get_by_role("button", name="Choose a picture").click()
    page.locator(".thumbnails button").nth(1).click(timeout=FIRST)
    page.wait_for_url(re.compile(r"image=scene%3A(?!2\b)"), timeout=FIRST)
    inside = "() => document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(inside)
    page.close()
