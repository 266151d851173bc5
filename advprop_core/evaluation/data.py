"""The images that models are tested on: in memory, or corruptions in files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from advprop_core.datasets import cifar, imagenet, imagenet_c
from advprop_core.datasets.cifar import CorruptedArrays
from advprop_core.datasets.imagenet_c import CorruptedPhotos
from advprop_core.datasets.layouts import Place, find_place
from advprop_core.datasets.listed import ImageList, Images, Unreadable, open_photo
from advprop_core.datasets.named import among_own_classes, load_images
from advprop_core.errors import InputError
from advprop_core.evaluation.cells import PHOTO_SIZE, Stored, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.notes import left_out, of_small_photos, of_unlike_images
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import Classes
from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES
from advprop_core.pictures.pixels import resized

_BATCH = 64  # photos that are made smaller at a time


@dataclass(frozen=True)
class DataRequest:
    """What data a person asked for.

    Attributes:
        name: Built-in, a folder, or ``KIND:DIR``.
        clean: ImageNet's photos for ImageNet-C, as they were named, or None.
        limit: At most this many images.
        strict: Whether what cannot be used is refused rather than left out.
        download: Whether a missing set is fetched.
        data_classes_only: Whether models may answer only with classes that the data has.
    """

    name: str
    clean: str | None = None
    limit: int | None = None
    strict: bool = False
    download: bool = False
    data_classes_only: bool = False

    def stored_corruptions(self) -> tuple[tuple[str, int], ...] | None:
        """Kind and severity of what the files of ImageNet-C or CIFAR-10-C hold; None for others.

        Raises:
            InputError: If they hold nothing, or clean photos are given where they have no use.
        """
        place = find_place(self.name)
        kind = place.kind if place else None
        if self.clean is not None and kind != "imagenet-c":
            raise InputError(
                f"--clean gives ImageNet's photos to imagenet-c:DIR, and --data is {self.name}: "
                "leave it out"
            )
        if place is None or kind not in ("imagenet-c", "cifar10-c"):
            return None
        if kind == "cifar10-c":
            return cifar.corruptions_in(place.folder)
        return tuple(imagenet_c.open_folders(place.folder))


@dataclass(frozen=True, eq=False)
class TestData:
    """Models with their images, and what a person should know of these.

    Attributes:
        models: Each model with its images.
        notes: In sentences.
        unreadable: Files that were left out.
        with_mce: Names of the models for which mCE is defined.
        images: Model to where its images come from; of corruptions in files, nothing.
    """

    models: Sequence[TestedModel]
    notes: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    with_mce: tuple[str, ...] = ()
    images: Mapping[str, Images] | None = None

    __test__ = False  # no class of tests, whatever pytest makes of its name


def open_images(
    request: DataRequest,
    opened: Mapping[str, Checkpoint],
    branches: Mapping[str, tuple[str, ...]] | None = None,
    *,
    with_photos: bool = False,
) -> TestData:
    """Read each model's images; models of one size and with the same classes share them.

    Args:
        request: Which images.
        opened: The models by name.
        branches: Model to who predicts; every branch by default.
        with_photos: Whether the images are also wanted at the size of corruptions.

    Raises:
        ValueError: If the images cannot be used, or are of one class only.
    """
    infos = {name: checkpoint.info for name, checkpoint in opened.items()}
    wanted = [(info.classes, info.input_size) for info in infos.values()]
    if with_photos:
        wanted += [(info.classes, PHOTO_SIZE) for info in infos.values()]
    read = {key: _load(request, *key) for key in dict.fromkeys(wanted)}
    by_model = {name: read[info.classes, info.input_size] for name, info in infos.items()}
    models = [
        TestedModel(
            name,
            opened[name].model,
            sized.pixels,
            sized.labels,
            (branches or {}).get(name, ()),
            read[infos[name].classes, PHOTO_SIZE].pixels if with_photos else None,
            sized.textures,
            among=sized.among,
            info=infos[name],
        )
        for name, sized in by_model.items()
    ]
    notes = [note for sized in read.values() for note in sized.notes]
    for name, sized in by_model.items():
        notes += left_out(name, sized.unreadable, sized.ignored_classes)
    for (_, size), sized in read.items():
        corrupted = with_photos and size == PHOTO_SIZE
        notes += of_small_photos(sized.enlarged, len(sized.labels), size, corrupted=corrupted)
    return _test_data(request, models, notes, read.values(), images=by_model)


def _load(request: DataRequest, classes: Classes, size: int) -> Images:
    images = load_images(
        request.name,
        size,
        classes=classes,
        limit=request.limit,
        strict=request.strict,
        download=request.download,
    )
    return among_own_classes(images) if request.data_classes_only else images


def open_stored(
    request: DataRequest,
    opened: Mapping[str, Checkpoint],
    branches: Mapping[str, tuple[str, ...]],
    conditions: Sequence[Condition],
) -> TestData:
    """Each model with the corrupted images that files hold; those with the same classes share.

    As :func:`open_images`; of the files, those of the conditions are read.
    """
    place = find_place(request.name)
    assert place is not None
    infos = {name: checkpoint.info for name, checkpoint in opened.items()}
    chosen = [(c.corruption.kind, c.corruption.severity) for c in conditions if c.corruption]
    sets = {
        classes: _open_set(request, place, classes, chosen)
        for classes in dict.fromkeys(info.classes for info in infos.values())
    }
    sizes = dict.fromkeys((info.classes, info.input_size) for info in infos.values())
    clean = {(classes, size): _at_size(sets[classes].clean, size) for classes, size in sizes}
    models = [
        TestedModel(
            name,
            opened[name].model,
            clean[info.classes, info.input_size],
            sets[info.classes].files.labels,
            branches[name],
            stored=sets[info.classes].files,
            info=info,
        )
        for name, info in infos.items()
    ]
    notes = [place.note(), *(note for stored in sets.values() for note in stored.notes)]
    for name, info in infos.items():
        files, size = sets[info.classes].files, info.input_size
        notes += left_out(name, (), files.ignored_classes)
        if place.kind == "cifar10-c" and size > cifar.SIDE:
            notes += of_small_photos(len(files.labels), len(files.labels), size, corrupted=False)
    every_file = {(kind, severity) for kind in CORRUPTIONS for severity in SEVERITIES}
    wnids = {*imagenet.wnids_of("imagenet")}
    with_mce = tuple(
        name
        for name, info in infos.items()
        if {*info.class_ids} == wnids
        and every_file <= {*chosen}
        and isinstance(files := sets[info.classes].files, CorruptedPhotos)
        and files.odd_size is None
    )
    if place.kind == "imagenet-c" and len(with_mce) < len(opened):
        notes.append(
            "mCE is defined for networks with ImageNet's 1000 classes, over all 15 kinds and 5 "
            "severities, on photos of 224 pixels; here only the plain mean corruption error is "
            "given"
        )
    return _test_data(request, models, notes, sets.values(), with_mce=with_mce)


@dataclass(frozen=True, eq=False)
class _StoredSet:
    """A published set's files for one list of classes, with clean photos where there are some."""

    files: Stored
    clean: Tensor
    notes: Sequence[str]
    unreadable: Sequence[Unreadable] = ()


