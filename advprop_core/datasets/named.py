"""Data sets by the name a person gives on the command line."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import torch
from PIL import Image

from advprop_core.datasets import imagenet
from advprop_core.datasets.cifar import draw_rows
from advprop_core.datasets.class_folders import match_folders
from advprop_core.datasets.layouts import CORRUPTED, TITLES, Place, find_place, images_of
from advprop_core.datasets.listed import ImageList, Images, list_folder
from advprop_core.datasets.texture_shapes.scenes import (
    AGREEMENT,
    SEEDS,
    SHAPES,
    Scene,
    draw_classes,
    draw_scene,
)
from advprop_core.datasets.torchvision_sets import ArraySet, open_arrays
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes, are_indices
from advprop_core.text import listing

SCENES = {"train": 12_000, "val": 2_000}
"""How many scenes each split of a built-in set has; its classes take turns."""

BUILTIN = tuple(AGREEMENT)


def load_images(
    name: str,
    size: int,
    *,
    split: str = "val",
    classes: Classes | None = None,
    limit: int | None = None,
    strict: bool = False,
    download: bool = False,
    alone: bool = False,
) -> Images:
    """Read what :func:`list_images` lists, at a side in pixels.

    ``strict`` also refuses an image that cannot be read. ``alone`` says that no other process reads
    them, and needs memory for that.

    Raises:
        InputError: Also if the memory does not hold the images.
    """
    images = list_images(
        name, split=split, classes=classes, limit=limit, strict=strict, download=download
    )
    return images.load(size, strict=strict, alone=alone)


def list_images(
    name: str,
    *,
    split: str = "train",
    classes: Classes | None = None,
    limit: int | None = None,
    strict: bool = False,
    download: bool = False,
) -> ImageList:
    """List a built-in data set, a folder of class folders, or a published set's layout.

    Args:
        name: ``shapes``, ``shapes-conflict``, a folder, or ``KIND:DIR`` as `layouts` knows it.
        split: ``train`` or ``val``; class folders without splits are listed as they are.
        classes: The (id, name) pairs that labels count, such as a model's, which class folders must
            match; by default those of the set itself, and then each of its class folders must hold
            an image.
        limit: At most this many images, spread evenly over the classes.
        strict: As for :func:`~.listed.list_folder`.
        download: Fetch Imagenette, or a set in arrays such as CIFAR-10, where it is missing.

    Raises:
        ClassMismatch: If no class folder is one of the classes.
        Offline: If the set cannot be fetched.
        InputError: If the name is none of these, the limit is below 1, the folder holds no image
            or has another layout, or a class holds none.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, got {limit}")
    if name in BUILTIN:
        _require_shapes(name, classes)
        return _scenes(name, split, limit)
    location = require_place(name)
    if location.is_arrays:
        return _arrays(name, location, split, classes, limit, strict=strict, download=download)
    folders = images_of(location, split, download=download)
    if classes is None and folders.without_images:
        raise InputError(
            f"{name} has class folders with no image in them: {listing(folders.without_images)}; "
            "fill or remove them"
        )
    images = list_folder(folders, classes=classes, strict=strict, limit=limit)
    among = _among(location, classes)
    notes = _notes(location, folders.images, classes, among)
    if images.left_out:
        notes.append(images.left_out)
    return replace(images, name=name, among=among, notes=tuple(notes))


def require_place(name: str) -> Place:
    """Where a set lies that is no built-in one.

    Raises:
        InputError: If there is no such set, or it holds corruptions of another's images.
    """
    folder = find_place(name)
    if folder is None:
        raise InputError(
            f"data must be a folder or one of {', '.join(BUILTIN)}: there is no folder {name!r}; "
            f"KIND:DIR reads a published set, KIND being one of {', '.join(TITLES)}"
        )
    if folder.kind in CORRUPTED:
        raise InputError(
            f"{name} holds corruptions of {folder.title}'s images: only `advprop evaluate` "
            "measures these"
        )
    return folder


def among_own_classes(images: Images) -> Images:
    """The images, for a model that may answer only with classes that some of them have."""
    among = tuple(sorted(set(images.labels.tolist())))
    if images.among is not None or len(among) == len(images.classes):
        return images
    note = (
        f"answers are among the {len(among)} classes of the data, not among the model's "
        f"{len(images.classes)}: chance is higher"
    )
    return replace(images, among=among, notes=(*images.notes, note))


