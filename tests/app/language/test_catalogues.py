"""Each other language has every sentence of the code, and no more."""

import re

import pytest

from app.language.catalogues import in_code, translated
from app.language.text import LANGUAGES

SAME = {"Grad-CAM", "Grad-CAM++", "LayerCAM", "HiResCAM", "Eigen-CAM", "CAM", "Score-CAM"}
SAME |= {"Guided Grad-CAM", "SmoothGrad", "VarGrad", "GradientSHAP", "DeepLIFT", "RISE"}
SAME |= {"**{name}**, {size:.1f} MB", "“{title}”"}


def both(text):
    """The forms of a sentence."""
    return (text,) if isinstance(text, str) else tuple(text)


def placeholders(text):
    return set(re.findall(r"\{[^}]*\}", text))


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_sentence_is_missing_or_left_over(code):
    wanted, catalogue = in_code(), translated(code)
    english = {message.id for message in wanted if message.id}
    assert {message.id for message in catalogue if message.id} == english, "make translations"
    assert not catalogue.obsolete
    for message in (message for message in catalogue if message.id):
        assert not message.fuzzy, message.id
        assert all(both(message.string)), message.id
        values = placeholders(both(message.id)[-1])
        assert {*map(frozenset, map(placeholders, both(message.string)))} == {frozenset(values)}
        if message.id not in SAME:
            assert both(message.string)[0] != both(message.id)[0], "still English"
