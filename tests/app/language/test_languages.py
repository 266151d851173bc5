"""A person reads the app in their language: as the link says, or as they choose."""

import pytest

WORDS = {
    "zh": ("两组 BatchNorm 怎样看这张图片？", "攻击", "热力图", "这个扰动有多老实？"),
    "ja": (
        "2つのBatchNormは、この画像をどう見る？",
        "攻撃",
        "マップ",
        "この摂動は、どれくらい正直？",
    ),
}


@pytest.mark.parametrize("code", WORDS)
def test_a_link_opens_the_playground_in_its_language_and_keeps_it(visit, code):
    person = visit(lang=code)
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
