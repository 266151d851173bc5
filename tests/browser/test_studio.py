"""A person's way through the attack studio, and a region drawn by mouse and by finger."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.driving import (
    FIRST,
    SCENE,
    assert_scrolls_down_only,
    shoot,
    wait_until_calm,
)

FEW_STEPS = "steps=3"


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    yield context.new_page()
    context.close()


def open_studio(page: Page, url: str, query: str, words: str) -> None:
    page.goto(f"{url}/?{SCENE}&{query}", timeout=FIRST)
    expect(page.get_by_text(words).first).to_be_visible(timeout=FIRST)
    wait_until_calm(page)


def asked(page: Page, name: str) -> str:
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


def expect_address(page: Page, pattern: str) -> None:
    expect(page).to_have_url(re.compile(pattern), timeout=FIRST)
    wait_until_calm(page)


def surface(page: Page) -> Locator:
    """The picture that regions are drawn on."""
    return page.locator(".eraser .surface")


def corners(place: Locator, *shares: float) -> list[float]:
    """Shares of the picture's sides as places on the screen."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    left, top, right, bottom = shares
    return [
        box["x"] + left * box["width"],
        box["y"] + top * box["height"],
        box["x"] + right * box["width"],
        box["y"] + bottom * box["height"],
    ]


def drag(page: Page, *shares: float) -> None:
    left, top, right, bottom = corners(surface(page), *shares)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move((left + right) / 2, bottom, steps=4)
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()


def assert_region(text: str, *expected: float) -> None:
    """Within half a percent: a screen's pixels are coarser than thousandths."""
    numbers = [int(number) for number in text.split(".")]
    assert numbers == pytest.approx([1000 * share for share in expected], abs=5)


def test_regions_are_drawn_with_the_mouse_and_taken_back(
    app_url: str, page: Page, console_errors: list[str], strangers: list[str]
) -> None:
    open_studio(page, app_url, "perturbation=erase", "Drag over the picture")
    expect(page.get_by_role("button", name="Take back")).to_be_disabled()
    drag(page, 0.2, 0.3, 0.6, 0.9)
    expect_address(page, "regions=")
    assert_region(asked(page, "regions"), 0.2, 0.3, 0.4, 0.6)
    perturbed = page.get_by_role("img", name=re.compile("^The perturbed picture"))
    expect(perturbed).to_have_attribute("alt", re.compile("1 region painted grey by hand"))
    before = perturbed.get_attribute("src")

    drag(page, 0.9, 0.9, 0.7, 0.7)  # from its last corner to its first
    expect_address(page, "regions=[0-9.]+_")
    first, second = asked(page, "regions").split("_")
    assert_region(second, 0.7, 0.7, 0.2, 0.2)
    expect(page.locator(".eraser .marks .light")).to_have_count(2)
    shoot(page, "erased")
    assert perturbed.get_attribute("src") != before

    page.get_by_role("button", name="Take back").click()
    expect_address(page, "regions=[0-9.]+(&|$)")
    assert asked(page, "regions") == first
    page.reload(timeout=FIRST)
    expect(page.locator(".eraser .marks .light")).to_have_count(1, timeout=FIRST)
    wait_until_calm(page)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible(timeout=FIRST)
    assert asked(page, "regions") == ""
    drag(page, 0.5, 0.5, 0.502, 0.9)
    expect(page.locator(".eraser .marks .light")).to_have_count(0)
    assert console_errors == []
    assert strangers == []


def test_a_finger_draws_and_does_not_scroll(app_url: str, phone: Page) -> None:
    open_studio(phone, app_url, "perturbation=erase&fill=blur", "Drag over the picture")
    left, top, right, bottom = corners(surface(phone), 0.1, 0.2, 0.5, 0.6)
    scrolled = "document.querySelector('[data-testid=stMain]').scrollTop"
    before = phone.evaluate(scrolled)
    finger = phone.context.new_cdp_session(phone)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (left, top))
    for share in (0.25, 0.5, 0.75, 1):
        touch("touchMove", (left + share * (right - left), top + share * (bottom - top)))
    touch("touchEnd")
    expect_address(phone, "regions=")
    assert_region(asked(phone, "regions"), 0.1, 0.2, 0.4, 0.4)
    assert phone.evaluate(scrolled) == before
    expect(phone.get_by_alt_text("The perturbed picture: 1 region blurred by hand")).to_be_visible()


def test_regions_in_numbers_show_on_the_picture(app_url: str, page: Page) -> None:
    open_studio(page, app_url, "perturbation=erase", "Drag over the picture")
    page.get_by_text("Regions in numbers").click()
    left = page.get_by_role("spinbutton", name="Left, in %")
    left.fill("10")
    left.press("Tab")
    wait_until_calm(page)
    page.get_by_role("button", name="Erase this region").click()
    expect_address(page, r"regions=100\.300\.400\.400")
    mark = page.locator(".eraser .marks .light")
    expect(mark).to_have_count(1)
    assert [mark.get_attribute(name) for name in ("x", "y", "width", "height")] == [
        "100", "300", "400", "400",
    ]  # fmt: skip


