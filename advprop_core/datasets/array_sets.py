"""Published sets whose images lie in arrays: CIFAR, SVHN and the three MNISTs, by torchvision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torchvision.datasets import CIFAR10, CIFAR100, KMNIST, MNIST, SVHN, FashionMNIST

from advprop_core.datasets.torchvision_sets import explaining_failures
from advprop_core.errors import InputError

_DIGITS = tuple("0123456789")


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


@dataclass(frozen=True)
class _Published:
    """How torchvision has a set.

    Attributes:
        title: Its name in articles.
        open: From folder, split (``train`` or ``val``) and whether to download, to the data set.
        marker: What its archive unpacks to, by which a folder shows that it holds the set.
        where: What is fetched, or should be unpacked.
        names: Class names, where torchvision has them otherwise or not at all.
    """

    title: str
    open: Callable[[str, str, bool], Any]
    marker: str
    where: Callable[[], str]
    names: tuple[str, ...] | None = None


def _by_flag(dataset: type[Any]) -> Callable[[str, str, bool], Any]:
    return lambda root, split, download: dataset(root, train=split == "train", download=download)


def _svhn(root: str, split: str, download: bool) -> Any:
    return SVHN(root, split="train" if split == "train" else "test", download=download)


_PUBLISHED: Mapping[str, _Published] = {
    "cifar10": _Published("CIFAR-10", _by_flag(CIFAR10), CIFAR10.base_folder, lambda: CIFAR10.url),
    "cifar100": _Published(
        "CIFAR-100", _by_flag(CIFAR100), CIFAR100.base_folder, lambda: CIFAR100.url
    ),
    "svhn": _Published(
        "SVHN", _svhn, SVHN.split_list["train"][1], lambda: SVHN.split_list["train"][0], _DIGITS
    ),
    "mnist": _Published("MNIST", _by_flag(MNIST), "MNIST/raw", lambda: MNIST.mirrors[0], _DIGITS),
    "fashion-mnist": _Published(
        "Fashion-MNIST",
        _by_flag(FashionMNIST),
        "FashionMNIST/raw",
        lambda: FashionMNIST.mirrors[0],
    ),
    "kmnist": _Published("KMNIST", _by_flag(KMNIST), "KMNIST/raw", lambda: KMNIST.mirrors[0]),
}


def array_kind_in(folder: Path) -> str | None:
    """Which of the sets the folder holds as it unpacks; the first where there are several."""
    return next((kind for kind, of in _PUBLISHED.items() if (folder / of.marker).exists()), None)


def open_arrays(kind: str, folder: Path, split: str, *, download: bool = False) -> ArraySet:
    """One split of a set, ``train`` or ``val`` (its test images).

    torchvision reads CIFAR's batches, which are pickles, after it has compared their checksums.
    Where asked, the archive is fetched into the folder, unless it is there.

    Raises:
        Offline: If it cannot be fetched.
        InputError: If it is missing or its checksums differ.
    """
    published = _PUBLISHED[kind]
    if download:
        with explaining_failures(published.title, published.where(), folder):
            published.open(str(folder), split, True)
    try:
        dataset = published.open(str(folder), split, False)
    except (RuntimeError, FileNotFoundError):
        folders = ", nor train/NAME/IMAGE and test/NAME/IMAGE" if kind == "cifar10" else ""
        raise InputError(
            f"{kind} needs {published.marker} with the published checksums, but {folder} does not "
            f"have it{folders}: `advprop evaluate --download` fetches it there"
        ) from None
    targets = dataset.labels if kind == "svhn" else dataset.targets
    images = np.asarray(dataset.data)
    if kind == "svhn":  # which torchvision keeps with its channels first
        images = images.transpose(0, 2, 3, 1)
    names = published.names or tuple(dataset.classes)
    return ArraySet(images, np.asarray(targets, np.int64), names)