def _among(place: Place, classes: Classes | None) -> tuple[int, ...] | None:
    """The model's classes that a set of 200 has, where it has others too."""
    if classes is None or place.kind not in imagenet.SUBSETS:
        return None
    label_of = match_folders(imagenet.wnids_of(place.kind), classes)
    return None if len(label_of) == len(classes) else tuple(sorted(label_of.values()))


def _notes(
    location: Place, folders: Iterable[str], classes: Classes | None, among: tuple[int, ...] | None
) -> list[str]:
    """How the set was read, and what of the model it asks for."""
    notes = [note] if (note := location.note()) else []
    if classes is None:
        return notes
    if location.kind is not None:
        count = len(set(match_folders(folders, classes).values()))
        if count < len(classes):
            notes.append(
                f"{location.title}: images of {count} of the model's {len(classes)} classes"
            )
    if among:
        shared = "its 200 classes" if len(among) == 200 else f"{len(among)} of its 200 classes"
        notes.append(
            f"{location.title}: answers are among {shared}, as in its article, not among the "
            f"model's {len(classes)}: chance is higher"
        )
    if are_indices(classes, folders):
        notes.append("the class folders are named by numbers: taken as the model's class indices")
    return notes


def _arrays(
    name: str,
    place: Place,
    split: str,
    classes: Classes | None,
    limit: int | None,
    *,
    strict: bool,
    download: bool,
) -> ImageList:
    """A set whose images lie in arrays, as its archive unpacks."""
    assert place.kind is not None
    arrays = open_arrays(place.kind, place.folder, split, download=download)
    pairs = classes or [(class_name, class_name) for class_name in arrays.names]
    rows, labels, ignored = draw_rows(arrays.names, arrays.labels, pairs, limit, strict=strict)
    return ImageList(
        name,
        tuple(pairs),
        labels,
        rows.tolist(),
        partial(_open_row, arrays),
        noun=split,
        rows_of=f"{place.kind} {split}",
        ignored_classes=ignored,
        notes=tuple(_notes(place, arrays.names, classes, None)),
    )


def _open_row(arrays: ArraySet, row: int, _shorter_side: int | None) -> Image.Image:
    return Image.fromarray(arrays.images[row])


def load_scenes(name: str, count: int, size: int, *, classes: Classes | None = None) -> list[Scene]:
    """The first scenes of ``shapes`` or ``shapes-conflict`` that no training uses, with masks.

    Raises:
        InputError: If a model's (id, name) pairs are not those of the set, or the count does not
            lie in [1, 2000].
    """
    if not 1 <= count <= SCENES["val"]:
        raise InputError(f"count must lie in [1, {SCENES['val']}], got {count}")
    _require_shapes(name, classes)
    return [draw_scene_of(name, "val", index, size) for index in range(count)]


def _scenes(name: str, split: str, limit: int | None) -> ImageList:
    count = SCENES[split] if limit is None else min(limit, SCENES[split])
    drawn = [draw_classes(SEEDS[split], row, AGREEMENT[name])[1:] for row in range(count)]
    labels, textures = torch.tensor(drawn).unbind(1)
    return ImageList(
        name,
        tuple((shape, shape) for shape in SHAPES),
        labels,
        range(count),
        partial(_open_scene, name, split),
        noun="scene",
        rows_of=f"{name} {split}",
        textures=textures,
    )


def _open_scene(name: str, split: str, row: int, size: int | None) -> Image.Image:
    assert size is not None  # a scene has no size of its own
    return Image.fromarray(draw_scene_of(name, split, row, size).image)


def draw_scene_of(name: str, split: str, index: int, size: int) -> Scene:
    """One scene of ``shapes`` or ``shapes-conflict``, of ``train`` or ``val``."""
    return draw_scene(SEEDS[split], index, texture_agreement=AGREEMENT[name], size=size)


def _require_shapes(name: str, classes: Classes | None) -> None:
    if classes is not None and [c for c, _ in classes] != list(SHAPES):
        raise InputError(
            f"the model's classes ({', '.join(n for _, n in classes)}) are not those of {name} "
            f"({', '.join(SHAPES)})"
        )
