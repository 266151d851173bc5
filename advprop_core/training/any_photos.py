"""Photos as they lie in a folder, for what needs no labels: no train/, no val/, no classes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from advprop_core.datasets.class_folders import ClassFolders, find_images
from advprop_core.datasets.named import BUILTIN
from advprop_core.errors import InputError
from advprop_core.pictures.files import list_pictures

Sample = tuple[Path, int]
"""A photo's file and its label."""
MEASURED = 200
"""Photos that a run attacks at its end: PGD-10 on a network of 224 pixels takes a second each."""
_ONE_IN = 10  # is measured


def find_any_photos(root: Path) -> ClassFolders:
    """All pictures of a folder, at any depth; its folders are classes if they hold all of them.

    Raises:
        InputError: If there is no such folder, or no picture in it.
    """
    if not root.is_dir():
        there = "is a file" if root.exists() else "does not exist"
        raise InputError(
            f"the folder {root} {there}: data must be a folder with photos, or one of "
            f"{', '.join(BUILTIN)}"
        )
    pictures, left_out = list_pictures(root)
    if not pictures:
        raise InputError(f"there is no photo in {root}")
    if any(picture.parent == root for picture in pictures):
        return ClassFolders({"photos": pictures}, left_out, root)
    return find_images(root)


def draw_measured(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """One photo in ten, at least one and at most :data:`MEASURED`, by a hash of its name."""
    by_hash = sorted(samples, key=lambda sample: hashed(f"measured/{sample[0].name}"))
    return tuple(by_hash[: min(MEASURED, max(1, len(samples) // _ONE_IN))])


def hashed(name: str) -> int:
    """A number that depends on the name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16)
