"""ImageNet and the sets that share its classes: -A, -R, -Sketch, Stylized, -C and Tiny ImageNet.

All of them are class folders named by WordNet ids (wnids), as their archives unpack, but for the
``val`` of Tiny ImageNet, which has 200 classes at 64 pixels: ``train/WNID/images/IMAGE``,
``val/images/IMAGE`` with ``val/val_annotations.txt``, ``wnids.txt`` with the classes and
``words.txt`` with the names of these and many more.
"""

import re
from dataclasses import replace
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
_ANNOTATIONS = Path("val", "val_annotations.txt")
_BOXES = "_boxes.txt"


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


def is_tiny_imagenet(folder: Path) -> bool:
    """Whether the files that only this set has are there."""
    return (folder / "wnids.txt").is_file() and (folder / _ANNOTATIONS).is_file()


def tiny_class_images(folder: Path, split: str) -> ClassFolders:
    """The images of each class of ``train`` or ``val``, by wnid.

    Raises:
        InputError: If a file is missing, a line of the annotations cannot be read, or there is
            a class that ``wnids.txt`` does not list.
    """
    if not is_tiny_imagenet(folder):
        raise InputError(
            f"tiny-imagenet has wnids.txt and {_ANNOTATIONS.as_posix()}, and {folder} lacks at "
            "least one of them: give the folder that the archive unpacks to, tiny-imagenet-200"
        )
    wnids = (folder / "wnids.txt").read_text(encoding="utf-8").split()
    if split == "train":
        folders = find_images(folder / "train")
        left_out = folders.left_out.items()  # the texts with bounding boxes belong to the set
        unexpected = {path: why for path, why in left_out if not path.name.endswith(_BOXES)}
        folders = replace(folders, left_out=unexpected, root=folder)
    else:
        folders = _annotated(folder)
    if strangers := sorted(set(folders.images) - set(wnids)):
        raise InputError(
            f"{folder} has images of classes that its wnids.txt does not list: {listing(strangers)}"
        )
    return folders


def tiny_class_names(folder: Path) -> dict[str, str]:
    """The first name of each class by wnid, as ``words.txt`` has it; empty without that file."""
    words = folder / "words.txt"
    if not words.is_file():
        return {}
    lines = (line.split("\t", 1) for line in words.read_text(encoding="utf-8").splitlines())
    return {line[0]: line[1].split(",")[0].strip() for line in lines if len(line) == 2}


def _annotated(folder: Path) -> ClassFolders:
    """The validation images that the annotations name, by class."""
    images: dict[str, list[Path]] = {}
    text = (folder / _ANNOTATIONS).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        columns = line.split("\t")
        if len(columns) < 2:
            raise InputError(
                f"{folder / _ANNOTATIONS}, line {number}, must be an image, a tab and a wnid, got "
                f"{line!r}: unpack the archive again"
            )
        images.setdefault(columns[1], []).append(folder / "val" / "images" / columns[0])
    if not images:
        raise InputError(f"{folder / _ANNOTATIONS} names no image: unpack the archive again")
    return ClassFolders({wnid: sorted(images[wnid]) for wnid in sorted(images)}, root=folder)
