"""The photos of ImageNet-C (arXiv 1903.12261) as they are published, read a batch at a time.

All of them are 75 times ImageNet's validation photos: they are never in memory together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Self

import torch
from PIL import Image
from torch import Tensor

from advprop_core.datasets.class_folders import ClassFolders
from advprop_core.datasets.imagenet import class_images, corruption_folders
from advprop_core.datasets.listed import Unreadable, list_folder, open_photo, read_squares
from advprop_core.errors import InputError
from advprop_core.models.class_names import Classes
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.digests import image_digest
from advprop_core.pictures.formats import ImageError
from advprop_core.text import listing

SIZE = 224
"""Pixels per side, as the photos are published."""
CROP = 224 / 256
"""Of the shorter side, which was made 256 before the photos were cut out and corrupted."""
_OF_THE_FILE = (FileNotFoundError, PermissionError)  # what shows in its digest; the rest may pass


@dataclass(frozen=True, eq=False)
class CorruptedPhotos:
    """The photos of ImageNet-C that a model is asked about: the same ones in every folder.

    Attributes:
        folders: By kind and severity.
        names: ``WNID/IMAGE`` of each photo.
        labels: (N,) int64, the model's classes.
        class_count: How many of the model's classes there are photos of.
        incomplete: How many photos were left out because a folder lacks them.
        ignored_classes: Class folders of no class of the model.
        odd_size: Width and height of a folder's first photo that is not of the published size;
            None where none is.
        clean: Where these photos lie before they were corrupted; empty where nobody said.
        strict: Whether a photo that cannot be read is an error.
        unreadable: What could not be read so far.
    """

    folders: Mapping[tuple[str, int], Path]
    names: tuple[str, ...]
    labels: Tensor
    class_count: int
    incomplete: int
    ignored_classes: tuple[str, ...] = ()
    odd_size: tuple[int, int] | None = None
    clean: tuple[Path, ...] = ()
    strict: bool = False
    unreadable: dict[Path, Unreadable] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        folders: Mapping[tuple[str, int], Path],
        classes: Classes,
        *,
        clean: Mapping[str, Sequence[Path]] | None = None,
        limit: int | None = None,
        strict: bool = False,
    ) -> Self:
        """List the photos that every folder has; of each folder it looks at the first one.

        Args:
            folders: By kind and severity; not empty.
            classes: The model's.
            clean: The photos before they were corrupted, by class folder; photos that are not
                among them are left out. Endings of file names may differ.
            limit: At most this many photos, spread evenly over the classes.
            strict: Refuse photos that cannot be read, or that a folder lacks.

        Raises:
            ClassMismatch: If no class folder is a class of the model.
            InputError: If no photo is in every folder, or a class folder is none of ImageNet's.
        """
        shared, total = _shared_names(folders.values())
        before: dict[str, Path] = {}
        if clean is not None:
            before = {_key(f"{c}/{p.name}"): p for c, paths in clean.items() for p in paths}
            shared = {name for name in shared if _key(name) in before}
        everywhere = f"in all {len(folders)} folders of corruptions"
        everywhere += " and among the clean photos" if clean is not None else ""
        if not shared:
            raise InputError(f"none of {total} photos is {everywhere}: unpack the archives again")
        if strict and len(shared) < total:
            raise InputError(
                f"{total - len(shared)} of {total} photos are not {everywhere}: complete them, or "
                "evaluate without --strict to leave these out"
            )
        by_class: dict[str, list[Path]] = {}
        for name in sorted(shared):
            by_class.setdefault(name.partition("/")[0], []).append(Path(name))
        listed = list_folder(ClassFolders(by_class), classes=classes, strict=strict, limit=limit)
        names = tuple(file.as_posix() for file in listed.files)
        return cls(
            folders,
            names,
            listed.labels,
            len(by_class) - len(listed.ignored_classes),
            total - len(shared),
            listed.ignored_classes,
            _odd_size([folder / names[0] for folder in folders.values()]),
            tuple(before[_key(name)] for name in names) if before else (),
            strict,
        )

    def without(self, paths: Sequence[Path]) -> Self:
        """The same, but for the photos whose clean files these are."""
        gone = set(paths)
        rows = [row for row, path in enumerate(self.clean) if path not in gone]
        return replace(
            self,
            names=tuple(self.names[row] for row in rows),
            labels=self.labels[rows],
            clean=tuple(self.clean[row] for row in rows),
        )

    def read(self, corruption: CorruptionConfig, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Decode the photos of one corruption that are of (n,) rows.

        Returns:
            (n, 3, 224, 224) uint8, black where a photo cannot be read, and (n,) bool: which can.

        Raises:
            ImageError: With ``strict``, a photo cannot be read; the message names its file.
            OSError: For trouble of the machine: what is told of the photo now could be wrong later.
        """
        folder = self.folders[corruption.kind, corruption.severity]
        files = [folder / self.names[row] for row in rows.tolist()]
        pixels, _, problems = read_squares(files, open_photo, SIZE)
        for problem in filter(None, problems):
            if problem.error and not isinstance(problem.error, _OF_THE_FILE):
                raise problem.error
            if self.strict:
                raise ImageError(f"{problem.path}: {problem.reason}")
            self.unreadable[problem.path] = problem
        return pixels, torch.tensor([problem is None for problem in problems])

    def digests(self, corruption: CorruptionConfig) -> list[bytes]:
        """Of each photo's label and of its file's name, size and times of change.

        Not of what is in the files: to read 50,000 photos takes as long as to be asked about
        them, and this is asked for each folder before it is known whether they are needed.
        """
        folder = self.folders[corruption.kind, corruption.severity]
        return [
            image_digest(f"{label} {name} {_facts(folder / name)}".encode())
            for name, label in zip(self.names, self.labels.tolist(), strict=True)
        ]


def open_folders(folder: Path) -> dict[tuple[str, int], Path]:
    """The folders of ImageNet-C by kind and severity.

    Raises:
        InputError: If there is none.
    """
    if folders := corruption_folders(folder):
        return folders
    inside = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else ()
    raise InputError(
        "imagenet-c has KIND/SEVERITY/WNID/IMAGE, such as fog/3/n01440764, and "
        f"{folder} has {listing(inside) or 'nothing'}: name the layout that this folder has"
    )


def _shared_names(folders: Iterable[Path]) -> tuple[set[str], int]:
    """``WNID/IMAGE`` of the photos that are in every folder, and of how many in any."""
    shared: set[str] | None = None
    anywhere: set[str] = set()
    for folder in folders:
        images = class_images("imagenet-c", folder).images
        names = {f"{name}/{path.name}" for name, paths in images.items() for path in paths}
        shared = names if shared is None else shared & names
        anywhere |= names
    return shared or set(), len(anywhere)


def _odd_size(photos: Iterable[Path]) -> tuple[int, int] | None:
    for photo in photos:
        try:
            with Image.open(photo) as opened:  # reads no more than its header
                size = opened.size
        except OSError:  # it is named when it is to be shown
            continue
        if size != (SIZE, SIZE):
            return size
    return None


def _facts(path: Path) -> str:
    """What changes with a file, and with who may read it."""
    try:
        facts = path.stat()
    except OSError as error:  # it is left out when it is read
        return type(error).__name__
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"


def _key(name: str) -> str:
    """A photo's name without its ending: ``WNID/ILSVRC2012_val_00000293``."""
    return PurePosixPath(name).with_suffix("").as_posix()
