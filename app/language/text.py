"""Sentences in the language of the person who reads them.

English is the text in the code and the key of every catalogue in ``app/locale``. Whose run of the
page it is decides the language; what workers and downloads write is English.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, reduce
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

LANGUAGES = {"en": "English", "zh": "中文", "ja": "日本語"}
"""Code, as in links, to the language's own name."""
SESSION = "language"
"""Where the session holds the code."""
LOCALE = Path(__file__).parent.parent / "locale"
_in_english: ContextVar[bool] = ContextVar("in_english", default=False)


def current() -> str:
    """The code of the language of this run."""
    if _in_english.get() or get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    return str(st.session_state.get(SESSION, "en"))


class Sentence(str):
    """An English sentence with its values put in, which ``_`` can still translate.

    What workers make and what files hold is English. This is that text for them; a page that shows
    it reads it in its own language. A value that is a sentence is translated, too.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Sentence:
        """``template`` as it is in the catalogues, and what stands for each ``{value}`` in it."""
        sentence = super().__new__(cls, template.format(**values) if values else template)
        sentence.template, sentence.values = template, values
        return sentence


@contextmanager
def english() -> Iterator[None]:
    """Around what goes into a file: others read it."""
    token = _in_english.set(True)
    try:
        yield
    finally:
        _in_english.reset(token)


def _(sentence: str) -> str:
    """The sentence as the person reads it; English where its catalogue has none."""
    return reader()(sentence)


def ngettext(one: str, many: str, number: int) -> str:
    """The sentence for one, or for many."""
    return _catalogue(current()).ngettext(one, many, number)


def N_(sentence: str) -> str:
    """Marks a constant for the catalogues; ``_`` translates it where it is shown."""
    return sentence


def counted(one: str, many: str) -> tuple[str, str]:
    """Marks both forms of a constant for the catalogues; ``ngettext`` translates them."""
    return one, many


def reader() -> Callable[[str], str]:
    """``_`` for the language of this run, also where it is called later, as by a widget."""
    catalogue = _catalogue(current())

    def read(sentence: str) -> str:
        if isinstance(sentence, Sentence) and sentence.values:
            values = {
                name: read(value) if isinstance(value, Sentence) else value
                for name, value in sentence.values.items()
            }
            return read(sentence.template).format(**values)
        # The translation of "" is the header of a catalogue.
        return catalogue.gettext(sentence) if sentence else ""

    return read


def titled(titles: Mapping[str, str]) -> Callable[[str], str]:
    """What a widget shows for each key of a table of titles."""
    read = reader()
    return lambda key: read(titles[key])


def join(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return _("{words} and {last}").format(words=_row(words[:-1]), last=words[-1])


def listing(names: Sequence[str], most: int = 10) -> str:
    """The first names, and how many more there are: ``a, b and 3 more``."""
    first, more = _row(names[:most]), len(names) - most
    return _("{names} and {count} more").format(names=first, count=more) if more > 0 else first


def paragraph(sentences: Sequence[str]) -> str:
    """Sentences one after another."""
    return reduce(
        lambda first, next: _("{sentence} {next}").format(sentence=first, next=next), sentences
    )


def _row(words: Sequence[str]) -> str:
    return reduce(lambda row, word: _("{row}, {word}").format(row=row, word=word), words)


@cache
def _catalogue(code: str) -> NullTranslations:
    """The catalogue of a language. It is compiled here: one file for each language is enough."""
    if code == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo  # here: English does not need it
    from babel.messages.pofile import read_po

    with (LOCALE / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
