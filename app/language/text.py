"""Sentences in the language of the person who reads them.

English is the text in the code and the key of every catalogue in ``app/locale``. Whose run of the
page it is decides the language; what workers and downloads write is English.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from advprop_core import language
from advprop_core.language import N_, Sentence, _, english, join, ngettext, paragraph, row

__all__ = [
    "LANGUAGES", "LOCALE", "N_", "SESSION", "Sentence", "_", "counted", "current", "english",
    "join", "listing", "ngettext", "paragraph", "reader", "row", "titled",
]  # fmt: skip
LANGUAGES = {"en": "English", "zh": "中文", "ja": "日本語"}
"""Code, as in links, to the language's own name."""
SESSION = "language"
"""Where the session holds the code."""
LOCALE = Path(__file__).parent.parent / "locale"


def current() -> str:
    """The code of the language of this run."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    return str(st.session_state.get(SESSION, "en"))


def counted(one: str, many: str) -> tuple[str, str]:
    """Marks both forms of a constant for the catalogues; ``ngettext`` translates them."""
    return one, many


def reader() -> Callable[[str], str]:
    """``_`` for the language of this run, also where it is called later, as by a widget."""
    return partial(language.read, language.catalogue())


def titled(titles: Mapping[str, str]) -> Callable[[str], str]:
    """What a widget shows for each key of a table of titles."""
    read = reader()
    return lambda key: read(titles[key])


def listing(names: Sequence[str], most: int = 10) -> str:
    """The first names, and how many more there are: ``a, b and 3 more``."""
    first, more = row(names[:most]), len(names) - most
    return _("{names} and {count} more", names=first, count=more) if more > 0 else first


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


language.read_from(lambda: _catalogue(current()))
