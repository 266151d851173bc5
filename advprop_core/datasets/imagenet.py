"""ImageNet and the sets that share its classes: -A, -R, -Sketch, Stylized; and ImageNet-C's files.

All of them are class folders named by WordNet ids (wnids), as their archives unpack.
"""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from advprop_core.datasets.class_folders import ClassFolders, find_images
from advprop_core.errors import InputError
from advprop_core.pictures.corruptions import ALL_CORRUPTIONS, SEVERITIES
from advprop_core.text import listing

SUBSETS = ("imagenet-a", "imagenet-r")
"""Sets of 200 of the classes; their articles let networks answer among these alone."""

_GROUPS = ("noise", "blur", "weather", "digital", "extra")  # archives of ImageNet-C
_WNID = re.compile(r"n\d{8}")


@cache
def wnids_of(kind: str) -> tuple[str, ...]:
    """The wnids of a set's classes: 200 of ImageNet-A and -R, 1000 of the others.

    ImageNet-A is of Hendrycks et al., arXiv 1907.07174, -R of arXiv 2006.16241.
    """
    name = kind.replace("-", "_") if kind in SUBSETS else "imagenet"
    text = files("timm.data").joinpath("_info", f"{name}_synsets.txt").read_text()
    return tuple(text.split())


def subset_in(folder: Path) -> str | None:
    """The set of 200 classes whose class folders these are exactly, if any."""
    wnids = wnid_folders(folder)
    return next((kind for kind in SUBSETS if wnids == set(wnids_of(kind))), None)


def wnid_folders(folder: Path) -> set[str]:
    """The names of the folders inside that are wnids."""
    entries = folder.iterdir()
    return {entry.name for entry in entries if _WNID.fullmatch(entry.name) and entry.is_dir()}


def class_images(kind: str, folder: Path, split: str = "val") -> ClassFolders:
    """The images of each class of a set, whose folders lie in the folder or in that of a split.

    Raises:
        InputError: If there is no image, or a class folder that the set does not have.
    """
    parted = folder.is_dir() and not wnid_folders(folder) and (folder / split).is_dir()
    folders = find_images(folder / split if parted else folder)
    wnids = wnids_of(kind)
    if strangers := [name for name in folders.images if name not in wnids]:
        raise InputError(
            f"{kind} has class folders named by its {len(wnids)} wnids, such as "
            f"{', '.join(wnids[:3])}, but {folder} has {listing(strangers)}: name the layout that "
            "this folder has, or give the folder alone"
        )
    return folders


def corruption_folders(folder: Path) -> dict[tuple[str, int], Path]:
    """The folders of ImageNet-C by kind and severity, in the article's order.

    They are ``KIND/SEVERITY``, or these in the archives' folders (``noise``, ``blur`` …).
    """
    return {
        (kind, severity): parent / kind / str(severity)
        for kind in ALL_CORRUPTIONS
        for parent in (folder, *(folder / group for group in _GROUPS))
        for severity in SEVERITIES
        if (parent / kind / str(severity)).is_dir()
    }
