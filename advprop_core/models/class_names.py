"""Which class a word means: that of a folder, a label, an option or another network.

Names are compared exactly first, but for Unicode's two spellings of one letter: é is é, whether it
is stored as one character (NFC) or as e and an accent (NFD, as in a Mac's archives). Only a word
that is no class exactly is compared without case and with underscores for spaces, and only where
that leaves a single class: ``A`` and ``a`` are two classes. Loads no torch.
"""

import csv
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from advprop_core.text import legible
from advprop_core.types import ModelInfo

Classes = Sequence[tuple[str, str]]
"""(id, name) of each class, in class-index order."""
UNKNOWN = "unknown"
"""What a person writes where the true class is not known, unless a class is named so."""


def exact(name: str) -> str:
    """A name as it is compared: with composed letters, and always legible."""
    return unicodedata.normalize("NFC", legible(name))


def find_class(classes: Classes, word: str) -> int | None:
    """The index of the class that an id, a name or an index means, tried in this order.

    None where the word means no class or several: ImageNet has two cranes, and neither is found by
    its name.
    """
    return match_classes(classes, [word]).get(word)


def match_classes(classes: Classes, words: Iterable[str]) -> dict[str, int]:
    """Class index by word, for those of a data set's words that are classes.

    Of the folders ``cat`` and ``Cat``, only the first is the class ``cat``. Where no word is an id
    or a name, and all are numbers below the number of classes, they are class indices.
    """
    words, pairs = tuple(words), tuple(classes)
    by_exact, by_folded = _index(pairs, exact), _index(pairs, _folded)
    matched = {word: by_exact[exact(word)] for word in words if exact(word) in by_exact}
    taken = set(matched.values())
    similar = {
        word: by_folded[_folded(word)]
        for word in words
        if word not in matched and _folded(word) in by_folded
    }
    count = Counter(similar.values())
    for word, index in similar.items():
        if index not in taken and count[index] == 1:
            matched[word] = index
    return matched if matched or similar else _as_indices(words, len(classes))


def are_indices(classes: Classes, words: Iterable[str]) -> bool:
    """Whether a data set's words are class indices, and not ids or names."""
    words = tuple(words)
    matched = match_classes(classes, words)
    named = _index(tuple(classes), exact)
    return (
        bool(matched)
        and not any(exact(word) in named for word in words)
        and (matched == _as_indices(words, len(classes)))
    )


def are_the_same(some: Classes, others: Classes) -> bool:
    """Whether each class of one network is one of the other's: they share an id or a name."""
    by_exact, by_folded = (_index(tuple(others), form) for form in (exact, _folded))
    return len(some) == len(others) and all(
        any(exact(word) in by_exact or _folded(word) in by_folded for word in pair) for pair in some
    )


def distinct_names(classes: Classes) -> dict[str, str]:
    """Id to what a person reads: the name, and the id as well where others share the name."""
    count = Counter(name for _, name in classes)
    return {
        identity: name if count[name] == 1 else f"{name} ({identity})" for identity, name in classes
    }


def _folded(name: str) -> str:
    """A name without case, and with underscores for spaces."""
    return exact(exact(name).strip().casefold()).replace(" ", "_")


@lru_cache(maxsize=16)  # a thousand names take milliseconds, and a page asks at every click
def _index(classes: tuple[tuple[str, str], ...], form: Callable[[str], str]) -> Mapping[str, int]:
    """Class index by id, else by name, in a form; without what several classes share."""
    ids = _unambiguous(form(identity) for identity, _ in classes)
    names = _unambiguous(form(name) for _, name in classes)
    return names | ids  # where one class has the id that is another's name, the id counts


def _unambiguous(names: Iterable[str]) -> dict[str, int]:
    """Index by name, for the names that occur once."""
    names = tuple(names)
    count = Counter(names)
    return {name: index for index, name in enumerate(names) if count[name] == 1}


def _as_indices(words: Sequence[str], class_count: int) -> dict[str, int]:
    """Class index by word, where all words are different numbers below the number of classes."""
    digits = len(str(class_count))
    if not all(word.isascii() and word.isdecimal() and len(word) <= digits for word in words):
        return {}
    indices = {word: int(word) for word in words}
    distinct = len(set(indices.values())) == len(indices)
    return indices if distinct and max(indices.values(), default=0) < class_count else {}


def class_json(info: ModelInfo, index: int | None) -> dict[str, Any] | None:
    """Index, id and name of a class, as plain values; None for none."""
    if index is None:
        return None
    return {"index": index, "id": info.class_ids[index], "name": info.class_names[index]}


@cache
def imagenet_classes() -> tuple[tuple[str, str], ...]:
    """(wnid, first name) of each class, in class-index order."""
    # What timm's ImageNetInfo reads; importing timm would load torch, and pages list classes first.
    timm = find_spec("timm")
    assert timm is not None
    assert timm.origin is not None
    folder = Path(timm.origin).parent / "data" / "_info"
    wnids = (folder / "imagenet_synsets.txt").read_text("utf-8").split()
    with (folder / "imagenet_synset_to_lemma.txt").open(encoding="utf-8", newline="") as file:
        names = dict(csv.reader(file, delimiter="\t"))
    return tuple((wnid, names[wnid].split(",")[0]) for wnid in wnids)


def with_wnids(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(id, name) of classes; where all are wnids, as in names of folders, readable names."""
    readable = dict(imagenet_classes())
    if not all(name in readable for name in names):
        readable = {}
    return tuple((name, readable.get(name, name)) for name in names)
