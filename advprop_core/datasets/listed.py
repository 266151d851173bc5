"""Labelled images that are listed at once and read only where they are wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from advprop_core.datasets.array_sets import open_arrays
from advprop_core.datasets.cifar import draw_rows
from advprop_core.datasets.class_folders import EMPTY
from advprop_core.datasets.folders import ImageFolder, Unreadable, open_photo
from advprop_core.datasets.layouts import CORRUPTED, TITLES, Place, find_place, images_of
from advprop_core.datasets.named import BUILTIN, SCENES, draw_scene_of, readable_classes
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes
from advprop_core.pictures.decoding import fit, to_bytes, to_image
from advprop_core.text import listing


@dataclass(frozen=True, eq=False)
class ImageList:
    """The images of a data set by their places; none is read yet.

    Attributes:
        name: As a person named the set.
        classes: (id, name) of each class.
        labels: (N,) int64 class indices.
        titles: What a person reads of each image: its path in the folder, ``scene 12`` …
        files: Where each lies; empty where images are no files of their own.
        digest: Of all that decides which images these are. Of files, their paths, sizes and times
            of change: none is read for it.
        open: From a place and a side in pixels to the (3, S, S) uint8 image, or why there is none.
    """

    name: str
    classes: tuple[tuple[str, str], ...]
    labels: Tensor
    titles: tuple[str, ...]
    files: tuple[Path, ...]
    digest: str
    open: Callable[[int, int], Tensor | Unreadable]

    def __len__(self) -> int:
        """How many images are listed, readable or not."""
        return len(self.titles)

    def picture(self, place: int, size: int) -> Image.Image:
        """One image at a side in pixels, as the network sees it.

        Raises:
            InputError: If it cannot be read any more.
        """
        pixels = self.open(place, size)
        if isinstance(pixels, Unreadable):
            raise InputError(f"{pixels.path}: {pixels.reason}")
        return to_image(pixels.float() / 255)


def list_images(
    name: str,
    *,
    split: str = "train",
    classes: Classes | None = None,
    limit: int | None = None,
) -> ImageList:
    """List a built-in data set, a folder of class folders, or a published set's layout.

    Args:
        name: ``shapes``, ``shapes-conflict``, a folder, or ``KIND:DIR`` as `layouts` knows it.
        split: ``train`` or ``val``; class folders without splits are listed as they are.
        classes: The (id, name) pairs that labels count, which class folders must match; by
            default those of the set itself, and then each of its class folders must hold an image.
        limit: At most this many images, spread evenly over the classes.

    Raises:
        ClassMismatch: If no class folder is one of the classes.
        InputError: If there is no such set, it holds no image, a class holds none, or the limit is
            below 1.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, got {limit}")
    if name in BUILTIN:
        return _scenes(name, split, limit)
    place = find_place(name)
    if place is None:
        raise InputError(
            f"data must be a folder or one of {', '.join(BUILTIN)}: there is no folder {name!r}; "
            f"KIND:DIR reads a published set, KIND being one of {', '.join(TITLES)}"
        )
    if place.kind in CORRUPTED:
        raise InputError(
            f"{name} holds corruptions of {place.title}'s images: `advprop evaluate` alone "
            "measures these"
        )
    if place.is_arrays:
        return _arrays(name, place, split, classes, limit)
    return _files(name, place, split, classes, limit)


def _scenes(name: str, split: str, limit: int | None) -> ImageList:
    count = SCENES[split] if limit is None else min(limit, SCENES[split])
    labels = torch.arange(count) % len(SHAPES)  # classes take turns

    def open_scene(place: int, size: int) -> Tensor:
        scene = draw_scene_of(name, split, place, size)
        return torch.from_numpy(scene.image.copy()).permute(2, 0, 1)

    titles = tuple(f"scene {index}" for index in range(count))
    classes = tuple((shape, shape) for shape in SHAPES)
    return ImageList(name, classes, labels, titles, (), _digest([name, split, count]), open_scene)


def _arrays(
    name: str, place: Place, split: str, classes: Classes | None, limit: int | None
) -> ImageList:
    """A set whose images lie in arrays, as its archive unpacks."""
    assert place.kind is not None
    arrays = open_arrays(place.kind, place.folder, split)
    pairs = tuple(classes or [(each, each) for each in arrays.names])
    rows, labels, _ = draw_rows(arrays.names, arrays.labels, pairs, limit, strict=False)

    def open_row(position: int, size: int) -> Tensor:
        return arrays.read([int(rows[position])], size)[0]

    titles = tuple(f"{split} {row}" for row in rows.tolist())
    digest = _digest([place.kind, split, *rows.tolist()])
    return ImageList(name, pairs, labels, titles, (), digest, open_row)


def _files(
    name: str, place: Place, split: str, classes: Classes | None, limit: int | None
) -> ImageList:
    folders = images_of(place, split)
    empty = sorted(path.name for path, reason in folders.left_out.items() if reason == EMPTY)
    if classes is None and empty:
        raise InputError(
            f"{name} has class folders with no image in them: {listing(empty)}; fill or remove them"
        )
    folder = ImageFolder(folders, size=1, classes=classes, limit=limit)
    files = tuple(path for path, _ in folder.samples)
    titles = tuple(path.relative_to(folders.root).as_posix() for path in files)
    facts = [(title, *_stamp(path)) for title, path in zip(titles, files, strict=True)]

    def open_file(position: int, size: int) -> Tensor | Unreadable:
        photo = open_photo(files[position], size)
        return photo if isinstance(photo, Unreadable) else to_bytes(fit(photo, size))

    return ImageList(
        name,
        tuple(classes) if classes else readable_classes(folder.classes, place.folder),
        torch.tensor([label for _, label in folder.samples]),
        titles,
        files,
        _digest(facts),
        open_file,
    )


def _stamp(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size


def _digest(facts: Sequence[object]) -> str:
    return hashlib.sha256(repr(list(facts)).encode()).hexdigest()
