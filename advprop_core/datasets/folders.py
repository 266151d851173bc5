"""The images of class folders, decoded into memory."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from advprop_core.datasets.class_folders import (
    ClassFolders,
    draw_evenly,
    find_images,
    match_folders,
)
from advprop_core.datasets.memory import require_memory
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes
from advprop_core.pictures import decoding
from advprop_core.pictures.files import read_file
from advprop_core.pictures.formats import ImageError


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read, and why, in a sentence for a person."""

    path: Path
    reason: str
    error: OSError | None = None  # where it is not the image's fault


class ImageFolder:
    """Labelled images in `root/class/…`, sorted by class folder and path.

    Attributes:
        classes: Class names by label: the checkpoint's ids where `classes` was given, the sorted
            folder names otherwise.
        samples: Path and label of every image.
        folders: The class folders, with what is passed over in them.
        ignored_classes: Class folders left out because the checkpoint does not know them.
        unreadable: What the last `load_all` could not read.
        enlarged: How many of its images were smaller than wanted.
    """

    def __init__(
        self,
        root: Path | ClassFolders,
        *,
        size: int,
        classes: Classes | None = None,
        strict: bool = False,
        limit: int | None = None,
        crop: float = 1.0,
    ) -> None:
        """Lists the images; opens none.

        Args:
            root: The folder that holds the class folders, or these.
            size: Side of the square images, in pixels.
            classes: The checkpoint's (id, name) pairs by label, which class folders must match.
            strict: Whether an unknown class, an unreadable image or a file that is passed over is
                an error; a system's own files, such as hidden ones, are none.
            limit: At most this many images, drawn from the classes in turn.
            crop: Side of the square that is kept, as a share of a photo's shorter side.

        Raises:
            ClassMismatch: As :func:`match_folders`.
            InputError: As :func:`find_images`, or with `strict` a file is passed over.
        """
        self.size, self.crop, self.strict = size, crop, strict
        self.folders = root if isinstance(root, ClassFolders) else find_images(root)
        if strict:
            self.folders.require_complete()
        images = self.folders.images
        if classes is None:
            self.classes = tuple(images)
            labels = {folder: label for label, folder in enumerate(images)}
        else:
            self.classes = tuple(class_id for class_id, _ in classes)
            labels = match_folders(images, classes, strict=strict)
        self.ignored_classes = tuple(folder for folder in images if folder not in labels)
        self.samples = draw_evenly(
            [[(path, labels[folder]) for path in images[folder]] for folder in labels], limit
        )
        self.unreadable: tuple[Unreadable, ...] = ()
        self.enlarged = 0

    def __len__(self) -> int:
        """How many images there are, readable or not."""
        return len(self.samples)

    def load_all(self, *, alone: bool = False) -> tuple[Tensor, Tensor]:
        """Decodes every image once, on threads, and records in `unreadable` what could not be.

        ``alone`` says that no other process reads images too.

        Returns:
            The readable images as uint8 (N,3,size,size), RGB, and their labels as int64 (N,).

        Raises:
            ImageError: With `strict`, an image cannot be read; the message names its file.
            InputError: No image at all can be read, or the memory does not hold them.
        """
        require_memory(len(self), self.size, alone=alone)
        pixels = torch.empty((len(self), 3, self.size, self.size), dtype=torch.uint8)
        small = torch.zeros(len(self), dtype=torch.bool)
        whole = round(self.size / self.crop)
        start = (whole - self.size) // 2
        middle = slice(start, start + self.size)

        def fill(index: int) -> Unreadable | None:
            photo = open_photo(self.samples[index][0], whole)
            if isinstance(photo, Unreadable):
                return photo
            small[index] = min(photo.size) < whole
            pixels[index] = decoding.to_bytes(decoding.fit(photo, whole))[:, middle, middle]
            return None

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = list(pool.map(fill, range(len(self))))
        self.unreadable = tuple(problem for problem in problems if problem is not None)
        self.enlarged = int(small.sum())
        labels = torch.tensor([label for _, label in self.samples])
        if not self.unreadable:
            return pixels, labels
        first, count = self.unreadable[0], len(self.unreadable)
        if self.strict:
            raise ImageError(
                f"{first.path}: {first.reason} ({count} of {len(self)} images cannot be read.)"
            )
        if count == len(self):
            raise InputError(f"None of {count} images can be read. {first.path}: {first.reason}")
        readable = [row for row, problem in enumerate(problems) if problem is None]
        for new_row, row in enumerate(readable):  # in place: a copy might not fit beside them
            pixels[new_row] = pixels[row]
        return pixels[: len(readable)], labels[readable]


def read_square(path: Path, size: int) -> Tensor | Unreadable:
    """A photo as a (3, size, size) uint8 square, or why it cannot be read."""
    photo = open_photo(path, size)
    return photo if isinstance(photo, Unreadable) else decoding.to_bytes(decoding.fit(photo, size))


def open_photo(path: Path, shorter_side: int) -> Image.Image | Unreadable:
    """A photo, decoded for a shorter side of so many pixels, or why it cannot be read."""
    try:
        return decoding.decode(read_file(path), shorter_side=shorter_side)
    except ImageError as error:
        return Unreadable(path, str(error))
    except OSError as error:  # gone or forbidden since it was listed
        return Unreadable(path, f"The file cannot be opened: {error.strerror}.", error)
