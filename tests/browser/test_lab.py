"""The page without a server: opened from a disk, with no network, in a real Chromium."""

import base64
import io
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from advprop_core.browser.page import Page, read_built
from advprop_core.browser.tiny_training import page_training
from advprop_core.pictures.decoding import decode, to_pixels
from app.lab.site import Site
from tests.browser.axe import violations
from tests.browser.driving import TOO_SMALL_TO_TOUCH, until

DROP = """([content, name, type]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  for (const event of ["dragover", "drop"]) {
    const options = { bubbles: true, cancelable: true, dataTransfer: data };
    document.body.dispatchEvent(new DragEvent(event, options));
  }
}"""

# Both before the network can answer; what is seen then, drawn in the same turn of the page's loop.
STRONGER_THEN_SCRUBBED = """async () => {
  for (const [field, value] of [["#strength", "3"], [".scrub input", "1"]]) {
    const slider = document.querySelector(field);
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
  await Promise.resolve();
  return document.querySelector(".verdict").textContent;
}"""


@pytest.fixture(scope="module")
def lab(page_network, tmp_path_factory):
    """The address of a page on the disk."""
    path = tmp_path_factory.mktemp("lab") / "lab.html"
    training = page_training(["advprop"])
    Page([page_network], read_built(), training=training).write_one_file(path)
    return path.as_uri()


