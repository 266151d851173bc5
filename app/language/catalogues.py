"""Keeps the catalogues level with the code: ``make translations``.

A sentence that is new in the code is added without a translation, which the tests refuse. One that
is no longer there is removed.
"""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from advprop_core.attribution.methods import METHODS
from advprop_core.datasets.texture_shapes.scenes import TEXTURES
from advprop_core.evaluation import studies
from advprop_core.pictures.corruptions import ALL_CORRUPTIONS
from advprop_core.pictures.probes import PROBES
from advprop_core.types import ORIGINS
from app.language.text import LANGUAGES, LOCALE

_REPO = LOCALE.parent.parent
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "ngettext": (1, 2),
    "counted": (1, 2),
    "Sentence": None,
}
_LIBRARY = "advprop_core"
_HEADER = """# The app in another language; CONTRIBUTING.md says how to translate.
msgid ""
msgstr ""
"Language: {code}\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def in_code() -> Catalog:
    """Every sentence that pages translate, in English."""
    catalogue = Catalog(charset="utf-8")
    ours = [*sorted((_REPO / "app").rglob("*.py")), *sorted((_REPO / _LIBRARY).rglob("*.py"))]
    for file in (_REPO / "streamlit_app.py", *ours):
        for _line, message, *_ in extract_from_file("python", file, keywords=_KEYWORDS):
            catalogue.add(message, locations=[(file.relative_to(_REPO).as_posix(), 0)])
    for sentence in _of_library():  # tables of its own, and names that are values as well
        catalogue.add(sentence, locations=[(_LIBRARY, 0)])
    return catalogue


def translated(code: str) -> Catalog:
    """The catalogue of a language as its file has it."""
    with path(code).open("rb") as file:
        return read_po(file, locale=code)


def path(code: str) -> Path:
    """The file of a language."""
    return LOCALE / code / "LC_MESSAGES" / "messages.po"


def _of_library() -> Iterator[str]:
    yield from TEXTURES
    for method in METHODS.values():
        yield method.title
        yield method.sentence
    for origin in ORIGINS.values():
        yield origin.sentence
    yield from (kind.replace("_", " ") for kind in ALL_CORRUPTIONS)
    yield from PROBES
    yield from chain(*map(_of_study, sorted((_REPO / "assets" / "results").glob("*.json"))))


def _of_study(path: Path) -> Iterator[str]:
    """What a study that comes with the app says, but for its runs, which have names."""
    content = json.loads(path.read_text())
    if content.get("kind") != studies.KIND:
        return
    yield content["title"]
    yield content["about"]
    yield from (question["title"] for question in content["questions"])
    yield from content["measures"].values()


def write(code: str, catalogue: Catalog) -> None:
    """Write the file of a language, without a header that names dates and people."""
    with path(code).open("wb") as file:
        file.write(_HEADER.format(code=code).encode())
        write_po(file, catalogue, width=100, include_lineno=False, omit_header=True)


def main() -> None:
    """Bring every catalogue up to date."""
    sentences = in_code()
    for code in LANGUAGES:
        if code != "en":
            catalogue = translated(code)
            catalogue.update(sentences, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            write(code, catalogue)


if __name__ == "__main__":
    main()
