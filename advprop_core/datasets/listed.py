"""The images of a data set: listed at once, and read where they are wanted."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from PIL import Image
from torch import Tensor

from advprop_core.datasets.class_folders import ClassFolders, draw_evenly, match_folders
from advprop_core.datasets.imagenet import is_tiny_imagenet, tiny_class_names
from advprop_core.datasets.memory import require_memory
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes, imagenet_classes
from advprop_core.pictures import decoding
from advprop_core.pictures.files import read_file
from advprop_core.pictures.formats import ImageError

_AT_ONCE = 16  # images that a thread takes, at most


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read, and why, in a sentence for a person."""

    path: Path
    reason: str
    error: OSError | None = None  # where it is not the image's fault


Open = Callable[[Any, int | None], Image.Image | Unreadable]
"""From where an image lies, and the shorter side that is needed, to the image."""


@dataclass(frozen=True, eq=False)
class Images:
    """A data set, whole in memory.

    Attributes:
        pixels: (N, 3, S, S) uint8.
        labels: (N,) int64 class indices.
        classes: (id, name) of each class.
        unreadable: Files that were left out, each with the reason.
        ignored_classes: Folders that match no class of the model.
        textures: (N,) int64 of a built-in set, the class whose texture each object has.
        among: The classes the model may answer with, where its set's article or the caller
            restricts them; None where it may answer with any.
        notes: What a person should know of how the set was read, in sentences.
        enlarged: How many photos are smaller than the size they were wanted in.
        files: Where each image was read from; empty where images are no files of their own.
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


@dataclass(frozen=True, eq=False)
class ImageList:
    """The images of a data set by their places; none is read yet.

    Attributes:
        name: As a person named the set.
        classes: (id, name) of each class.
        labels: (N,) int64 class indices.
        places: Where each image lies: its file, or its row in a set of another form.
        open: Reads an image from its place. Worker processes get it as a pickle.
        root: The folder that the files lie in.
        noun: What a person calls a row: ``scene``, ``train``.
        rows_of: The set that rows are of, and its split.
        ignored_classes: Those of the set that are none of the classes that were asked for.
        left_out: What of a folder is passed over, in a sentence, or None.
        textures, among, notes: As for :class:`Images`.
    """

    name: str
    classes: tuple[tuple[str, str], ...]
    labels: Tensor
    places: Sequence[Path | int]
    open: Open
    root: Path = Path()
    noun: str = ""
    rows_of: str = ""
    ignored_classes: tuple[str, ...] = ()
    left_out: str | None = None
    textures: Tensor | None = None
    among: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many images are listed, readable or not."""
        return len(self.places)

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Where each image lies; empty where images are no files of their own."""
        return tuple(location for location in self.places if isinstance(location, Path))

    @cached_property
    def digest(self) -> str:
        """Of all that decides which images these are.

        Of files, their paths, sizes and times of change: none is read for it.
        """
        facts: list[object] = [] if self.files else [self.rows_of, *self.places]
        for index, file in enumerate(self.files):
            stat = file.stat()
            facts.append((self.title(index), stat.st_mtime_ns, stat.st_size))
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def title(self, index: int) -> str:
        """What a person reads of an image: its path in the folder, or ``scene 12``."""
        location = self.places[index]
        if isinstance(location, Path):
            return location.relative_to(self.root).as_posix()
        return f"{self.noun} {location}"

    def select(self, rows: Sequence[int]) -> Self:
        """The list of some of the images, in that order."""
        index = torch.tensor(rows, dtype=torch.int64)
        return replace(
            self,
            labels=self.labels[index],
            places=[self.places[row] for row in rows],
            textures=None if self.textures is None else self.textures[index],
        )

    def picture(self, index: int, size: int) -> Image.Image:
        """One image at a side in pixels, as the network sees it.

        Raises:
            InputError: If it cannot be read any more.
        """
        photo = self.open(self.places[index], size)
        if isinstance(photo, Unreadable):
            raise InputError(f"{photo.path}: {photo.reason} Remove it")
        return decoding.fit(photo, size)

    def load(
        self, size: int, *, crop: float = 1.0, strict: bool = False, alone: bool = False
    ) -> Images:
        """Read every image that can be read, on threads.

        Args:
            size: Side of the square images in pixels.
            crop: Side of the square that is kept, as a share of a photo's shorter side.
            strict: Whether an image that cannot be read is an error.
            alone: Whether no other process reads images too, and needs memory for that.

        Raises:
            ImageError: With ``strict``, an image cannot be read; the message names its file.
            InputError: No image at all can be read, or the memory does not hold them.
        """
        require_memory(len(self), size, alone=alone)
        pixels, small, problems = read_squares(self.places, self.open, size, crop)
        readable = [row for row, problem in enumerate(problems) if problem is None]
        unreadable = tuple(problem for problem in problems if problem is not None)
        if unreadable:
            first, count = unreadable[0], len(unreadable)
            if strict:
                raise ImageError(
                    f"{first.path}: {first.reason} ({count} of {len(self)} images cannot be read.)"
                )
            if not readable:
                raise InputError(
                    f"None of {count} images can be read. {first.path}: {first.reason}"
                )
            for new_row, row in enumerate(readable):  # in place: a copy might not fit beside them
                pixels[new_row] = pixels[row]
        shown = self.select(readable) if unreadable else self
        return Images(
            pixels[: len(readable)],
            shown.labels,
            self.classes,
            unreadable,
            self.ignored_classes,
            shown.textures,
            self.among,
            self.notes,
            int(small.sum()),
            shown.files,
        )


def list_folder(
    folders: ClassFolders,
    *,
    classes: Classes | None = None,
    strict: bool = False,
    limit: int | None = None,
) -> ImageList:
    """The images of class folders, sorted by class folder and path.

    Args:
        folders: Which images; none is opened.
        classes: The model's (id, name) pairs by label, which class folders must match; by default
            the class folders themselves, in sorted order.
        strict: Whether an unknown class or a file that is passed over is an error; a system's own
            files, such as hidden ones, are none.
        limit: At most this many images, drawn from the classes in turn.

    Raises:
        ClassMismatch: As :func:`match_folders`.
        InputError: With ``strict``, a file is passed over.
    """
    if strict:
        folders.require_complete()
    if classes is None:
        label_of = {folder: label for label, folder in enumerate(folders.images)}
        classes = _readable_classes(tuple(folders.images), folders.root)
    else:
        label_of = match_folders(folders.images, classes, strict=strict)
    by_class = [[(path, label) for path in folders.images[c]] for c, label in label_of.items()]
    samples = draw_evenly(by_class, limit)
    return ImageList(
        str(folders.root),
        tuple(classes),
        torch.tensor([label for _, label in samples], dtype=torch.int64),
        [path for path, _ in samples],
        open_photo,
        folders.root,
        ignored_classes=tuple(folder for folder in folders.images if folder not in label_of),
        left_out=folders.describe_left_out(),
    )


def _readable_classes(ids: Sequence[str], root: Path) -> Classes:
    """(id, name) of the class folders in a folder; a wnid gets its English name."""
    is_tiny = is_tiny_imagenet(root)
    names = tiny_class_names(root) if is_tiny else dict(imagenet_classes())
    return tuple((class_id, names.get(class_id, class_id)) for class_id in ids)


def read_squares(
    places: Sequence[Any], open_image: Open, size: int, crop: float = 1.0
) -> tuple[Tensor, Tensor, list[Unreadable | None]]:
    """Images as squares, each read once, on threads; arguments as for `ImageList.load`.

    Returns:
        (N, 3, size, size) uint8, black where an image cannot be read; (N,) bool: whether it is
        smaller than it was wanted; and why it cannot be read, or None.
    """
    pixels = torch.zeros((len(places), 3, size, size), dtype=torch.uint8)
    small = torch.zeros(len(places), dtype=torch.bool)
    problems: list[Unreadable | None] = [None] * len(places)
    whole = round(size / crop)
    start = (whole - size) // 2
    middle = slice(start, start + size)

    def fill(rows: range) -> None:
        for row in rows:
            photo = open_image(places[row], whole)
            if isinstance(photo, Unreadable):
                problems[row] = photo
                continue
            if min(photo.size) < whole:
                small[row] = True
            pixels[row] = decoding.to_bytes(decoding.fit(photo, whole))[:, middle, middle]

    rows, threads = range(len(places)), os.cpu_count() or 1
    # To hand over a small image costs as much as to read it; but no thread shall wait for another.
    at_once = max(1, min(_AT_ONCE, len(rows) // (4 * threads)))
    parts = [rows[first : first + at_once] for first in rows[::at_once]]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, parts))  # the list asks for what was raised
    return pixels, small, problems


def open_photo(path: Path, shorter_side: int | None) -> Image.Image | Unreadable:
    """A photo, decoded for a shorter side of so many pixels, or why it cannot be read."""
    try:
        return decoding.decode(read_file(path), shorter_side=shorter_side)
    except ImageError as error:
        return Unreadable(path, str(error))
    except OSError as error:  # gone or forbidden since it was listed
        return Unreadable(path, f"The file cannot be opened: {error.strerror}.", error)
