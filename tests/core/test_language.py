"""Sentences of the library are read in a person's language, and written in English."""

from gettext import NullTranslations

from advprop_core import language
from advprop_core.report.words import columns, describe

FRENCH = {"clean": "intacte", "{words} and {last}": "{words} et {last}"}
CLEAN = {"model": "small", "branch": "main", "condition": {"kind": "clean"}, "n": 3}


class French(NullTranslations):
    def gettext(self, message):
        return FRENCH.get(message, message)


def test_a_page_reads_another_language_and_files_stay_english(monkeypatch):
    monkeypatch.setattr(language, "_of_reader", language._of_reader)  # and as it was afterwards
    language.read_from(French)
    assert describe(CLEAN) == "intacte"
    assert language.join(["a", "b", "c"]) == "a, b et c"
    assert columns(CLEAN)["condition"] == "clean", "what a CSV says"
    with language.english():
        assert describe(CLEAN) == "clean"
        assert language.join(["a", "b", "c"]) == "a, b and c"
