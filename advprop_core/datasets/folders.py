"""Image folders: `class/…`, any depth inside a class, of any format that `images.decode` reads."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from advprop_core.datasets.memory import require_memory
from advprop_core.models.class_names import classes_by_name, plain
from advprop_core.pictures import decoding

_Sample = TypeVar("_Sample")
_SHOWN = 10  # how many names an error lists before it says how many more there are


class ClassMismatch(ValueError):
    """Class folders that are not the checkpoint's classes."""


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read, and why, in a sentence for a person."""

    path: Path
    reason: str
    error: OSError | None = None  # where it is not the image's fault


class ImageFolder(Dataset[tuple[Tensor, int]]):
    """Labelled images in `root/class/…`, sorted by class folder and path.

    Hidden files and folders, files of other types, and folders without an image are passed over.
    Images are decoded on access.

    Attributes:
        classes: Class names by label: the checkpoint's ids where `classes` was given, the sorted
            folder names otherwise.
        samples: Path and label of every image.
        ignored_classes: Class folders left out because the checkpoint does not know them.
        unreadable: What the last `load_all` could not read.
        enlarged: How many of its images were smaller than wanted.
    """

    def __init__(
        self,
        root: Path | str | Mapping[str, Sequence[Path]],
        *,
        size: int,
        classes: Sequence[tuple[str, str]] | None = None,
        strict: bool = False,
        limit: int | None = None,
        crop: float = 1.0,
    ) -> None:
        """Lists the images; opens none.

        Args:
            root: The folder that holds the class folders, or the images of each class by the name
                of what would be its folder.
            size: Side of the square images, in pixels.
            classes: The checkpoint's (id, name) pairs by label. A class folder is matched by id,
                else by a name that only one class has; case does not matter, nor whether a space
                or an underscore is written.
            strict: Whether an unknown class or an unreadable image is an error.
            limit: At most this many images, drawn in turn from each class: the first of each,
                the second of each, and so on.
            crop: Side of the square that is kept, as a share of a photo's shorter side.

        Raises:
            ClassMismatch: No class folder is among `classes`, or with `strict` one is not.
            ValueError: `root` is no folder or holds no class folder with an image, or `size` or
                `limit` is below 1.
        """
        if size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {size}.")
        if limit is not None and limit < 1:
            raise ValueError(f"limit must be at least 1 image, got {limit}: or leave it out.")
        self.size, self.crop = size, crop
        self.strict = strict
        found = root if isinstance(root, Mapping) else find_images(Path(root))
        if classes is None:
            self.classes = tuple(found)
            labels = {folder: label for label, folder in enumerate(found)}
        else:
            self.classes = tuple(class_id for class_id, _ in classes)
            labels = match_classes(found, classes, strict=strict)
        self.ignored_classes = tuple(folder for folder in found if folder not in labels)
        self.samples = draw_evenly(
            [[(path, labels[folder]) for path in found[folder]] for folder in labels], limit
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
            raise decoding.ImageError(f"{image.path}: {image.reason}")
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
            ValueError: No image at all can be read, or the memory does not hold them.
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
        readable = [place for place, problem in enumerate(problems) if problem is None]
        for new, old in enumerate(readable):  # in place: a copy might not fit beside them
            pixels[new] = pixels[old]
        return pixels[: len(readable)], labels[readable]

    def _complain(self, first: Unreadable) -> None:
        count = len(self.unreadable)
        if self.strict:
            raise decoding.ImageError(
                f"{first.path}: {first.reason} ({count} of {len(self)} images cannot be read.)"
            )
        if count == len(self):
            raise ValueError(f"None of {count} images can be read. {first.path}: {first.reason}")


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
        return decoding.decode(path.read_bytes(), shorter_side=shorter_side)
    except decoding.ImageError as error:
        return Unreadable(path, str(error))
    except OSError as error:  # gone or forbidden since it was listed
        return Unreadable(path, f"The file cannot be opened: {error.strerror}.", error)


def _centre(photo: Image.Image, whole: int, size: int) -> Tensor:
    """The square of that size in the middle of the photo's own, which is made ``whole`` wide."""
    start = (whole - size) // 2
    inner = slice(start, start + size)
    return decoding.to_bytes(decoding.fit(photo, whole))[:, inner, inner]


def find_images(root: Path) -> dict[str, list[Path]]:
    """The sorted images of each class folder that has one, by sorted folder name.

    Raises:
        ValueError: `root` is no folder or holds no class folder with an image.
    """
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise ValueError(f"The data folder {root} {what}: give a folder with class folders.")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not _hidden(path.name))
    found = {folder.name: sorted(_images_in(folder)) for folder in folders}
    found = {name: paths for name, paths in found.items() if paths}
    if found:
        return found
    if any(_is_image(path.name) for path in root.iterdir()):
        raise ValueError(
            f"The images in {root} have no class folders: sort them into {root}/CLASS/IMAGE."
        )
    raise ValueError(
        f"The data folder {root} holds no image: looked for {root}/CLASS/… with the endings "
        f"{' '.join(sorted(decoding.EXTENSIONS))}."
    )


def _images_in(folder: Path) -> Iterator[Path]:
    for place, inner, files in os.walk(folder):
        inner[:] = [name for name in inner if not _hidden(name)]
        yield from (Path(place, name) for name in files if _is_image(name))


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _is_image(name: str) -> bool:
    return not _hidden(name) and os.path.splitext(name)[1].lower() in decoding.EXTENSIONS


def match_classes(
    folders: Iterable[str], classes: Sequence[tuple[str, str]], *, strict: bool = False
) -> dict[str, int]:
    """Label by class folder, for the folders that are a checkpoint's classes.

    Raises:
        ClassMismatch: No folder is one of `classes`, or with `strict` one is not.
    """
    folders, known = tuple(folders), classes_by_name(classes)
    labels = {folder: known[plain(folder)] for folder in folders if plain(folder) in known}
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


def listing(names: Sequence[str]) -> str:
    """The first ten names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def draw_evenly(classes: Sequence[Sequence[_Sample]], limit: int | None) -> tuple[_Sample, ...]:
    """At most `limit` samples, drawn from the classes in turn, in their original order."""
    everything = list(chain.from_iterable(classes))
    if limit is None or limit >= len(everything):
        return tuple(everything)
    in_turn = (sample for turn in zip_longest(*classes) for sample in turn if sample is not None)
    drawn = set(islice(in_turn, limit))
    return tuple(sample for sample in everything if sample in drawn)
