"""Which class a word means: that of a folder, a label or another network; loads no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence


def plain(name: str) -> str:
    """As names are compared: without case, and with underscores for spaces."""
    return name.strip().casefold().replace(" ", "_")


def classes_by_name(classes: Sequence[tuple[str, str]]) -> Mapping[str, int]:
    """Class index by plain id, and by plain name where no other class shares it.

    ImageNet has two cranes: neither is found by its name.

    Args:
        classes: (id, name) of each class, in class-index order.
    """
    count = Counter(plain(name) for _, name in classes)
    names = {
        plain(name): index for index, (_, name) in enumerate(classes) if count[plain(name)] == 1
    }
    return names | {plain(identity): index for index, (identity, _) in enumerate(classes)}


def distinct_names(classes: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Id to what a person reads: the name, and the id as well where others share the name."""
    count = Counter(name for _, name in classes)
    return {
        identity: name if count[name] == 1 else f"{name} ({identity})" for identity, name in classes
    }
