"""The lessons of the page without a server: read, guessed, answered, handed in and added up."""

import json
import re

import pytest

from advprop_core.browser.lessons import lesson_material
from advprop_core.browser.page import Page, read_built
from tests.browser.axe import violations
from tests.browser.driving import TOO_SMALL_TO_TOUCH, until

CALM = "!document.querySelector('.piece .pending, .piece progress')"


@pytest.fixture(scope="module")
def lessons(page_network, tmp_path_factory):
    """The address of a page with lessons, and without the network for photos."""
    path = tmp_path_factory.mktemp("lessons") / "lessons.html"
    Page([page_network], read_built(), lesson_material()).write_one_file(path)
    return path.as_uri()


@pytest.fixture
def opened(browser, lessons):
    """(link, width, colours) to the page, in one browser's storage; no request may leave."""
    context = browser.new_context(offline=True, reduced_motion="reduce")
    requests, errors = [], []

    def open_page(link, width=1280, scheme="light"):
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{lessons}#{link}", wait_until="commit")
        page.wait_for_selector("main")
        return page

    yield open_page
    context.close()
    assert not [url for url in requests if not url.startswith(("file:", "blob:", "data:"))]
    assert not errors


def choose(page, name, place):
    page.locator(f"input[name='{name}']").nth(place).check(force=True)


def guess(page, name, place):
    choose(page, name, place)
    page.get_by_role("button", name="Show me").click()


def export(page, path):
    with page.expect_download() as download:
        page.get_by_role("button", name="Save my answers").click()
    download.value.save_as(path)
    return json.loads(path.read_text())


def test_a_lesson_is_guessed_answered_and_handed_in(opened, tmp_path):
    page = opened("lesson=4")
    assert page.locator(".prediction").count() == 0
    for place in (0, 1):
        choose(page, f"norms-before-{place}", 3)  # "I do not know yet"
    page.get_by_role("button", name="Begin the lesson").click()

    # What comes later may show what is asked first.
    assert page.locator(".prediction").count() == 1
    assert page.get_by_text("The lesson goes on when you have guessed.").is_visible()
    guess(page, "norms-means", 2)

    covered = page.locator(".prediction").nth(1)
    assert page.get_by_role("heading", name="What you know now").count() == 0
    assert "aux still" not in covered.inner_text()
    assert covered.locator("canvas").count() == 0
    choose(page, "norms-branches", 0)
    covered.get_by_role("button", name="Show me").click()
    until(page, f"{CALM} && document.querySelectorAll('.prediction .bars li').length > 3")
    assert re.search(r"main\s+says crescent 99\s% →\sarrow", covered.inner_text())
    assert re.search(r"aux\s+still says crescent", covered.inner_text())
    assert covered.locator("[data-mark=right]").inner_text() == "Crescent, the right answer"

    # What was said of one picture never stands beside another.
    beside_another = page.evaluate("""async () => {
        const [, piece] = document.querySelectorAll('.prediction');
        piece.querySelectorAll('.thumbnail')[1].click();
        for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
        return piece.querySelector('.branch .says').textContent;
    }""")
    assert beside_another == "…"

    order = page.evaluate("JSON.parse(localStorage.getItem('advprop-lens-answers')).order")
    form = {0: (1, 0), 1: (2, 1)}[order]  # the right choices of the questions after the lesson
    for place, right in enumerate(form):
        choose(page, f"norms-after-{place}", right)
    page.get_by_role("button", name="Check my answers").click()
    assert page.get_by_text("2 of 2 right.").is_visible()
    assert page.locator("details.test [data-mark=right]").count() == 2  # now of the first two, too
    assert page.locator("details.test [data-mark=wrong]").count() == 2
    answers = export(page, tmp_path / "mine.json")
    assert answers["lessons"]["norms"] == {
        "before": [3, 3],
        "predictions": {"means": 2, "branches": 0},
        "after": list(form),
    }
    assert page.get_by_text(f"Saved as advprop-answers-{answers['reader'][:6]}.json").is_visible()
    assert set(answers) == {"format", "version", "reader", "order", "lessons", "judgements"}

    again = opened("lessons")  # the browser has kept them
    assert "2 of 2 right." in again.locator(".overview").inner_text()
    again.get_by_role("button", name="Forget my answers").click()
    again.get_by_role("button", name="Yes, forget them").click()
    assert "2 of 2 right." not in again.locator(".overview").inner_text()


