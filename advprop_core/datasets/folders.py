"""The images of class folders, decoded: one by one, or all at once into memory."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from advprop_core.datasets.class_folders import (
    ClassFolders,
    draw_evenly,
    find_images,
    match_folders,
)
from advprop_core.datasets.memory import require_memory
from advprop_core.errors import InputError
from advprop_core.pictures import decoding
from advprop_core.pictures.files import read_file
from advprop_core.pictures.formats import ImageError


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read, and why, in a sentence for a person."""

    path: Path
    reason: str
    error: OSError | None = None  # where it is not the image's fault


class ImageFolder(Dataset[tuple[Tensor, int]]):
    """Labelled images in `root/class/…`, sorted by class folder and path.

    Images are decoded on access.

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
        root: Path | str | ClassFolders,
        *,
        size: int,
        classes: Sequence[tuple[str, str]] | None = None,
        strict: bool = False,
        limit: int | None = None,
        crop: float = 1.0,
    ) -> None:
        """Lists the images; opens none.

        Args:
            root: The folder that holds the class folders, or these.
            size: Side of the square images, in pixels.
            classes: The checkpoint's (id, name) pairs by label; class folders are matched to them
                as :mod:`advprop_core.models.class_names` says.
            strict: Whether an unknown class, an unreadable image or a file that is passed over is
                an error; a system's own files, such as hidden ones, are none.
            limit: At most this many images, drawn in turn from each class: the first of each,
                the second of each, and so on.
            crop: Side of the square that is kept, as a share of a photo's shorter side.

        Raises:
            ClassMismatch: No class folder is among `classes`, or with `strict` one is not.
            InputError: `root` is no folder or holds no class folder with an image, with `strict`
                a file is passed over, or `limit` is below 1.
            ValueError: `size` is below 1.
        """
        if size < 1:
            raise InputError(f"size must be at least 1 pixel, got {size}.")
        if limit is not None and limit < 1:
            raise InputError(f"limit must be at least 1 image, got {limit}: or leave it out.")
        self.size, self.crop = size, crop
        self.strict = strict
        self.folders = root if isinstance(root, ClassFolders) else find_images(Path(root))
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

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Image `index` as uint8 (3,size,size), RGB, and its label.

        Raises:
            ImageError: The image cannot be read; the message names its file.
        """
        path, label = self.samples[index]
        image = read_image(path, self.size, crop=self.crop)
        if isinstance(image, Unreadable):
            raise ImageError(f"{image.path}: {image.reason}")
        return image, label

    def load_all(
        self, max_workers: int | None = None, *, alone: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Decodes every image once, on threads, and records in `unreadable` what could not be.

        Args:
            max_workers: Number of threads; by default the number of CPUs.
            alone: Whether no other process reads images too.

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

        def fill(index: int) -> Unreadable | None:
            photo = _open(self.samples[index][0], whole)
            if isinstance(photo, Unreadable):
                return photo
            small[index] = min(photo.size) < whole
            pixels[index] = _centre(photo, whole, self.size)
            return None

        with ThreadPoolExecutor(max_workers or os.cpu_count()) as pool:
            problems = list(pool.map(fill, range(len(self))))
        self.unreadable = tuple(problem for problem in problems if problem is not None)
        self.enlarged = int(small.sum())
        if self.unreadable:
            self._complain(self.unreadable[0])
        labels = torch.tensor([label for _, label in self.samples])
        if not self.unreadable:
            return pixels, labels
        readable = [row for row, problem in enumerate(problems) if problem is None]
        for new_row, row in enumerate(readable):  # in place: a copy might not fit beside them
            pixels[new_row] = pixels[row]
        return pixels[: len(readable)], labels[readable]

    def _complain(self, first: Unreadable) -> None:
        count = len(self.unreadable)
        if self.strict:
            raise ImageError(
                f"{first.path}: {first.reason} ({count} of {len(self)} images cannot be read.)"
            )
        if count == len(self):
            raise InputError(f"None of {count} images can be read. {first.path}: {first.reason}")


def read_image(path: Path, size: int, *, crop: float = 1.0) -> Tensor | Unreadable:
    """A photo as uint8 (3,size,size), RGB, or why it cannot be read.

    Args:
        path: Of its file.
        size: Side of the square in its centre that is kept, in pixels.
        crop: That side as a share of the photo's shorter one.
    """
    whole = round(size / crop)
    photo = _open(path, whole)
    return photo if isinstance(photo, Unreadable) else _centre(photo, whole, size)


def _open(path: Path, shorter_side: int) -> Image.Image | Unreadable:
    try:
        return decoding.decode(read_file(path), shorter_side=shorter_side)
    except ImageError as error:
        return Unreadable(path, str(error))
    except OSError as error:  # gone or forbidden since it was listed
        return Unreadable(path, f"The file cannot be opened: {error.strerror}.", error)


def _centre(photo: Image.Image, whole: int, size: int) -> Tensor:
    """The square of that size in the middle of the photo's own, which is made ``whole`` wide."""
    start = (whole - size) // 2
    inner = slice(start, start + size)
    return decoding.to_bytes(decoding.fit(photo, whole))[:, inner, inner]
