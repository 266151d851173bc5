"""Tiny ImageNet: 200 classes at 64 pixels, with a ``val`` that has no class folders.

``train/WNID/images/IMAGE``, ``val/images/IMAGE`` with ``val/val_annotations.txt``, ``wnids.txt``
with the classes and ``words.txt`` with the names of these and many more.
"""

from dataclasses import replace
from pathlib import Path

from advprop_core.datasets.class_folders import ClassFolders, find_images
from advprop_core.errors import InputError
from advprop_core.text import listing

_ANNOTATIONS = Path("val", "val_annotations.txt")
_BOXES = "_boxes.txt"


def is_tiny_imagenet(folder: Path) -> bool:
    """Whether the files that only this set has are there."""
    return (folder / "wnids.txt").is_file() and (folder / _ANNOTATIONS).is_file()


def class_images(folder: Path, split: str) -> ClassFolders:
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


def class_names(folder: Path) -> dict[str, str]:
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
