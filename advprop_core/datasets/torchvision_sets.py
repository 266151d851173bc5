"""Published sets by torchvision: Imagenette, and those whose images lie in arrays.

They are fetched only when a person asks for it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torchvision.datasets import CIFAR10, CIFAR100, KMNIST, MNIST, SVHN, FashionMNIST, Imagenette

from advprop_core.errors import InputError
from advprop_core.models.timm_networks import Offline

IMAGENETTE_FOLDERS = ("imagenette2-320", "imagenette2", "imagenette2-160")
"""What Imagenette's three archives unpack to; the one with a shorter side of 320 is fetched."""

_FETCHED = "320px"


def imagenette_folder(folder: Path, split: str, *, download: bool = False) -> Path:
    """Imagenette's class folders of ``train`` or ``val``, in ``imagenette2-320`` or its kin.

    The folder holds one of these or is one. Where asked, the archive (about 340 MB) is fetched into
    it, unless it is there.

    Raises:
        Offline: If it cannot be fetched.
        InputError: If there is none, and none was to be fetched.
    """
    for parent in (folder, *(folder / name for name in IMAGENETTE_FOLDERS)):
        if (parent / split).is_dir():
            return parent / split
    if not download:
        raise InputError(
            f"imagenette has {split}/WNID/IMAGE, in a folder such as {IMAGENETTE_FOLDERS[0]}, and "
            f"{folder} has neither: `advprop evaluate --download` fetches it there"
        )
    # Whole or not at all: an unpacking that was interrupted would look like a smaller data set.
    whole = folder / IMAGENETTE_FOLDERS[0]
    url, _ = Imagenette._ARCHIVES[_FETCHED]
    with _explaining_failures("Imagenette", url, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
            Imagenette(unfinished, split="val", size=_FETCHED, download=True)
            Path(unfinished, whole.name).replace(whole)
    return whole / split


@dataclass(frozen=True, eq=False)
class ArraySet:
    """One split of a set, whole in memory at the size it was published in.

    Attributes:
        images: (N, H, W) or (N, H, W, 3) uint8.
        labels: (N,) int64.
        names: Class names by label.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]


_IN_ARRAYS: Mapping[str, type[Any]] = {
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "svhn": SVHN,
    "mnist": MNIST,
    "fashion-mnist": FashionMNIST,
    "kmnist": KMNIST,
}


def array_kind_in(folder: Path) -> str | None:
    """Which of the sets the folder holds as it unpacks; the first where there are several."""
    return next((kind for kind in _IN_ARRAYS if (folder / _published(kind)[1]).exists()), None)


def _published(kind: str) -> tuple[str, str]:
    """Where a set is found, and what its archive unpacks to."""
    dataset = _IN_ARRAYS[kind]
    if kind == "svhn":
        url, file, _ = SVHN.split_list["train"]
        return url, file
    if kind.startswith("cifar"):
        return dataset.url, dataset.base_folder
    return dataset.mirrors[0], f"{dataset.__name__}/raw"


def open_arrays(kind: str, folder: Path, split: str, *, download: bool = False) -> ArraySet:
    """One split of a set, ``train`` or ``val`` (its test images).

    torchvision reads CIFAR's batches, which are pickles, after it has compared their checksums.
    Where asked, the archive is fetched into the folder, unless it is there.

    Raises:
        Offline: If it cannot be fetched.
        InputError: If it is missing or its checksums differ.
    """
    dataset, (url, unpacked) = _IN_ARRAYS[kind], _published(kind)
    is_train = split == "train"
    options: dict[str, Any] = {"train": is_train}
    if kind == "svhn":
        options = {"split": "train" if is_train else "test"}
    if download:
        with _explaining_failures(dataset.__name__, url, folder):
            dataset(folder, download=True, **options)
    try:
        data = dataset(folder, **options)
    except (RuntimeError, FileNotFoundError):
        folders = ", nor train/NAME/IMAGE and test/NAME/IMAGE" if kind == "cifar10" else ""
        raise InputError(
            f"{kind} needs {unpacked} with the published checksums, but {folder} does not "
            f"have it{folders}: `advprop evaluate --download` fetches it there"
        ) from None
    if kind == "svhn":  # which torchvision keeps with its channels first
        return ArraySet(data.data.transpose(0, 2, 3, 1), data.labels, tuple("0123456789"))
    # MNIST's are called "0 - zero" and so on.
    names = "0123456789" if kind == "mnist" else data.classes
    return ArraySet(np.asarray(data.data), np.asarray(data.targets, np.int64), tuple(names))


@contextmanager
def _explaining_failures(title: str, url: str, folder: Path) -> Iterator[None]:
    """Raise Offline, with where the set is found, in place of what a failed download raises."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # no network, no room; a wrong checksum
        raise Offline(
            f"{title} could not be downloaded ({error}): connect to the network, or unpack {url} "
            f"into {folder} yourself"
        ) from error