def test_the_teacher_adds_up_a_class_and_sends_it_to_a_lesson(opened, tmp_path):
    def handed_in(name, reader, before, after):
        answers = {"before": before, "predictions": {}, "after": after}
        judged = {"left": "shapes-advprop/main", "right": "shapes-advprop/aux"}
        judgements = [{"scene": "scene-200", "preferred": "left", **judged}]
        content = {"format": "advprop-lens-answers", "version": 1, "order": 0}
        lessons = {"lessons": {"norms": answers}, "judgements": judgements}
        (tmp_path / name).write_text(json.dumps({**content, "reader": reader, **lessons}))
        return tmp_path / name

    files = [
        handed_in("anna.json", "a" * 16, [2, 1], [1, 0]),  # all right, before and after
        handed_in("ben.json", "b" * 16, [0, 0], [1, 0]),
    ]
    broken = tmp_path / "broken.json"
    broken.write_text(files[0].read_text()[:60])
    page = opened("teacher")
    page.set_input_files("input[type=file]", [*files, broken])
    until(page, "document.querySelector('.refusals')")
    assert "“broken.json” is damaged" in page.inner_text(".refusals")
    assert "2 people counted." in page.inner_text(".class-results")
    (row,) = page.locator("tr", has_text="Can one BatchNorm").all()
    assert re.sub(r"\s+", " ", row.inner_text()).endswith("2 50 % 100 % +50 −100 to +100")
    assert "AdvProp, main" in page.inner_text(".class-results")

    page.get_by_label("The link opens").select_option("lesson=3")
    link = page.get_by_label("Link for the class").input_value()
    assert link.endswith("#lesson=3&hide=doors")
    page.goto(link)
    until(page, "document.querySelector('h1').textContent.startsWith('Adversarial training')")
    assert page.locator(".doors").count() == 0
    assert "shapes-vanilla is not in this page" in page.inner_text("[role=alert]")


def test_the_doors_and_back_lead_where_they_say(opened):
    page = opened("lessons")
    page.get_by_role("link", name="Lab", exact=True).click()
    until(page, "document.querySelector('.verdict')?.textContent.includes('crescent')")
    page.get_by_role("link", name="Lessons", exact=True).click()
    page.get_by_role("link", name="Texture or shape?").click()
    until(page, "location.hash === '#lesson=7' && document.title.startsWith('Texture')")
    page.go_back()
    until(page, "document.querySelector('.overview')")
    page.evaluate("location.hash = 'lesson=12'")
    until(page, "document.querySelector('[role=alert]')?.textContent.includes('lessons 1 to 8')")


def test_maps_are_judged_without_a_mouse(opened):
    page = opened("judge")
    for place in range(12):
        heading = f"Pair {place + 1}"
        until(page, f"document.querySelector('.duel h2').textContent === '{heading}'")
        until(page, "document.querySelector('.verdicts button').ariaDisabled === 'false'")
        if place == 0:
            while page.evaluate("document.activeElement.textContent") != "Left":
                page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Show whose maps they were")
    button.focus()
    page.keyboard.press("Space")
    table = page.inner_text("table")
    assert "AdvProp, main" in table
    assert "AdvProp, aux" in table
    assert table.count("12") >= 2  # each was judged twelve times


@pytest.mark.parametrize("link", ["lessons", "lesson=2", "teacher", "judge", "handout=3"])
def test_it_is_whole_on_a_phone_and_says_what_it_is(opened, link):
    page = opened(link, 360, "dark" if link == "lesson=2" else "light")
    if link == "lesson=2":
        for place in (0, 1):
            choose(page, f"gradient-before-{place}", 0)
        page.get_by_role("button", name="Begin the lesson").click()
        for part in ("pixels", "digit"):
            guess(page, f"gradient-{part}", 0)
    until(page, CALM)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not page.evaluate(TOO_SMALL_TO_TOUCH)
    assert not violations(page, link)


def test_every_language_fits_on_a_phone(opened):
    page = opened("lessons", 360)
    codes = page.locator(".language option").evaluate_all("all => all.map(({ value }) => value)")
    assert len(codes) > 1
    for code in codes:
        for link in ("v=1", "lesson=2", "teacher"):
            page.evaluate("hash => { location.hash = hash }", f"{link}&lang={code}")
            until(page, f"document.documentElement.lang === '{code}'")
            until(page, f"{CALM} && !document.querySelector('.verdict.pending')")
            wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            assert not wide, f"{code} {link}"
            # Names of classes and commands stay; four English words in a row are a sentence.
            sentence = re.search(r"([A-Za-z]+ ){3}[A-Za-z]+", page.inner_text("main"))
            assert (sentence is None) == (code != "en"), f"{code} {link}: {sentence}"
