"""The photos of a run: what is trained on, what is held out, what is measured at the end."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from accelerate.utils import broadcast_object_list, gather_object
from PIL import Image
from torch import Tensor

from advprop_core.datasets.class_folders import ClassFolders, ClassMismatch, find_images
from advprop_core.datasets.imagenet import is_tiny_imagenet
from advprop_core.datasets.layouts import CORRUPTED, find_place
from advprop_core.datasets.listed import ImageList, Images, Unreadable, list_folder
from advprop_core.datasets.memory import room_for_images
from advprop_core.datasets.named import BUILTIN, list_images
from advprop_core.datasets.torchvision_sets import imagenette_folder
from advprop_core.errors import InputError
from advprop_core.evaluation.processes import are_several
from advprop_core.models.class_names import Classes
from advprop_core.pictures.files import list_pictures
from advprop_core.text import listing
from advprop_core.training.recipe import Recipe
from advprop_core.training.sources import InMemory, OnDisk, Source

MEASURED = 200
"""Photos that a run attacks at its end: PGD-10 on a network of 224 pixels takes a second each."""
_ONE_IN = 10  # photos without labels is measured
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
    size, measured_on = recipe.size, f"{Path(data).name} val"
    is_unlabelled = recipe.objective == "auxiliary" and not _has_labels(data)
    if is_unlabelled:
        photos = _list_any_photos(root_of(data))
        measured, photos = _divide(photos, _draw_measured(photos.files))
        measured_on = f"{Path(data).name}, {len(measured)} photos that are left out of training"
    else:
        photos = list_split(data, "train")
    digest = f"{Path(data).name} {len(photos)}"
    val = Images(torch.empty((0, 3, size, size)), torch.empty(0, dtype=torch.int64), photos.classes)
    if measures and is_unlabelled:
        val = measured.load(size)
    elif measures:  # now, not after hours
        val = _load_val(data, recipe, photos.classes)
    unreadable, holdout = val.unreadable, None
    # Scenes and the rows of an array have no names but their numbers.
    names = [file.name for file in photos.files] or [*map(str, range(len(photos)))]
    chosen = [row for row, name in enumerate(names) if held_out(name, recipe.holdout)]
    if chosen:
        out, photos = _divide(photos, chosen)
        holdout = out.load(size)
        unreadable += holdout.unreadable
    elif recipe.holdout:
        raise InputError(
            f"a holdout of {recipe.holdout:g} leaves out none of {len(photos)} photos: raise it"
        )
    source, photos, unread = _make_source(photos, recipe, device, in_memory)
    if not is_unlabelled and (lacking := classes_without_images(photos)):
        raise InputError(
            f"train has no photo of {listing(lacking)} that can be read and is not held out: add "
            "some, or remove the class"
        )
    if photos.files:
        names_of = "".join(f"{file.parent.name}/{file.name}\n" for file in photos.files)
        digest = hashlib.sha256(names_of.encode()).hexdigest()
    _require_agreement(digest)
    if (count := len(source)) < recipe.batch_size:
        remedy = "lower --batch-size" if count > 1 else "give more photos"
        raise InputError(
            f"batch_size is {recipe.batch_size}, but there are only {count} images to train with: "
            f"{remedy}"
        )
    unreadable += unread
    return TrainingData(source, holdout, val, digest, measured_on, unreadable, photos.left_out)


def _make_source(
    photos: ImageList, recipe: Recipe, device: torch.device, in_memory: bool | None
) -> tuple[Source, ImageList, tuple[Unreadable, ...]]:
    """Where batches come from, with the photos that can be read, and those that cannot."""
    side = recipe.size
    if not photos.files:
        in_memory = True  # scenes are drawn, and arrays unpacked, only once
    else:
        side = round(side * _MARGIN)
        if in_memory is None:
            in_memory = not recipe.augmentation.randaugment and _fits(len(photos), side)
            if are_several():  # they must decide alike
                (in_memory,) = broadcast_object_list([in_memory])
    if not in_memory:
        return OnDisk(photos, recipe), photos, ()
    loaded = photos.load(side)
    photos = replace(photos, labels=loaded.labels, places=loaded.files or photos.places)
    if recipe.augmentation.randaugment:  # timm takes images one by one
        rows, open_row = range(len(photos)), partial(_open_row, loaded.pixels)
        source: Source = OnDisk(replace(photos, places=rows, open=open_row), recipe)
    else:
        pixels, labels = loaded.pixels.to(device), loaded.labels.to(device)
        source = InMemory(pixels, labels, recipe, len(photos.classes))
    return source, photos, loaded.unreadable


def list_split(
    data: str,
    split: str,
    *,
    classes: Classes | None = None,
    limit: int | None = None,
    strict: bool = False,
) -> ImageList:
    """List a data set's ``train`` or ``val`` split.

    Args:
        data: A built-in name, or a folder that holds ``train/`` and ``val/``.
        split: ``train`` or ``val``.
        classes: As for :func:`~.named.list_images`.
        limit: Likewise.
        strict: Likewise.

    Raises:
        InputError: If there is no such data, it lacks a split, or its classes do not match.
    """
    name = data
    if not _is_whole(data):
        root = root_of(data)
        _require_splits(root, data)
        name = str(_folder_of(root, split))
    images = list_images(name, split=split, classes=classes, limit=limit, strict=strict)
    return replace(images, name=data)


def list_val(
    data: str, classes: Classes, *, limit: int | None = None, strict: bool = False
) -> ImageList:
    """List the ``val`` split, of just the classes that are trained; arguments as above."""
    try:
        return list_split(data, "val", classes=classes, limit=limit, strict=strict)
    except ClassMismatch as error:
        raise ClassMismatch(f"train and val must hold the same classes. {error}") from None


def classes_without_images(images: ImageList | Images) -> list[str]:
    """Names of the classes that no image shows."""
    seen = set(images.labels.tolist())
    return [name for label, (_, name) in enumerate(images.classes) if label not in seen]


def _is_whole(data: str) -> bool:
    """Whether its splits are no folders: drawn scenes, and arrays such as CIFAR-10's.

    So are corruptions of another set's images, which cannot be listed at all.
    """
    location = None if data in BUILTIN else find_place(data)
    return data in BUILTIN or (
        location is not None and (location.is_arrays or location.kind in CORRUPTED)
    )


def root_of(data: str) -> Path:
    """The folder that holds ``train`` and ``val``; ``KIND:DIR`` names it too."""
    place = find_place(data)
    if place is None:
        return Path(data)
    if place.kind == "imagenette":
        return imagenette_folder(place.folder, "train").parent
    return place.folder


def _folder_of(root: Path, split: str) -> Path:
    """Its folder; some sets, such as CIFAR-10, call the one to measure on ``test``."""
    if is_tiny_imagenet(root):
        return root  # which of its photos are of a split, a text file says
    folder, other = root / split, root / "test"
    return other if split == "val" and other.exists() and not folder.exists() else folder


def _has_labels(data: str) -> bool:
    """Whether both splits are there, and photos may lie in class folders in them."""
    if _is_whole(data):
        return True
    folders = [_folder_of(root_of(data), split) for split in ("train", "val")]
    return all(f.is_dir() and any(entry.is_dir() for entry in f.iterdir()) for f in folders)


def _list_any_photos(root: Path) -> ImageList:
    """All pictures of a folder, at any depth; its folders are classes if they hold all of them."""
    if not root.is_dir():
        there = "is a file" if root.exists() else "does not exist"
        raise InputError(
            f"the folder {root} {there}: data must be a folder with photos, or one of "
            f"{', '.join(BUILTIN)}"
        )
    pictures, left_out = list_pictures(root)
    if not pictures:
        raise InputError(f"there is no photo in {root}")
    if any(picture.parent == root for picture in pictures):
        return list_folder(ClassFolders({"photos": pictures}, left_out, root))
    return list_folder(find_images(root))


def _draw_measured(files: Sequence[Path]) -> list[int]:
    """One photo in ten, at least one and at most :data:`MEASURED`, by a hash of its name."""
    by_hash = sorted(range(len(files)), key=lambda row: _hashed(f"measured/{files[row].name}"))
    return by_hash[: min(MEASURED, max(1, len(files) // _ONE_IN))]


def held_out(name: str, share: float) -> bool:
    """Whether a file of this name belongs to the hold-out: a hash decides, so it never changes."""
    return _hashed(name) % 10_000 < round(share * 10_000)


def _hashed(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16)


def _divide(photos: ImageList, rows: Sequence[int]) -> tuple[ImageList, ImageList]:
    """The photos of these rows, and the others."""
    chosen = {*rows}
    return photos.select(rows), photos.select([r for r in range(len(photos)) if r not in chosen])


def _open_row(pixels: Tensor, row: int, _shorter_side: int | None) -> Image.Image:
    return Image.fromarray(pixels[row].permute(1, 2, 0).contiguous().numpy())


def _load_val(data: str, recipe: Recipe, classes: Classes) -> Images:
    needs_labels = recipe.objective != "auxiliary"
    listed = list_val(data, classes, limit=None if needs_labels else MEASURED, strict=True)
    val = listed.load(recipe.size, strict=True, alone=True)
    if needs_labels and (lacking := classes_without_images(val)):
        raise ClassMismatch(
            "train and val must hold the same classes. val has no photo of "
            f"{listing(lacking)}, so its accuracies would be of the others alone"
        )
    return val


def _require_splits(root: Path, data: str) -> None:
    """The commonest mistakes with folders, each with what to do."""
    if not root.is_dir():
        there = f"{data!r} is a file" if root.exists() else f"there is no folder {data!r}"
        raise InputError(f"data must be a folder or one of {', '.join(BUILTIN)}: {there}")
    wanted = "a folder that holds train/CLASS/PHOTO and val/CLASS/PHOTO"
    if not _folder_of(root, "train").is_dir():
        above = root.resolve().parent
        near = f"; did you mean {above}?" if root.name in ("train", "val") else ""
        raise InputError(f"{root} has no train/ in it: give {wanted}{near}")
    if not _folder_of(root, "val").is_dir():
        raise InputError(
            f"{root} has train/, but no val/: accuracies are measured on photos that training does "
            f"not see, so give {wanted}; move some photos of each class there"
        )


def _require_agreement(digest: str) -> None:
    """Processes that read other photos would deal from other orders, and wait for each other."""
    if are_several() and len(set(gather_object([digest]))) > 1:
        raise InputError(
            "the processes could not read the same training photos: make all of them readable "
            "everywhere"
        )


def _fits(count: int, side: int) -> bool:
    room = float(_MEMORY)
    if torch.cuda.is_available():
        room = _DEVICE_SHARE * torch.cuda.mem_get_info()[0]
    host = room_for_images()  # photos are read there, whatever they are read for
    return count * 3 * side * side <= min(room, room if host is None else host)
