"""Imagenette as torchvision has it: fetched when a person asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from torchvision.datasets import Imagenette

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
    with explaining_failures("Imagenette", url, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
            Imagenette(unfinished, split="val", size=_FETCHED, download=True)
            Path(unfinished, whole.name).replace(whole)
    return whole / split


@contextmanager
def explaining_failures(title: str, url: str, folder: Path) -> Iterator[None]:
    """Raise Offline, with where the set is found, in place of what a failed download raises."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # no network, no room; a wrong checksum
        raise Offline(
            f"{title} could not be downloaded ({error}): connect to the network, or unpack {url} "
            f"into {folder} yourself"
        ) from error
