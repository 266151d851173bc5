"""Labelled images that are listed at once and read only where they are wanted."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from advprop_core.datasets.array_sets import open_arrays
from advprop_core.datasets.cifar import draw_rows
from advprop_core.datasets.class_folders import EMPTY
from advprop_core.datasets.folders import ImageFolder, Unreadable, read_square
from advprop_core.datasets.layouts import Place, images_of
from advprop_core.datasets.named import (
    BUILTIN,
    SCENES,
    draw_scene_of,
    readable_classes,
    require_limit,
    require_place,
)
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes
from advprop_core.pictures.decoding import to_bytes, to_image
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
        ignored_classes: Those of the set that are none of the classes that were asked for.
    """

    name: str
    classes: tuple[tuple[str, str], ...]
    labels: Tensor
    titles: tuple[str, ...]
    files: tuple[Path, ...]
    digest: str
    open: Callable[[int, int], Tensor | Unreadable]
    ignored_classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many images are listed, readable or not."""
        return len(self.titles)

    def picture(self, place: int, size: int) -> Image.Image:
        """One image at a side in pixels, as the network sees it.

        Raises:
            InputError: If it cannot be read any more.
        """
        return to_image(self.read([place], size)[0].float() / 255)

    def read(self, places: Sequence[int], size: int) -> Tensor:
        """Images at a side in pixels, read on threads: (n, 3, S, S) uint8.

        Raises:
            InputError: If one cannot be read; it names the file.
        """
        pixels = torch.empty((len(places), 3, size, size), dtype=torch.uint8)

        def fill(row: int) -> None:
            opened = self.open(places[row], size)
            if isinstance(opened, Unreadable):
                raise InputError(f"{opened.path}: {opened.reason} Remove it")
            pixels[row] = opened

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(fill, range(len(places))))  # the list asks for what was raised
        return pixels


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
    require_limit(limit)
    if name in BUILTIN:
        return _scenes(name, split, limit)
    folder = require_place(name)
    if folder.is_arrays:
        return _arrays(name, folder, split, classes, limit)
    return _files(name, folder, split, classes, limit)


def _scenes(name: str, split: str, limit: int | None) -> ImageList:
    count = SCENES[split] if limit is None else min(limit, SCENES[split])
    labels = torch.arange(count) % len(SHAPES)  # classes take turns

    def open_scene(place: int, size: int) -> Tensor:
        return to_bytes(Image.fromarray(draw_scene_of(name, split, place, size).image))

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
    rows, labels, ignored = draw_rows(arrays.names, arrays.labels, pairs, limit, strict=False)

    def open_row(position: int, size: int) -> Tensor:
        return arrays.read([int(rows[position])], size)[0]

    titles = tuple(f"{split} {row}" for row in rows.tolist())
    digest = _digest([place.kind, split, *rows.tolist()])
    return ImageList(name, pairs, labels, titles, (), digest, open_row, ignored)


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
    stats = (path.stat() for path in files)
    facts = [(title, f.st_mtime_ns, f.st_size) for title, f in zip(titles, stats, strict=True)]

    def open_file(position: int, size: int) -> Tensor | Unreadable:
        return read_square(files[position], size)

    return ImageList(
        name,
        tuple(classes) if classes else readable_classes(folder.classes, place.folder),
        torch.tensor([label for _, label in folder.samples]),
        titles,
        files,
        _digest(facts),
        open_file,
        folder.ignored_classes,
    )


def _digest(facts: Sequence[object]) -> str:
    return hashlib.sha256(repr(list(facts)).encode()).hexdigest()
