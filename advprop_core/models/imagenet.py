"""The 1000 classes of ImageNet-1k; loads no torch."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path


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
