"""Data sets as they lie on disk: ``KIND:DIR``, or a folder that shows what it is."""

from dataclasses import dataclass, replace
from pathlib import Path

from advprop_core.datasets import imagenet
from advprop_core.datasets.cifar import CIFAR10_NAMES, is_cifar10_c
from advprop_core.datasets.class_folders import SPLITS, ClassFolders, find_images, split_folder
from advprop_core.errors import InputError
from advprop_core.pictures.files import HIDDEN, is_hidden
from advprop_core.text import did_you_mean

TITLES = {
    "imagenet": "ImageNet",
    "imagenet-a": "ImageNet-A",
    "imagenet-r": "ImageNet-R",
    "imagenet-sketch": "ImageNet-Sketch",
    "imagenet-stylized": "Stylized-ImageNet",
    "imagenet-c": "ImageNet-C",
    "tiny-imagenet": "Tiny ImageNet",
    "imagenette": "Imagenette",
    "cifar10": "CIFAR-10",
    "cifar10-c": "CIFAR-10-C",
    "cifar100": "CIFAR-100",
    "svhn": "SVHN",
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "kmnist": "KMNIST",
}
"""Name of each layout, as a person writes it before the folder, and as articles do."""

CORRUPTED = ("imagenet-c", "cifar10-c")
"""Layouts that hold corruptions of another set's images."""
_IN_ARRAYS = ("cifar10", "cifar100", "svhn", "mnist", "fashion-mnist", "kmnist")


@dataclass(frozen=True)
class Place:
    """Where a data set lies, and how.

    Attributes:
        folder: May be missing still, where the set can be downloaded.
        kind: One of `TITLES`, or None: class folders.
        detected: Whether the kind was told by the folder, not by a person.
    """

    folder: Path
    kind: str | None
    detected: bool = False

    @property
    def title(self) -> str:
        """The set's name in articles; the folder's where it has none."""
        return TITLES[self.kind] if self.kind else str(self.folder)

    @property
    def is_arrays(self) -> bool:
        """Whether its images lie in arrays, as `torchvision_sets` reads them, and not in files."""
        if self.kind != "cifar10":  # which is often unpacked further, into images
            return self.kind in _IN_ARRAYS
        parents = (self.folder, *(self.folder / split for split in SPLITS))
        unpacked = any((parent / name).is_dir() for parent in parents for name in CIFAR10_NAMES)
        return not unpacked

    def note(self) -> str | None:
        """What was found out, in a sentence, or None."""
        if not self.detected or self.kind is None:
            return None
        name = self.folder.resolve().name  # no more of where it lies: others may read the note
        return f"{name} is laid out as {self.title}: read as {self.kind}:{name}"


def find_place(name: str) -> Place | None:
    """What a person names: ``KIND:DIR``, or a folder whose layout shows; None if it is neither.

    Raises:
        InputError: If the text is empty, what is before the colon is no layout, or nothing comes
            after it.
    """
    if not name:  # which Path would take for the folder one is in
        raise InputError("data must be a folder or KIND:DIR, and nothing was named")
    if Path(name).is_dir():
        kind = detect(Path(name))
        return Place(Path(name), kind, detected=kind is not None)
    kind, colon, folder = name.partition(":")
    if not colon or Path(name).exists():
        return None
    if kind not in TITLES:
        raise InputError(
            f"data must be a folder or KIND:DIR: there is no folder {name!r}, and {kind!r} is no "
            f"layout. {did_you_mean(kind, TITLES)}"
        )
    if not folder:
        raise InputError(f"data must be KIND:DIR, got {name!r}: add the folder, such as {kind}:DIR")
    return Place(Path(folder).expanduser(), kind)  # after a colon the shell leaves ~ as it is


def detect(folder: Path) -> str | None:
    """The layout that a folder shows, or None, where it is class folders like any other.

    Sets that differ in their photos alone (ImageNet, -Sketch, Stylized) show nothing.
    """
    from advprop_core.datasets.torchvision_sets import IMAGENETTE_FOLDERS, array_kind_in

    if imagenet.is_tiny_imagenet(folder):
        return "tiny-imagenet"
    if is_cifar10_c(folder):
        return "cifar10-c"
    test_folders = {entry.name for entry in (folder / "test").glob("*")}
    if {*CIFAR10_NAMES} <= test_folders:
        return "cifar10"
    if array_kind := array_kind_in(folder):
        return array_kind
    if any((folder / name).is_dir() for name in IMAGENETTE_FOLDERS):
        return "imagenette"
    if imagenet.corruption_folders(folder):
        return "imagenet-c"
    return imagenet.subset_in(folder)


def images_of(place: Place, split: str, *, download: bool = False) -> ClassFolders:
    """The images of each class folder, of any layout but `CORRUPTED` and sets in arrays.

    Of ``train`` or ``val``, where the set has splits; ``test`` is taken for ``val``. ``download``
    fetches Imagenette where it is missing.

    Raises:
        Offline: If it cannot be fetched.
        InputError: If the folder does not have the layout.
    """
    from advprop_core.datasets.torchvision_sets import imagenette_folder

    folder = place.folder
    if place.kind == "tiny-imagenet":
        return imagenet.tiny_class_images(folder, split)
    if place.kind == "imagenette":
        return find_images(imagenette_folder(folder, split, download=download))
    if place.kind is not None and place.kind != "cifar10":
        return imagenet.class_images(place.kind, folder, split)
    folders = find_images(split_folder(folder, split))
    if folders.root == folder:
        return folders
    # The hidden ones beside the splits are passed over too.
    beside = {path: HIDDEN for path in sorted(folder.iterdir()) if is_hidden(path.name)}
    return replace(folders, left_out=beside | {**folders.left_out}, root=folder)
