"""Every page at four widths: no text over another, none cut, nothing to scroll sideways for.

And in light and dark: nothing that axe finds serious or moderate.
"""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.driving import FIRST, SCENE, set_width, wait_until_drawn

WIDTHS = (1440, 1280, 820, 360)
PLACES = {
    "playground": f"?{SCENE}&expert=1",
    "playground, two": f"?{SCENE}&beside=v%3D3%26model%3Dshapes-vanilla%26image%3Dscene:2",
    "maps": f"maps?{SCENE}&steps=1",
    "anatomy, halves": f"anatomy?{SCENE}&steps=1",
    "anatomy, layers": f"anatomy?{SCENE}&steps=1&looked_into=Where do they differ%3F",
    "anatomy, gap": f"anatomy?{SCENE}&steps=1&looked_into=Which layers carry the gap%3F",
    "robustness": "robustness?v=3",
    "robustness, corruptions": "robustness?v=3&part=Corruptions",
    "robustness, confidence": "robustness?v=3&part=Confidence",
    "robustness, shape": "robustness?v=3&results=shapes-conflict&part=Shape",
    "robustness, studies": "robustness?v=3&part=Studies",
    "robustness, a study": "robustness?v=3&results=strengths-64px",
    "influence": f"influence?{SCENE}&training_images=100",
    "influence, labels": f"influence?{SCENE}&training_images=100&influence_part=Which labels look "
    "wrong%3F",
    "models": "models",
}
WHOLE_PAGES = (
    "playground",
    "maps",
    "anatomy, halves",
    "robustness",
    "robustness, studies",
    "influence, labels",
    "models",
)
"""Each page once, with every kind of figure: in dark, the other places show nothing else."""
# What is wrong with the labels that are seen: [what, text, other text].
FAULTS = """() => {
  const faults = [], main = document.querySelector('[data-testid=stMain]')
  const seen = box => box.width > 1 && box.height > 1
  const short = element => element.textContent.trim().slice(0, 60)
  for (const part of [main, document.documentElement])
    if (part.scrollWidth > part.clientWidth + 1)
      faults.push(['scrolls sideways', `${part.scrollWidth} > ${part.clientWidth}`, ''])
  for (const element of main.querySelectorAll('h1, h2, h3, h4, p, th, td, li, label, figcaption')) {
    const box = element.getBoundingClientRect()
    if (!seen(box) || element.closest('[aria-hidden=true], .js-plotly-plot, [hidden]')) continue
    const hides = getComputedStyle(element).overflowX !== 'visible'
    if (hides && element.scrollWidth > element.clientWidth + 1)
      faults.push(['is cut', short(element), ''])
  }
  for (const plot of main.querySelectorAll('.js-plotly-plot')) {
    const frame = plot.getBoundingClientRect()
    const labels = [...plot.querySelectorAll('.main-svg text')]
      .filter(text => text.textContent.trim())
      .map(text => [text, text.getBoundingClientRect()])
      .filter(([, box]) => seen(box))
    labels.forEach(([text, a], place) => {
      if (a.left < frame.left - 2 || a.right > frame.right + 2 || a.bottom > frame.bottom + 2)
        faults.push(['is cut', short(text), ''])
      for (const [other, b] of labels.slice(place + 1)) {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left)
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
        if (across > 2 && down > 4) faults.push(['lies over', short(text), short(other)])
      }
    })
  }
  const levels = [...main.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => +h.tagName[1])
  levels.forEach((level, place) => {
    if (place && level > levels[place - 1] + 1) faults.push(['jumps', `h${levels[place - 1]}`,
      `h${level}`])
  })
  return faults
}"""


@pytest.mark.parametrize("place", PLACES)
def test_labels_neither_overlap_nor_are_cut_and_axe_finds_nothing_serious(
    app_url: str, page: Page, place: str
) -> None:
    faults: dict[str, object] = {}
    page.goto(f"{app_url}/{PLACES[place]}", timeout=FIRST)
    for width in WIDTHS:
        set_width(page, width)
        if found := page.evaluate(FAULTS):
            faults[f"{width} px"] = found[:8]
        if width == 1280:
            faults |= violations(page)
    assert not faults, json.dumps(faults, indent=1, ensure_ascii=False)


def violations(page: Page) -> dict[str, list[str]]:
    """Rules that are broken, and by what."""
    found = serious(page)
    if found:  # what is fading in has little contrast for a moment
        page.wait_for_timeout(3000)
        found = serious(page)
    return found


def serious(page: Page) -> dict[str, list[str]]:
    return {
        violation["id"]: [node["html"][:120] for node in violation["nodes"][:3]]
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("moderate", "serious", "critical")
    }


def test_axe_finds_nothing_serious_in_dark(app_url: str, browser: Browser) -> None:
    faults = {}
    size = {"width": 1280, "height": 900}
    context = browser.new_context(viewport=size, color_scheme="dark", reduced_motion="reduce")
    for place in WHOLE_PAGES:
        page = context.new_page()
        page.goto(f"{app_url}/{PLACES[place]}", timeout=FIRST)
        wait_until_drawn(page)
        found = violations(page)
        faults |= {f"{place}: {rule}": shown for rule, shown in found.items()}
        page.close()
    context.close()
    assert not faults, json.dumps(faults, indent=1, ensure_ascii=False)
