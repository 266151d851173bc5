"""A person reads the app in their language: as the link says, or as they choose."""

import json
import re

import pytest
from google.protobuf.json_format import MessageToDict

from tests.app.anatomy.looking import ANATOMY, WHERE, WHICH, look_into

WORDS = {
    "zh": ("两组 BatchNorm 怎样看这张图片？", "攻击", "热力图", "这个扰动有多大？"),
    "ja": (
        "2つのBatchNormは、この画像をどう見る？",
        "攻撃",
        "マップ",
        "この摂動は、どれくらい大きい？",
    ),
}
ENGLISH = re.compile(r"(?<![\w.-])[A-Z]?[a-z]+(?:,? [a-z]+){2,}")
"""Three words in a row: more than a name, or what Streamlit and plotly call their things."""
NOT_READ = ("htmlContent", "cssContent", "jsContent", "meta", "heading", "about")
"""Markup and scripts, and what is for files alone."""


def texts_of(value):
    """Every text in plain values; of HTML what is read, and what is said of pictures."""
    if isinstance(value, dict):
        return [t for key, item in value.items() if key not in NOT_READ for t in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    if not isinstance(value, str) or value.startswith("data:"):
        return []
    if value.startswith('{"'):
        return texts_of(json.loads(value))
    value = re.sub(r'src="[^"]*"|style="[^"]*"|`[^`]*`', "", value)
    return [*re.findall(r'(?:alt|aria-label)="([^"]*)"', value), re.sub(r"<[^>]*>", "\n", value)]


def english_on(person):
    """Where a person would read three English words in a row."""
    style, *_ = person.at.get("html")
    protos = [
        MessageToDict(element.proto)
        for place in (person.at.main, person.at.sidebar)
        for element in place
        if element is not style and getattr(element, "proto", None) is not None
    ]
    return [match[0] for text in texts_of(protos) for match in ENGLISH.finditer(text)]


RESULTS = [
    ("influence", [{}, {"influence_part": "Which labels look wrong?"}]),
    ("transfer", [{"learned_part": "Differences"}]),
    (
        "robustness",
        [
            {"results": "imagenette-branches", "expert": True, "corrupted": True},
            {"results": "imagenette", "part": "Corruptions"},
            {"part": "Confidence"},
            {"results": "shapes-conflict", "part": "Shape"},
            {"results": "objectives-64px"},
        ],
    ),
]
"""Page to what is chosen on it, one after the other."""


@pytest.mark.parametrize("code", WORDS)
def test_a_link_opens_every_whole_page_in_its_language_and_keeps_it(visit, code):
    person = visit(lang=code, steps="1", visual_steps="5")
    assert not person.at.exception
    assert not person.errors
    assert [answers["name"] for answers in person.board["branches"]] == ["main", "aux"]
    heading, *words = WORDS[code]
    assert person.at.title[0].value == heading
    for word in words:
        assert word in person.text
    assert "The attack" not in person.text
    person.choose(epsilon=1.0)
    assert person.at.query_params["lang"] == code
    assert "epsilon" in person.at.query_params
    assert english_on(person) == []
    for page in ("maps", "visualise", "models"):
        assert english_on(person.turn_to(f"app/{page}/page.py")) == [], page
    person.turn_to(ANATOMY)
    assert english_on(person) == []
    for part in (WHERE, WHICH):
        assert english_on(look_into(person, part)) == [], part


def test_results_are_read_in_the_language_of_the_page(visit, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    few = {"training_images": "100", "shown_images": "1", "tested": "tiny-advprop"}
    person = visit(lang="ja", perturbation="none", **few)
    for page, opened in RESULTS:
        person.turn_to(f"app/{page}/page.py")
        for choices in opened:
            for field, value in choices.items():
                person.at.session_state[f"view.{field}"] = value
            person.run()
            assert not person.at.exception
            assert english_on(person) == [], (page, choices)


def test_the_switch_changes_the_language_and_nothing_else(visit):
    person = visit()
    before = person.at.session_state["view"]
    assert "lang" not in person.at.query_params
    person.choose(**{"language.switch": "ja"})
    assert person.at.title[0].value == WORDS["ja"][0]
    assert person.at.session_state["view"] == before
    assert person.choose(perturbation="gaussian").widget("perturbation.kind").value == "Noise"
    person.choose(**{"language.switch": "en"})
    assert person.at.title[0].value.startswith("What do the two")
    assert person.at.query_params["lang"] == "en"