@pytest.fixture
def opened(browser, lab):
    """(width, height, colours) to the page, whose network is on its way; no request may leave."""
    contexts, requests, errors = [], [], []

    def open_page(width=1280, height=900, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(lab, wait_until="commit")
        page.wait_for_selector(".verdict")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [url for url in requests if not url.startswith(("file:", "blob:", "data:"))]
    assert not errors


def verdict(page):
    return page.inner_text(".verdict").replace("\N{NO-BREAK SPACE}", " ")


def settled(page):
    until(page, "!document.querySelector('.verdict.pending, .result progress')")
    return verdict(page)


def says(page, words):
    shown = "document.querySelector('.verdict').textContent.replaceAll('\\u00a0', ' ')"
    until(page, f"{shown}.includes({json.dumps(words)})")
    return settled(page)


def test_main_is_fooled_aux_holds_and_a_saved_picture_says_the_same(
    opened, lab, page_checkpoint, tmp_path
):
    page = opened()
    before = verdict(page)  # computed by Python, before the network is there
    assert settled(page) == before
    assert "main says crescent" in before
    assert "aux still says crescent" in before

    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    download.value.save_as(tmp_path / "saved.png")
    saved = (tmp_path / "saved.png").read_bytes()
    pixels = to_pixels(decode(saved), 96)
    answers = {}
    for branch in ("main", "aux"):
        probabilities = page_checkpoint.model.branch(branch)(pixels).softmax(1)[0]
        top = probabilities.argmax().item()
        answers[branch] = (
            page_checkpoint.info.class_names[top],
            round(100 * probabilities[top].item()),
        )
        assert f"{answers[branch][1]} %" in before
    assert answers["main"][0] != answers["aux"][0] == "crescent"

    assert "Right answer: crescent." in page.inner_text(".stage")
    page.get_by_role("radio", name="None", exact=True).check(force=True)
    until(page, "!document.querySelector('i.perturbed')")  # the same is not shown twice
    content = base64.b64encode(saved).decode()
    page.evaluate(DROP, [content, "saved.png", "image/png"])
    for name, percent in answers.values():
        says(page, f"{name} {percent} %")


def test_the_slider_the_link_and_back_move_it(opened):
    page = opened()
    settled(page)
    page.fill(".number input[type=number]", "1")
    page.keyboard.press("Enter")
    says(page, "PGD at 1/255")
    assert "epsilon=1" in page.url
    page.go_back()
    page.fill(".number input[type=number]", "40")
    says(page, "PGD at 4/255")  # arrives while the person types
    page.keyboard.press("Enter")
    refused = "“40” is not a number from 0 to 16: it stays at 4."
    until(page, f"document.querySelector('.number').textContent.includes('{refused}')")
    page.get_by_role("radio", name="aux", exact=True).check(force=True)
    says(page, "through aux")
    until(page, "document.querySelector('.turns')")
    page.get_by_label("Share of the other branch").fill("3")
    until(page, "location.hash.includes('blend=0.3')")
    assert "Still shown: PGD at 4/255" in page.evaluate(STRONGER_THEN_SCRUBBED)
    says(page, "PGD at 3/255 through aux, after step 1 of 10")
    page.get_by_role("radio", name="FGSM").check(force=True)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Towards a class").select_option("heart")
    says(page, "The target is not reached: aux gives heart")
    page.evaluate("location.hash = '#v=9&attack=none'")
    until(page, "document.querySelector('.problems').textContent.includes('version 9')")
    says(page, "PGD at 4/255 through main")


def test_a_photo_is_taken_and_what_is_none_is_refused_in_a_sentence(opened, tmp_path):
    page = opened(360, 740)
    settled(page)
    photo = io.BytesIO()
    Image.effect_noise((300, 200), 60).convert("RGB").save(photo, "JPEG")
    (tmp_path / "mine.jpg").write_bytes(photo.getvalue())
    page.set_input_files("input[type=file]", str(tmp_path / "mine.jpg"))
    until(page, "document.querySelectorAll('.thumbnail.own').length === 1")
    before = settled(page)
    assert "300 × 200 pixels" in page.inner_text(".gallery")
    assert page.locator(".thumbnail.own img").get_attribute("src").startswith("data:image/png")
    page.get_by_label("What does it show?").select_option("none")
    until(page, "document.querySelector('.stage').textContent.includes('No class')")
    until(page, "location.hash.includes('right=none')")
    assert settled(page) == before
    page.evaluate(DROP, [base64.b64encode(b"text").decode(), "notes.txt", "text/plain"])
    until(page, "document.querySelector('.problems').textContent.includes('notes.txt')")
    assert verdict(page) == before


def test_a_network_is_trained_here_paused_and_used_in_the_lab(opened):
    page = opened()
    settled(page)
    training = page.locator(".training")
    training.get_by_role("button", name="Start training").click()
    until(page, "document.querySelector('.training progress')?.value >= 5")
    training.get_by_role("button", name="Pause training").click()
    use = training.get_by_role("button", name="Use it in the lab")
    use.wait_for()
    paused = page.evaluate("document.querySelector('.training progress').value")
    standing = training.locator(".standing").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert f"Step {paused} of 600. main: " in standing
    assert "% of clean pictures right" in standing.split("aux: ")[1]
    charts = training.locator(".training-chart")
    lines = charts.filter(has_text="Right answers").locator("polyline")
    assert [len(line.get_attribute("points").split()) for line in lines.all()] == [2] * 4
    kept = charts.filter(has_text="step by step").locator("polyline")
    main, aux = (line.get_attribute("points") for line in kept.all())
    assert main != aux  # the running means begin to part

    # Strokes of channels are thin, so the place beside one chooses it, too.
    drawing = charts.filter(has_text="All channels").locator("svg")
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 20.1 / 32, box["y"] + box["height"] - 1)
    assert training.get_by_text("Channel 21, step by step").is_visible()
    training.get_by_role("slider", name="Channel").press("ArrowRight")
    assert training.get_by_text("Channel 22, step by step").is_visible()

    # Another choice does not make the results its own.
    training.locator("#training-seed").fill("7")
    assert "from the last run: AdvProp, ε\N{NO-BREAK SPACE}=" in training.inner_text()
    assert training.locator(".training-results.pending").count() == 1

    use.click()
    until(page, "location.hash.includes('network=trained-1')")
    until(page, "document.querySelector('.turns')")
    assert "main" in settled(page)
    assert "A tiny network that you trained here: AdvProp, ε = 4/255" in page.inner_text("header")
    training.get_by_role("button", name="Continue").click()
    until(page, f"document.querySelector('.training progress').value > {paused}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_whole_on_a_phone_and_says_what_it_is(opened, scheme):
    page = opened(360, 740, scheme)
    settled(page)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not page.evaluate(TOO_SMALL_TO_TOUCH)
    assert not violations(page, "the lab")


def test_the_app_serves_it_at_an_address_of_its_own(
    page, console_errors, strangers, app_url, app_cache, page_network
):
    site = app_cache / "advprop-lens" / Site().folder.name
    Page([page_network], read_built()).write_split(site)  # as the app would in the background
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{app_url}/lab")
    assert "aux still says crescent" in settled(page)
    encodings = {Path(a.url).suffix: a.headers.get("content-encoding") for a in answers}
    assert encodings[".js"] == "br"
    assert encodings[".bin"] == "gzip"
    assert not console_errors
    assert not strangers


def test_a_damaged_network_is_said_and_the_first_picture_stays(browser, lab, tmp_path):
    whole = Path(urlsplit(lab).path).read_text()
    start = whole.index('data-asset="norms:') + 40
    damaged = tmp_path / "damaged.html"
    damaged.write_text(whole[: start + 200] + "AAAA" + whole[start + 204 :])
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(damaged.as_uri())
    until(page, "document.querySelector('.problems').textContent.trim().length > 20")
    assert "crescent" in verdict(page)
    context.close()