def test_the_film_is_scrubbed_without_the_server(
    app_url: str, page: Page, console_errors: list[str]
) -> None:
    open_studio(page, app_url, f"studio=film&{FEW_STEPS}", "on one colour scale for all frames")
    slider = page.get_by_role("slider", name="Step", exact=True)
    expect(slider).to_have_attribute("max", "4", timeout=FIRST)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^Clean picture: main says"))
    canvases = page.locator(".film canvas")
    expect(canvases).to_have_count(4)
    seen = [painted(canvases)]
    page.context.set_offline(True)  # what is shown now needs nobody
    for title in ("Random start", "Step 1 of 3", "Step 2 of 3", "Step 3 of 3"):
        slider.press("ArrowRight")
        expect(page.locator(".film .title")).to_have_text(title)
        seen.append(painted(canvases, unlike=seen[-1]))
    page.context.set_offline(False)
    assert len({one[0] for one in seen}) == 5, "another picture in every frame"
    assert len({one[1] for one in seen}) == 5, "another perturbation"
    said = page.locator(".film .branch h5").all_inner_texts()
    assert [text.split()[0] for text in said] == ["main", "aux"]
    slider.press("Home")
    assert painted(canvases, unlike=seen[-1]) == seen[0]

    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".film .title")).to_have_text("Step 3 of 3", timeout=FIRST)
    page.get_by_role("button", name="Pause", exact=True).click()
    shoot(page, "film")
    assert_scrolls_down_only(page)
    wait_until_calm(page)
    for kind, start in (("WebP", b"RIFF"), ("GIF", b"GIF8")):
        with page.expect_download(timeout=FIRST) as download:
            page.get_by_role("button", name=f"Save as {kind}").click()
        assert download.value.path().read_bytes().startswith(start)
    assert [error for error in console_errors if "ERR_INTERNET_DISCONNECTED" not in error] == []


def painted(canvases: Locator, unlike: list[str] | None = None) -> list[str]:
    """What the canvases show, once the first two of them show something else."""
    for _ in range(50):
        now = canvases.evaluate_all("all => all.map(one => one.toDataURL())")
        if unlike is None or all(a != b for a, b in zip(now[:2], unlike[:2], strict=True)):
            break
        canvases.page.wait_for_timeout(100)  # a picture is decoded beside the script
    return now


def test_the_sweep_leads_to_where_a_branch_flips(
    app_url: str, page: Page, console_errors: list[str]
) -> None:
    open_studio(page, app_url, f"studio=sweep&{FEW_STEPS}", "upper bound")
    curve = page.locator("[data-testid=stPlotlyChart]").first
    # The point of the first curve at ε = 10.
    points = curve.locator(".scatterlayer .trace").first.locator(".point")
    last = points.nth(points.count() - 4)
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.down()
    page.mouse.up()
    expect_address(page, "epsilon=10(&|$)")
    expect(page.get_by_text("10.00/255", exact=True)).to_be_visible(timeout=FIRST)
    shoot(page, "sweep")
    assert_scrolls_down_only(page)
    buttons = page.get_by_role("button", name=re.compile(r"Go to .*flips"))
    expect(buttons.first).to_be_visible()
    strength = re.search(r"Go to ([\d.]+)/255", buttons.first.inner_text())
    assert strength is not None
    buttons.first.click()
    expect_address(page, f"epsilon={strength[1]}(&|$)")
    assert console_errors == []


def test_the_matrix_names_attacks_and_judges(app_url: str, page: Page) -> None:
    open_studio(page, app_url, f"studio=matrix&{FEW_STEPS}", "And on many pictures?")
    chart = page.locator("[data-testid=stPlotlyChart]").first
    expect(chart.locator(".heatmap-label")).to_have_count(6, timeout=FIRST)
    expect(page.get_by_text("The attack through main")).to_be_visible()
    shoot(page, "matrix")
    assert_scrolls_down_only(page)
    page.get_by_role("radio", name="Closed").or_(
        page.get_by_role("button", name="Closed", exact=True)
    ).first.click()
    expect(page.get_by_text("Who fools whom?")).to_have_count(0, timeout=FIRST)
    wait_until_calm(page)
    assert asked(page, "studio") == ""


def test_the_chooser_asks_about_an_upload_and_closes_when_that_is_done(
    app_url: str, page: Page, real_photo
) -> None:
    open_studio(page, app_url, FEW_STEPS, "How large is this perturbation?")
    page.get_by_role("button", name="Choose a picture").click()
    page.get_by_role("radio", name="Upload").or_(
        page.get_by_role("button", name="Upload", exact=True)
    ).first.click()
    dropzone = page.locator("[data-testid=stFileUploaderDropzone]")
    expect(dropzone).to_be_visible(timeout=FIRST)
    wait_until_calm(page)
    page.locator("input[type=file]").set_input_files(real_photo)
    expect(page.get_by_text("Clean: Your photo")).to_be_visible(timeout=FIRST)
    page.get_by_role("button", name="Done").click()
    expect(dropzone).not_to_be_visible(timeout=FIRST)
    wait_until_calm(page)
    page.get_by_role("button", name="Choose a picture").click()
    expect(dropzone).to_be_visible(timeout=FIRST)