def _test_data(
    request: DataRequest,
    models: Sequence[TestedModel],
    notes: Sequence[str | None],
    sources: Iterable[Images | _StoredSet],
    **more: Any,
) -> TestData:
    """Models and what is to be said of them; refuses images of a single class."""
    for model in models:
        if len(seen := model.labels.unique()) < 2:
            assert model.info is not None
            fewer = request.limit is not None and request.limit < model.info.num_classes
            raise InputError(
                f"all images for {model.name} show one class, "
                f"{model.info.class_names[int(seen[0])]}: a network that always gives this answer "
                "would be right. Give images of several classes"
                + (", or raise the limit" if fewer else "")
            )
    unreadable = dict.fromkeys(file for source in sources for file in source.unreadable)
    unique_notes = dict.fromkeys(note for note in (*notes, *of_unlike_images(models)) if note)
    return TestData(models, tuple(unique_notes), tuple(unreadable), **more)


def _open_set(
    request: DataRequest, place: Place, classes: Classes, chosen: Sequence[tuple[str, int]]
) -> _StoredSet:
    """The files' images of a model's classes, and what is to be said of them."""
    limit, strict, size, crop = request.limit, request.strict, imagenet_c.SIZE, imagenet_c.CROP
    no_photos = torch.empty((0, 3, size, size), dtype=torch.uint8)
    if place.kind == "cifar10-c":
        arrays = CorruptedArrays.open(place.folder, classes, limit=limit, strict=strict)
        shown = len(cifar.CIFAR10_NAMES) - len(arrays.ignored_classes)
        return _StoredSet(arrays, no_photos, _of_few_classes(place, shown, classes))
    folders = imagenet_c.open_folders(place.folder)
    clean = None
    if request.clean is not None:
        clean_place = find_place(request.clean)
        if clean_place is None or clean_place.kind not in (None, "imagenet"):
            raise InputError(
                "--clean must be a folder with ImageNet's class folders, got "
                f"{request.clean}: give the photos that ImageNet-C was made from"
            )
        clean = imagenet.class_images("imagenet", clean_place.folder).images
    photos = CorruptedPhotos.open(
        {key: folders[key] for key in chosen}, classes, clean=clean, limit=limit, strict=strict
    )
    notes = []
    if photos.incomplete:
        where = "some folder" if clean is None else "some folder or --clean"
        notes.append(f"{photos.incomplete} photos were left out, because {where} lacks them")
    if photos.odd_size:
        width, height = photos.odd_size
        notes.append(
            f"photos of {width} × {height} pixels are among them, and ImageNet-C is published at "
            f"{size} × {size}: these are not the same corruptions"
        )
    notes += _of_few_classes(place, photos.class_count, classes)
    if not photos.clean:
        return _StoredSet(photos, no_photos, notes)
    # The clean photos are cut as the corrupted ones were, so that both show the same.
    listed = ImageList(str(request.clean), tuple(classes), photos.labels, photos.clean, open_photo)
    clean_images = listed.load(size, crop=crop, strict=strict)
    notes += of_small_photos(
        clean_images.enlarged, len(clean_images.pixels), round(size / crop), corrupted=False
    )
    matching = photos.without([file.path for file in clean_images.unreadable])
    return _StoredSet(matching, clean_images.pixels, notes, clean_images.unreadable)


def _of_few_classes(place: Place, shown: int, classes: Classes) -> list[str]:
    if shown == len(classes):
        return []
    return [f"{place.title}: images of {shown} of the model's {len(classes)} classes"]


def _at_size(images: Tensor, size: int) -> Tensor:
    """Images (N, 3, H, W) uint8 at a network's size."""
    small = [resized(some.float() / 255, size) for some in images.split(_BATCH)]
    return (torch.cat(small) * 255).round().byte()
