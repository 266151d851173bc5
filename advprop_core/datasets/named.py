"""Data sets by the name a person gives on the command line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from advprop_core.datasets import imagenet, tiny_imagenet
from advprop_core.datasets.array_sets import open_arrays
from advprop_core.datasets.cifar import draw_rows
from advprop_core.datasets.class_folders import match_folders
from advprop_core.datasets.folders import ImageFolder, Unreadable
from advprop_core.datasets.layouts import CORRUPTED, TITLES, Place, find_place, images_of
from advprop_core.datasets.memory import require_memory
from advprop_core.datasets.texture_shapes.scenes import AGREEMENT, SEEDS, SHAPES, Scene, draw_scene
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes, are_indices, imagenet_classes
from advprop_core.pictures.decoding import to_bytes

SCENES = {"train": 12_000, "val": 2_000}
"""How many scenes each split of a built-in set has; its classes take turns."""

BUILTIN = tuple(AGREEMENT)


@dataclass(frozen=True, eq=False)
class Images:
    """A data set, whole in memory.

    Attributes:
        pixels: (N, 3, S, S) uint8.
        labels: (N,) int64 class indices.
        classes: (id, name) of each class.
        unreadable: Files that were left out, each with the reason.
        enlarged: How many photos are smaller than the size they were wanted in.
        ignored_classes: Folders that match no class of the model.
        textures: (N,) int64 of a built-in set, the class whose texture each object has.
        files: Where each image was read from; empty where images are no files of their own.
        among: The classes the model may answer with, where its set's article or the caller
            restricts them; None where it may answer with any.
        notes: What a person should know of how the set was read, in sentences.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[tuple[str, str], ...]
    unreadable: tuple[Unreadable, ...] = ()
    ignored_classes: tuple[str, ...] = ()
    textures: Tensor | None = None
    among: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    enlarged: int = 0
    files: tuple[Path, ...] = ()


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
    """Read a built-in data set, a folder of class folders, or a published set's layout.

    Args:
        name: ``shapes``, ``shapes-conflict``, a folder, or ``KIND:DIR`` as `layouts` knows it.
        size: Side of the square images in pixels.
        split: ``train`` or ``val``; class folders without splits are read as they are.
        classes: The model's (id, name) pairs, which a folder's class folders must match.
        limit: At most this many images, spread evenly over the classes.
        strict: As for `ImageFolder`.
        download: Fetch Imagenette, or a set in arrays such as CIFAR-10, where it is missing.
        alone: Whether no other process reads them, and needs memory for that.

    Raises:
        Offline: If it cannot be fetched.
        InputError: If the name is none of these, the limit is below 1, the folder holds no image
            or has another layout, the classes do not match (the message lists both sides), or the
            memory does not hold the images.
    """
    require_limit(limit)
    if name in AGREEMENT:
        _require_shapes(name, classes)
        return _draw_shapes(name, size, split, limit)
    data_set = require_place(name)
    if data_set.is_arrays:
        return _read_arrays(data_set, size, split, classes, limit, strict=strict, download=download)
    folders = images_of(data_set, split, download=download)
    folder = ImageFolder(folders, size=size, classes=classes, strict=strict, limit=limit)
    pixels, labels = folder.load_all(alone=alone)
    unread = {file.path for file in folder.unreadable}
    among = _among(data_set, classes)
    notes = _notes(data_set, folders.images, classes, among or ())
    if left_out := folders.describe_left_out():
        notes.append(left_out)
    return Images(
        pixels,
        labels,
        tuple(classes) if classes else readable_classes(folder.classes, data_set.folder),
        folder.unreadable,
        folder.ignored_classes,
        among=among,
        notes=tuple(notes),
        enlarged=folder.enlarged,
        files=tuple(path for path, _ in folder.samples if path not in unread),
    )


def require_limit(limit: int | None) -> None:
    """Refuse, by an InputError, a number of images below 1."""
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, got {limit}")


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
    place: Place, folders: Iterable[str], classes: Classes | None, among: tuple[int, ...] = ()
) -> list[str]:
    """How the set was read, and what of the model it asks for."""
    notes = [note] if (note := place.note()) else []
    if classes is None:
        return notes
    if place.kind is not None:
        count = len(set(match_folders(folders, classes).values()))
        if count < len(classes):
            notes.append(f"{place.title}: images of {count} of the model's {len(classes)} classes")
    if among:
        shared = "its 200 classes" if len(among) == 200 else f"{len(among)} of its 200 classes"
        notes.append(
            f"{place.title}: answers are among {shared}, as in its article, not among the model's "
            f"{len(classes)}: chance is higher"
        )
    if are_indices(classes, folders):
        notes.append("the class folders are named by numbers: taken as the model's class indices")
    return notes


def _read_arrays(
    place: Place,
    size: int,
    split: str,
    classes: Classes | None,
    limit: int | None,
    *,
    strict: bool,
    download: bool,
) -> Images:
    """A set whose images lie in arrays, as its archive unpacks."""
    assert place.kind is not None
    arrays = open_arrays(place.kind, place.folder, split, download=download)
    class_pairs = classes or [(name, name) for name in arrays.names]
    rows, labels, ignored = draw_rows(
        arrays.names, arrays.labels, class_pairs, limit, strict=strict
    )
    require_memory(len(rows), size)
    return Images(
        arrays.read(rows.tolist(), size),
        labels,
        tuple(class_pairs),
        ignored_classes=ignored,
        notes=tuple(_notes(place, arrays.names, classes)),
        enlarged=len(rows) if size > arrays.side else 0,
    )


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


def readable_classes(ids: Sequence[str], root: Path) -> tuple[tuple[str, str], ...]:
    """(id, name) of the class folders in a folder; a wnid gets its English name."""
    is_tiny = tiny_imagenet.is_tiny_imagenet(root)
    names = tiny_imagenet.class_names(root) if is_tiny else dict(imagenet_classes())
    return tuple((identity, names.get(identity, identity)) for identity in ids)


def _draw_shapes(name: str, size: int, split: str, limit: int | None) -> Images:
    count = SCENES[split] if limit is None else min(limit, SCENES[split])
    require_memory(count, size)
    pixels = torch.empty((count, 3, size, size), dtype=torch.uint8)
    labels, textures = torch.empty((2, count), dtype=torch.int64)
    for row in range(count):
        scene = draw_scene_of(name, split, row, size)
        pixels[row] = to_bytes(Image.fromarray(scene.image))
        labels[row], textures[row] = scene.shape, scene.texture
    return Images(pixels, labels, tuple((shape, shape) for shape in SHAPES), textures=textures)


def draw_scene_of(name: str, split: str, index: int, size: int) -> Scene:
    """One scene of ``shapes`` or ``shapes-conflict``, of ``train`` or ``val``."""
    return draw_scene(SEEDS[split], index, texture_agreement=AGREEMENT[name], size=size)


def _require_shapes(name: str, classes: Classes | None) -> None:
    if classes is not None and [c for c, _ in classes] != list(SHAPES):
        raise InputError(
            f"the model's classes ({', '.join(n for _, n in classes)}) are not those of {name} "
            f"({', '.join(SHAPES)})"
        )
