"""What ``advprop evaluate`` asks models about: images in memory, or corruptions in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advprop_core.cli.output import Report

if TYPE_CHECKING:
    from torch import Tensor

    from advprop_core.datasets.cifar import CorruptedArrays
    from advprop_core.datasets.folders import Unreadable
    from advprop_core.datasets.imagenet_c import CorruptedPhotos
    from advprop_core.datasets.layouts import Place
    from advprop_core.datasets.named import Images
    from advprop_core.evaluation.cells import Cell, Subject
    from advprop_core.evaluation.conditions import Condition
    from advprop_core.evaluation.results import Answers
    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.processes import Processes

_SHOWN = 20  # unreadable files that are listed by name

Classes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Wanted:
    """What data a person asked for.

    Attributes:
        data: As it was named.
        clean: ImageNet's photos for ImageNet-C, as they were named, or None.
        limit: At most this many images.
        strict: Whether what cannot be used is refused rather than left out.
        download: Whether a missing set is fetched.
    """

    data: str
    clean: str | None
    limit: int | None
    strict: bool
    download: bool

    def corruptions(self) -> tuple[tuple[str, int], ...] | None:
        """Kind and severity of what the files of ImageNet-C or CIFAR-10-C hold; None for others.

        Raises:
            ValueError: If they hold nothing, or --clean is given where it has no use.
        """
        from advprop_core.datasets import cifar, imagenet_c
        from advprop_core.datasets.layouts import find_place

        place = find_place(self.data)
        kind = place.kind if place else None
        if self.clean is not None and kind != "imagenet-c":
            raise ValueError(
                "--clean gives ImageNet's photos to imagenet-c:DIR, and --data is "
                f"{self.data}: leave it out"
            )
        if place is None or kind not in ("imagenet-c", "cifar10-c"):
            return None
        if kind == "cifar10-c":
            return cifar.corruptions_in(place.folder)
        return tuple(imagenet_c.open_folders(place.folder))


@dataclass(frozen=True)
class Asked:
    """What models are asked about.

    Attributes:
        subjects: Each model with its images.
        notes: What a person should know of the data, in sentences.
        with_mce: The models for which mCE is defined.
    """

    subjects: tuple[Subject, ...]
    notes: tuple[str, ...] = ()
    with_mce: tuple[str, ...] = ()


def open_images(
    report: Report,
    opened: Mapping[str, Checkpoint],
    branches: Mapping[str, tuple[str, ...]],
    wanted: Wanted,
    *,
    with_photos: bool,
) -> Asked:
    """Each model with its images; models of one size and with the same classes share them."""
    from advprop_core.evaluation.cells import PHOTO_SIZE, Subject
    from advprop_core.evaluation.notes import left_out, of_small_photos, of_unlike_images

    known: dict[tuple[int, Classes], Images] = {}

    def images(one: Checkpoint, size: int) -> Images:
        key = (size, one.info.classes)
        if key not in known:
            quiet = any(classes == one.info.classes for _, classes in known)
            known[key] = _load(report, wanted, one, size, quiet=quiet)
        return known[key]

    subjects = []
    for name, one in opened.items():
        own = images(one, one.info.input_size)
        _require_classes(wanted, name, one, own.labels)
        photos = images(one, PHOTO_SIZE).pixels if with_photos else None
        subjects.append(
            Subject(
                name,
                one.model,
                own.pixels,
                own.labels,
                branches[name],
                photos,
                own.textures,
                among=own.among,
            )
        )
    notes = [note for one in known.values() for note in one.notes]
    for name, one in opened.items():
        own = images(one, one.info.input_size)
        notes += left_out(name, own.unreadable, own.ignored_classes)
    for (size, _), own in known.items():
        corrupted = with_photos and size == PHOTO_SIZE
        notes += of_small_photos(own.enlarged, len(own.labels), size, corrupted=corrupted)
    notes += of_unlike_images(subjects, {name: one.info for name, one in opened.items()})
    return Asked(tuple(subjects), tuple(dict.fromkeys(notes)))


def open_stored(
    report: Report,
    opened: Mapping[str, Checkpoint],
    branches: Mapping[str, tuple[str, ...]],
    wanted: Wanted,
    conditions: Sequence[Condition],
) -> Asked:
    """Each model with the corrupted images that files hold; those with the same classes share."""
    from advprop_core.datasets.cifar import SIDE
    from advprop_core.datasets.layouts import find_place
    from advprop_core.evaluation.cells import Subject
    from advprop_core.evaluation.notes import left_out, of_small_photos, of_unlike_images
    from advprop_core.evaluation.stored_corruptions import as_small_as

    place = find_place(wanted.data)
    assert place is not None
    chosen = [(c.corruption.kind, c.corruption.severity) for c in conditions if c.corruption]
    files: dict[Classes, CorruptedArrays | CorruptedPhotos] = {}
    photos: dict[Classes, Tensor] = {}
    sized: dict[tuple[Classes, int], Tensor] = {}
    subjects, notes = [], [place.note()]
    for name, one in opened.items():
        classes = one.info.classes
        if classes not in files:
            files[classes], own = _open_files(wanted, classes, chosen)
            _require_classes(wanted, name, one, files[classes].labels)
            notes += own
            read = _clean_photos(report, wanted, files[classes], classes)
            files[classes], photos[classes], small = read
            notes += small
        notes += left_out(name, (), files[classes].ignored_classes)
        size = one.info.input_size
        if place.kind == "cifar10-c" and size > SIDE:
            count = len(files[classes].labels)
            notes += of_small_photos(count, count, size, corrupted=False)
        if (classes, size) not in sized:
            sized[classes, size] = as_small_as(photos[classes], size)
        subjects.append(
            Subject(name, one.model, sized[classes, size], files[classes].labels, branches[name],
                    stored=files[classes])
        )  # fmt: skip
    notes += of_unlike_images(subjects, {name: one.info for name, one in opened.items()})
    complete = place.kind == "imagenet-c" and _is_complete(chosen)
    with_mce = [
        name
        for name, one in opened.items()
        if complete and _is_imagenet(one) and _is_as_published(files[one.info.classes])
    ]
    if place.kind == "imagenet-c" and len(with_mce) < len(opened):
        notes.append(
            "mCE is defined for networks with ImageNet's 1000 classes, over all 15 kinds and 5 "
            "severities, on photos of 224 pixels; otherwise the plain mean corruption error stands "
            "alone"
        )
    return Asked(tuple(subjects), tuple(dict.fromkeys(n for n in notes if n)), tuple(with_mce))


def leave_out_unread(
    report: Report,
    found: Mapping[Cell, Answers],
    asked: Asked,
    processes: Processes,
    *,
    strict: bool,
) -> dict[Cell, Answers]:
    """Answers to the images that could be read under every condition; the others are named.

    Raises:
        ValueError: With ``strict``, if there are others: found by an earlier run, whose figures
            were taken from the report's folder.
    """
    from advprop_core.evaluation.cells import only_shown

    kept = only_shown(found)
    lost = {cell.model: len(found[cell]) - len(answers) for cell, answers in kept.items()}
    for name, count in lost.items():
        if count and strict:
            raise ValueError(f"{name}: {count} images cannot be read: replace or remove them")
        if count:
            report.say(f"{name}: left out {count} images, for they cannot be read in every folder")
    files = {id(one.stored): getattr(one.stored, "unreadable", {}) for one in asked.subjects}
    met = [file for own in files.values() for file in own.values()]
    _name_unreadable(report, processes.gather(met))
    return kept


def _load(report: Report, wanted: Wanted, one: Checkpoint, size: int, *, quiet: bool) -> Images:
    from advprop_core.datasets.named import load_images

    images = load_images(
        wanted.data,
        size,
        classes=one.info.classes,
        limit=wanted.limit,
        strict=wanted.strict,
        download=wanted.download,
    )
    if not quiet:
        _name_unreadable(report, images.unreadable)
    return images


def _name_unreadable(report: Report, files: Sequence[Unreadable]) -> None:
    for file in files[:_SHOWN]:
        report.say(f"left out {file.path}: {file.reason}")
    if (more := len(files) - _SHOWN) > 0:
        report.say(f"left out {more} more unreadable images")


def _require_classes(wanted: Wanted, name: str, one: Checkpoint, labels: Tensor) -> None:
    """Refuse images of a single class."""
    if len(seen := labels.unique()) >= 2:
        return
    fewer = wanted.limit is not None and wanted.limit < len(one.info.classes)
    raise ValueError(
        f"{wanted.data} gives {name} images of one class only, "
        f"{one.info.class_names[int(seen[0])]}: a network that always answers it would be right; "
        "give images of several classes" + (", or raise --limit" if fewer else "")
    )


def _open_files(
    wanted: Wanted, classes: Classes, chosen: Sequence[tuple[str, int]]
) -> tuple[CorruptedArrays | CorruptedPhotos, list[str]]:
    """The files' images of a model's classes, and what is to be said of them."""
    from advprop_core.datasets import cifar, imagenet, imagenet_c
    from advprop_core.datasets.layouts import find_place

    place = find_place(wanted.data)
    assert place is not None
    if place.kind == "cifar10-c":
        arrays = cifar.CorruptedArrays.open(
            place.folder, classes, limit=wanted.limit, strict=wanted.strict
        )
        shown = len(cifar.CIFAR10_NAMES) - len(arrays.ignored_classes)
        return arrays, _of_few_classes(place, shown, classes)
    folders = imagenet_c.open_folders(place.folder)
    clean = None
    if wanted.clean is not None:
        before = find_place(wanted.clean)
        if before is None or before.kind not in (None, "imagenet"):
            raise ValueError(
                "--clean must be a folder with ImageNet's class folders, got "
                f"{wanted.clean}: give the photos that ImageNet-C was made from"
            )
        clean = imagenet.class_images("imagenet", before.folder).images
    photos = imagenet_c.CorruptedPhotos.open(
        {key: folders[key] for key in chosen},
        classes,
        clean=clean,
        limit=wanted.limit,
        strict=wanted.strict,
    )
    notes = []
    if photos.incomplete:
        where = "some folder" if clean is None else "some folder or --clean"
        notes.append(f"{photos.incomplete} photos were left out, for {where} lacks them")
    if photos.odd_size:
        width, height = photos.odd_size
        notes.append(
            f"photos of {width} × {height} pixels are among them, and ImageNet-C is published at "
            f"{imagenet_c.SIZE} × {imagenet_c.SIZE}: these are not the same corruptions"
        )
    return photos, notes + _of_few_classes(place, photos.known, classes)


def _of_few_classes(place: Place, shown: int, classes: Classes) -> list[str]:
    if shown == len(classes):
        return []
    return [f"{place.title}: images of {shown} of the model's {len(classes)} classes"]


def _clean_photos(
    report: Report, wanted: Wanted, stored: CorruptedArrays | CorruptedPhotos, classes: Classes
) -> tuple[CorruptedArrays | CorruptedPhotos, Tensor, list[str]]:
    """Those of the corrupted photos that match clean ones, these, cut alike, and what to say."""
    from advprop_core.datasets.class_folders import ClassFolders
    from advprop_core.datasets.folders import ImageFolder
    from advprop_core.datasets.imagenet_c import CROP, SIZE, CorruptedPhotos
    from advprop_core.evaluation.notes import of_small_photos
    from advprop_core.evaluation.stored_corruptions import empty_images

    if not isinstance(stored, CorruptedPhotos) or stored.clean is None:
        return stored, empty_images(SIZE), []
    clean = ClassFolders(stored.clean)
    folder = ImageFolder(clean, size=SIZE, classes=classes, strict=wanted.strict, crop=CROP)
    pixels, _ = folder.load_all()
    _name_unreadable(report, folder.unreadable)
    notes = of_small_photos(folder.enlarged, len(pixels), round(SIZE / CROP), corrupted=False)
    return stored.without([one.path for one in folder.unreadable]), pixels, notes


def _is_complete(chosen: Sequence[tuple[str, int]]) -> bool:
    from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES

    return {(kind, level) for kind in CORRUPTIONS for level in SEVERITIES} <= set(chosen)


def _is_as_published(stored: CorruptedArrays | CorruptedPhotos) -> bool:
    from advprop_core.datasets.imagenet_c import CorruptedPhotos

    return isinstance(stored, CorruptedPhotos) and stored.odd_size is None


def _is_imagenet(one: Checkpoint) -> bool:
    from advprop_core.datasets.imagenet import wnids_of

    return set(one.info.class_ids) == set(wnids_of("imagenet"))
