"""Sentences of files and pages: English here, in the reader's language on a page.

The library writes English, and so do files. Where a page shows its sentences, the app says once, by
:func:`read_from`, which catalogue the person who looks at it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from gettext import NullTranslations

_ENGLISH = NullTranslations()
_in_english: ContextVar[bool] = ContextVar("in_english", default=False)
_of_reader: Callable[[], NullTranslations] = NullTranslations


def read_from(of_reader: Callable[[], NullTranslations]) -> None:
    """From now on sentences come from the catalogue that ``of_reader`` gives at each of them."""
    global _of_reader
    _of_reader = of_reader


def catalogue() -> NullTranslations:
    """That of whoever reads this now."""
    return _ENGLISH if _in_english.get() else _of_reader()


@contextmanager
def english() -> Iterator[None]:
    """Around what goes into a file or a link: others read it."""
    token = _in_english.set(True)
    try:
        yield
    finally:
        _in_english.reset(token)


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


def read(catalogue: NullTranslations, sentence: str) -> str:
    """The sentence by this catalogue; English where it has none."""
    if isinstance(sentence, Sentence) and sentence.values:
        values = {
            name: read(catalogue, value) if isinstance(value, Sentence) else value
            for name, value in sentence.values.items()
        }
        return read(catalogue, sentence.template).format(**values)
    # The translation of "" is the header of a catalogue.
    return catalogue.gettext(sentence) if sentence else ""


def _(sentence: str, /, **values: object) -> str:
    """The sentence as the person reads it, with its values; English where no catalogue has it."""
    text = read(catalogue(), sentence)
    return text.format(**values) if values else text


def ngettext(one: str, many: str, number: int) -> str:
    """The sentence for one, or for many."""
    return catalogue().ngettext(one, many, number)


def N_(sentence: str) -> str:
    """Marks a constant for the catalogues; ``_`` translates it where it is shown."""
    return sentence


def join(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return _("{words} and {last}", words=row(words[:-1]), last=words[-1])


def row(words: Sequence[str]) -> str:
    """``a, b, c``."""
    return reduce(lambda before, word: _("{row}, {word}", row=before, word=word), words)


def paragraph(sentences: Iterable[str]) -> str:
    """Sentences one after another, but for empty ones; nothing for none."""
    return reduce(
        lambda first, next: _("{sentence} {next}", sentence=first, next=next) if first else next,
        filter(None, sentences),
        "",
    )
