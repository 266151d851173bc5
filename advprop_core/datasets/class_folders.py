"""Class folders on disk: the images in each, and the class of a network that each is.

A data set may have them in folders of its splits. Loads no torch.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import TypeVar

from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes, exact, match_classes
from advprop_core.pictures.files import (
    HIDDEN,
    describe_left_out,
    is_hidden,
    is_picture,
    list_pictures,
)
from advprop_core.pictures.formats import EXTENSIONS
from advprop_core.text import listing

_Sample = TypeVar("_Sample")

EMPTY = "folder without a picture"
LOOSE = "picture outside the class folders"
SPLITS = frozenset({"train", "val", "test"})


class ClassMismatch(InputError):
    """Class folders that are not the classes of the network."""


@dataclass(frozen=True)
class ClassFolders:
    """The images of a data set by class folder.

    Attributes:
        images: Sorted paths by the name of the class folder.
        left_out: Why each other file or folder is passed over.
        root: The folder with the class folders.
        without_images: Names of class folders that hold no image.
    """

    images: Mapping[str, Sequence[Path]]
    left_out: Mapping[Path, str] = field(default_factory=dict)
    root: Path = Path()
    without_images: Sequence[str] = ()

    def describe_left_out(self) -> str | None:
        """What is passed over, in a sentence, or None."""
        return describe_left_out(self.left_out, self.root)

    def require_complete(self) -> None:
        """Refuses, with an InputError, folders with a file passed over that is no system's own."""
        refused = {
            path: reason for path, reason in self.left_out.items() if reason not in (HIDDEN, EMPTY)
        }
        if sentence := describe_left_out(refused, self.root):
            raise InputError(f"{self.root}: {sentence}. Convert or remove them.")


def find_images(root: Path) -> ClassFolders:
    """The images in each class folder, at any depth, by sorted folder name.

    Folders may be links, to anywhere: whoever names a data folder has chosen what is in it. Files
    beside the class folders that are no pictures belong to no class and are not counted.

    Raises:
        InputError: `root` is no folder or holds no class folder with an image.
    """
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise InputError(f"The data folder {root} {what}: give a folder with class folders.")
    images: dict[str, list[Path]] = {}
    left_out: dict[Path, str] = {}
    for path in sorted(root.iterdir()):
        if is_hidden(path.name):
            left_out[path] = HIDDEN
        elif path.is_dir():
            pictures, passed_over = list_pictures(path)
            left_out |= passed_over or ({} if pictures else {path: EMPTY})
            # A word in both of Unicode's spellings is one class.
            images.setdefault(exact(path.name), []).extend(pictures)
        elif is_picture(path.name):
            left_out[path] = LOOSE
    without_images = sorted(name for name, pictures in images.items() if not pictures)
    images = {name: sorted(images[name]) for name in sorted(images) if images[name]}
    if images:
        return ClassFolders(images, left_out, root, without_images)
    if LOOSE in left_out.values():
        raise InputError(
            f"The images in {root} have no class folders: sort them into {root}/CLASS/IMAGE."
        )
    seen = describe_left_out(left_out, root)
    raise InputError(
        f"The data folder {root} holds no image: looked for {root}/CLASS/… with the endings "
        f"{' '.join(sorted(EXTENSIONS))}" + (f"; {seen}." if seen else ".")
    )


def match_folders(
    folders: Iterable[str], classes: Classes, *, strict: bool = False
) -> dict[str, int]:
    """Label by class folder, for the folders that are a network's classes.

    Raises:
        ClassMismatch: No folder is one of `classes`, or with `strict` one is not.
    """
    folders = tuple(folders)
    matched = match_classes(classes, folders)
    labels = {folder: matched[folder] for folder in folders if folder in matched}
    unknown = [folder for folder in folders if folder not in labels]
    expected = [f"{class_id} ({name})" for class_id, name in classes]
    if not labels:
        raise ClassMismatch(
            f"No class folder is a class of the checkpoint. Folders: {listing(unknown)}. "
            f"The checkpoint's classes: {listing(expected)}. Name each folder by an id or a name."
        )
    if unknown and strict:
        raise ClassMismatch(
            f"These class folders are none of the classes: {listing(unknown)}. The network's "
            f"classes: {listing(expected)}. Remove or rename the folders."
        )
    return labels


def draw_evenly(classes: Sequence[Sequence[_Sample]], limit: int | None) -> tuple[_Sample, ...]:
    """At most `limit` samples, drawn from the classes in turn, in their original order.

    Where there are more classes than that, from classes that lie evenly among them: the first
    ones of ImageNet would all be fishes and birds.
    """
    everything = list(chain.from_iterable(classes))
    if limit is None or limit >= len(everything):
        return tuple(everything)
    if limit < len(classes):
        classes = [classes[index * len(classes) // limit] for index in range(limit)]
    in_turn = (sample for turn in zip_longest(*classes) for sample in turn if sample is not None)
    drawn = set(islice(in_turn, limit))
    return tuple(sample for sample in everything if sample in drawn)


def split_folder(folder: Path, split: str) -> Path:
    """The folder of ``train`` or ``val``, where every folder inside is called like a split.

    Otherwise it is the folder itself. ``test`` is taken where there is no ``val``.
    """
    entries = folder.iterdir() if folder.is_dir() else ()
    inside = {entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name)}
    if not inside or not inside <= SPLITS:
        return folder
    names = (split, "test") if split == "val" else (split,)
    return next((folder / name for name in names if name in inside), folder)


def class_folder(folder: Path, name: str) -> str:
    """What the folder of a file's class is called: the outermost one, or that in a split.

    The file's name is its path in a folder of class folders, of splits, or of one class alone.
    """
    *folders, _ = Path(os.path.normpath(name)).parts
    if folders and folders[0] in SPLITS and split_folder(folder, folders[0]) != folder:
        folders = folders[1:]
    return folders[0] if folders else folder.resolve().name
