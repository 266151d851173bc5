"""Zip files: written so that equal content gives equal bytes, and read without trusting them.

Nothing is unpacked to disk, so a name cannot lead anywhere; and nothing is unpickled.
"""

import io
import re
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from advprop_core.errors import InputError
from advprop_core.files import ZIP_ERRORS

Array = NDArray[np.float32]

MOST_BYTES = 256_000_000
"""Of what a zip holds, unpacked: a picture of 1000 pixels a side and its maps take a third."""
_MOST_FILES = 200
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}", re.ASCII)
_COMPRESSED = (".png", ".jpg", ".jpeg", ".webp", ".npz")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BundleError(InputError):
    """A file that is no usable bundle; the message is fit for a person to read."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files in this order; without time or owner, equal files give equal bytes.

    Raises:
        BundleError: If they are more than :func:`unpack` reads.
    """
    if (total := sum(map(len, files.values()))) > MOST_BYTES:
        raise BundleError(
            f"this takes {total / 1e6:,.0f} MB, and a bundle holds at most {MOST_BYTES / 1e6:,.0f} "
            "MB: use a smaller picture"
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)  # dated 1980
            entry.create_system = 3  # as on Unix, wherever it is written
            entry.external_attr = 0o644 << 16
            is_small = name.endswith(_COMPRESSED)
            entry.compress_type = zipfile.ZIP_STORED if is_small else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def unpack(data: bytes, title: str) -> dict[str, bytes]:
    """Name to content of every file in a zip, which messages call by the title.

    Raises:
        BundleError: If it is no zip, damaged, too large, or holds what :func:`pack` never writes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check(entries, title)
            return {entry.filename: archive.read(entry) for entry in entries}
    except ZIP_ERRORS as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{title} is no zip file, or it is damaged or cut off") from None


def _check(entries: list[zipfile.ZipInfo], title: str) -> None:
    if len(entries) > _MOST_FILES:
        raise BundleError(f"{title} holds {len(entries):,} files, and a bundle has few")
    # `read` never gives more than what an entry declares, so the sum of these is a limit.
    if (total := sum(entry.file_size for entry in entries)) > MOST_BYTES:
        raise BundleError(
            f"{title} unpacks to {total / 1e6:,.0f} MB, and a bundle holds at most "
            f"{MOST_BYTES / 1e6:,.0f} MB"
        )
    for entry in entries:
        if not _NAME.fullmatch(name := entry.filename):
            raise BundleError(f"{title} holds a file named {name[:60]!r}: no bundle has such names")
        if entry.compress_type not in _METHODS:  # the others have no such limit while they unpack
            raise BundleError(f"{title} is packed in a way that no bundle is")


def pack_arrays(arrays: Mapping[str, Array]) -> bytes:
    """An ``.npz`` of float32 arrays; equal arrays give equal bytes."""
    files = {}
    for name, values in arrays.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(values, "<f4"), allow_pickle=False)
        files[f"{name}.npy"] = buffer.getvalue()
    return pack(files)


def unpack_arrays(data: bytes, title: str) -> dict[str, Array]:
    """Name to array of an ``.npz``.

    Raises:
        BundleError: For what :func:`unpack` refuses, and for anything but finite float32.
    """
    return {
        name.removesuffix(".npy"): _read_array(content, f"{name} in {title}")
        for name, content in unpack(data, title).items()
    }


def _read_array(data: bytes, title: str) -> Array:
    try:
        values: Array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except Exception:  # whatever a stranger's header makes numpy's parser raise
        values = np.empty(0, np.float16)
    if values.dtype != np.dtype("<f4"):
        raise BundleError(f"{title} is no array of float32, or it is damaged")
    if not np.isfinite(values).all():
        raise BundleError(f"{title} holds values that are no finite numbers")
    return values
