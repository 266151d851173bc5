"""The photos of a run: what is trained on, what is held out, what is measured at the end."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate.utils import broadcast_object_list, gather_object

from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.datasets.folders import ImageFolder, Unreadable
from advprop_core.datasets.layouts import find_place
from advprop_core.datasets.memory import room_for_images
from advprop_core.datasets.named import BUILTIN, Images, load_images, readable_classes
from advprop_core.datasets.tiny_imagenet import is_tiny_imagenet
from advprop_core.datasets.torchvision_sets import imagenette_folder
from advprop_core.errors import InputError
from advprop_core.evaluation.processes import are_several
from advprop_core.models.class_names import exact
from advprop_core.pictures.files import is_hidden
from advprop_core.text import listing
from advprop_core.training.any_photos import (
    MEASURED,
    Sample,
    draw_measured,
    find_any_photos,
    hashed,
)
from advprop_core.training.recipe import Recipe
from advprop_core.training.sources import InMemory, OnDisk, Source

_MARGIN = 4 / 3  # stored side over training side, so that a crop keeps some detail
_MEMORY = 2**30  # bytes of photos that are kept in a computer's memory
_DEVICE_SHARE = 0.5  # of a GPU's free memory


@dataclass(frozen=True)
class TrainingData:
    """What a run reads.

    Attributes:
        source: Training photos, batch by batch.
        holdout: Photos of ``train`` that are measured after every epoch, or None.
        val: Photos that are measured once, at the end; none where another process does that.
        digest: Of the training photos' names and labels, so that another set is noticed.
        measured_on: What ``val`` is, for people.
        unreadable: Training photos that cannot be read, each with the reason.
        left_out: What else of ``train`` is passed over, in a sentence, or None.
    """

    source: Source
    holdout: Images | None
    val: Images
    digest: str
    measured_on: str = ""
    unreadable: tuple[Unreadable, ...] = ()
    left_out: str | None = None

    @property
    def classes(self) -> tuple[tuple[str, str], ...]:
        """(id, name) of each class."""
        return self.val.classes


def load_data(
    data: str,
    recipe: Recipe,
    device: torch.device,
    *,
    measures: bool = True,
    in_memory: bool | None = None,
) -> TrainingData:
    """Read ``train`` and ``val``, in memory where they fit, and hold out what the recipe says.

    Args:
        data: A built-in name, or a folder that holds ``train/`` and ``val/``. The objective
            ``auxiliary`` also takes photos in a folder, however they lie there: it needs no labels.
        recipe: Gives sizes, hold-out, and whether photos must be augmented one by one.
        device: Where batches are wanted.
        measures: Whether this process reads ``val``'s photos, to be asked about them at the end.
        in_memory: Whether the training photos are kept there, as they were before a break: it
            decides how they are augmented. None keeps them where they fit.

    Raises:
        ImageError: If a photo that must be read cannot be.
        InputError: If there is no such data, a class folder holds no image, the classes of both
            splits differ, or fewer photos are left than a step draws.
    """
    if data in BUILTIN or _is_arrays(data):
        read = _whole(data, recipe, device)
    else:
        read = _photos(data, recipe, device, measures, in_memory)
    _require_agreement(read.digest)
    if (count := len(read.source)) < recipe.batch_size:
        remedy = "lower --batch-size" if count > 1 else "give more photos"
        raise InputError(
            f"batch_size is {recipe.batch_size}, but there are only {count} images to train with: "
            f"{remedy}"
        )
    return read


def load_split(
    data: str,
    split: str,
    size: int,
    *,
    classes: Sequence[tuple[str, str]] | None = None,
    limit: int | None = None,
    alone: bool = False,
) -> Images:
    """Read a data set's ``train`` or ``val`` split at the size the network sees.

    Args:
        data: A built-in name, or a folder that holds ``train/`` and ``val/``.
        split: ``train`` or ``val``.
        size: Side in pixels.
        classes: The (id, name) pairs that labels count; by default those of this split.
        limit: At most this many photos, evenly over the classes.
        alone: Whether no other process reads it.

    Raises:
        InputError: If there is no such data, or its classes do not match.
    """
    is_whole = data in BUILTIN or _is_arrays(data)
    source = data if is_whole else str(folder_of(root_of(data), split))
    return load_images(
        source, size, split=split, classes=classes, limit=limit, strict=split == "val", alone=alone
    )


def _is_arrays(data: str) -> bool:
    """Whether it is a published set whose images lie in arrays, such as CIFAR-10."""
    place = find_place(data)
    return place is not None and place.is_arrays


def root_of(data: str) -> Path:
    """The folder that holds ``train`` and ``val``; ``KIND:DIR`` names it too."""
    place = find_place(data)
    if place is None:
        return Path(data)
    if place.kind == "imagenette":
        return imagenette_folder(place.folder, "train").parent
    return place.folder


def folder_of(root: Path, split: str) -> Path:
    """Its folder; some sets, such as CIFAR-10, call the one to measure on ``test``."""
    if is_tiny_imagenet(root):
        return root  # which of its photos are of a split, a text file says
    folder, other = root / split, root / "test"
    return other if split == "val" and other.exists() and not folder.exists() else folder


def held_out(name: str, share: float) -> bool:
    """Whether a file of this name belongs to the hold-out: a hash decides, so it never changes."""
    return hashed(name) % 10_000 < round(share * 10_000)


def _whole(data: str, recipe: Recipe, device: torch.device) -> TrainingData:
    """Sets whose images are no files of their own: drawn scenes, and arrays such as CIFAR-10's."""
    split = load_split(data, "train", recipe.size)
    out = torch.tensor([held_out(str(i), recipe.holdout) for i in range(len(split.labels))])
    _require_holdout(recipe, int(out.sum()), len(out))
    images, labels, count = split.pixels[~out], split.labels[~out], len(split.classes)
    source: Source
    if recipe.augmentation.randaugment:
        source = OnDisk.of_tensors(images, labels, recipe, count)
    else:
        source = InMemory(images.to(device), labels.to(device), recipe, count)
    holdout = Images(split.pixels[out], split.labels[out], split.classes) if out.any() else None
    val = load_split(data, "val", recipe.size, classes=split.classes, limit=_limit(recipe))
    name = Path(data).name
    return TrainingData(source, holdout, val, f"{name} {len(split.labels)}", f"{name} val")


def _photos(
    data: str, recipe: Recipe, device: torch.device, measures: bool, in_memory: bool | None
) -> TrainingData:
    root, side = root_of(data), round(recipe.size * _MARGIN)
    is_split = recipe.objective != "auxiliary" or all(
        _has_folders(folder_of(root, split)) for split in ("train", "val")
    )
    measured: tuple[Sample, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    measured_on = f"{Path(data).name} val"
    if is_split:
        require_splits(root, data)
        folder = ImageFolder(root / "train", size=side)
        _require_full_classes(root / "train", folder)
    else:
        folder = ImageFolder(find_any_photos(root), size=side)
        measured = draw_measured(folder.samples)
        measured_on = f"{Path(data).name}, {len(measured)} photos that are left out of training"
    classes = readable_classes(folder.classes, root)
    val = Images(torch.empty((0, 3, recipe.size, recipe.size)), torch.empty(0), classes)
    if measures and is_split:
        val = _measured(data, recipe, classes)  # now, not after hours
    elif measures:
        val, unreadable = _of_samples(folder, measured, recipe.size, classes)
    apart = set(measured)
    samples = tuple(sample for sample in folder.samples if sample not in apart)
    folder.samples = tuple(s for s in samples if not held_out(s[0].name, recipe.holdout))
    holdout: Images | None = None
    chosen = tuple(s for s in samples if held_out(s[0].name, recipe.holdout))
    _require_holdout(recipe, len(chosen), len(samples))
    if chosen:
        holdout, unread = _of_samples(folder, chosen, recipe.size, classes)
        unreadable += unread
    source: Source = OnDisk.of_files(folder.samples, recipe, len(classes))
    if in_memory is None:
        in_memory = not recipe.augmentation.randaugment and _fits(len(folder), folder.size)
        if are_several():  # they must decide alike
            (in_memory,) = broadcast_object_list([in_memory])
    if in_memory:
        images, labels = folder.load_all()
        source = InMemory(images.to(device), labels.to(device), recipe, len(classes))
        unreadable += folder.unreadable
    left_out = {file.path for file in unreadable}
    samples = tuple(sample for sample in folder.samples if sample[0] not in left_out)
    if is_split:
        _require_every_class(samples, classes)
    passed_over = folder.folders.describe_left_out()
    digest = _digest(samples)
    return TrainingData(source, holdout, val, digest, measured_on, unreadable, passed_over)


def _of_samples(
    folder: ImageFolder,
    samples: tuple[Sample, ...],
    size: int,
    classes: tuple[tuple[str, str], ...],
) -> tuple[Images, tuple[Unreadable, ...]]:
    """Some photos of a folder at the size of the network, and what of them cannot be read."""
    part = ImageFolder(folder.folders, size=size)
    part.samples = samples
    return Images(*part.load_all(), classes), part.unreadable


def _has_folders(folder: Path) -> bool:
    """Whether photos may lie in class folders there, and not loose."""
    return folder.is_dir() and any(entry.is_dir() for entry in folder.iterdir())


def _limit(recipe: Recipe) -> int | None:
    return MEASURED if recipe.objective == "auxiliary" else None


def require_splits(root: Path, data: str) -> None:
    """The commonest mistakes with folders, each with what to do."""
    if not root.is_dir():
        there = f"{data!r} is a file" if root.exists() else f"there is no folder {data!r}"
        raise InputError(f"data must be a folder or one of {', '.join(BUILTIN)}: {there}")
    wanted = "a folder that holds train/CLASS/PHOTO and val/CLASS/PHOTO"
    if not folder_of(root, "train").is_dir():
        above = root.resolve().parent
        near = f"; did you mean {above}?" if root.name in ("train", "val") else ""
        raise InputError(f"{root} has no train/ in it: give {wanted}{near}")
    if not folder_of(root, "val").is_dir():
        raise InputError(
            f"{root} has train/, but no val/: accuracies are measured on photos that training does "
            f"not see, so give {wanted}; move some photos of each class there"
        )


def _require_holdout(recipe: Recipe, chosen: int, photos: int) -> None:
    if recipe.holdout and not chosen:
        raise InputError(
            f"a holdout of {recipe.holdout:g} leaves out none of {photos} photos: raise it"
        )


def _measured(data: str, recipe: Recipe, classes: tuple[tuple[str, str], ...]) -> Images:
    """The photos of ``val``, of just the classes that are trained."""
    try:
        val = load_split(
            data, "val", recipe.size, classes=classes, limit=_limit(recipe), alone=True
        )
    except ClassMismatch as error:
        raise ClassMismatch(f"train and val must hold the same classes. {error}") from None
    seen = set(val.labels.tolist())
    lacking = [name for label, (_, name) in enumerate(classes) if label not in seen]
    if lacking and recipe.objective != "auxiliary":
        raise ClassMismatch(
            "train and val must hold the same classes. val has no photo of "
            f"{listing(lacking)}, so its accuracies would be of the others alone"
        )
    return val


def _digest(samples: Sequence[Sample]) -> str:
    names = "".join(f"{path.parent.name}/{path.name}\n" for path, _ in samples)
    return hashlib.sha256(names.encode()).hexdigest()


def _require_agreement(digest: str) -> None:
    """Processes that read other photos would deal from other orders, and wait for each other."""
    if are_several() and len(set(gather_object([digest]))) > 1:
        raise InputError(
            "the processes could not read the same training photos: make all of them readable "
            "everywhere"
        )


def _require_every_class(samples: Sequence[Sample], classes: tuple[tuple[str, str], ...]) -> None:
    seen = {label for _, label in samples}
    if lacking := [name for label, (_, name) in enumerate(classes) if label not in seen]:
        raise InputError(
            f"train has no photo of {listing(lacking)} that can be read and is not held out: add "
            "some, or remove the class"
        )


def _require_full_classes(root: Path, folder: ImageFolder) -> None:
    entries = (path for path in root.iterdir() if path.is_dir() and not is_hidden(path.name))
    names = {exact(path.name) for path in entries}
    if empty := sorted(names - set(folder.classes)):
        raise InputError(
            f"{root} has class folders with no image in them: {', '.join(empty[:10])}; "
            "fill or remove them"
        )


def _fits(count: int, side: int) -> bool:
    room = float(_MEMORY)
    if torch.cuda.is_available():
        room = _DEVICE_SHARE * torch.cuda.mem_get_info()[0]
    host = room_for_images()  # photos are read there, whatever they are read for
    return count * 3 * side * side <= min(room, room if host is None else host)
