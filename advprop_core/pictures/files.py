"""Picture files in folders: which are read, and which are left out and why; loads no torch."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from advprop_core.pictures.formats import EXTENSIONS, ImageError

MAX_BYTES = 500_000_000
"""Size of the largest file that is read: 80 megapixels of 16-bit colour, uncompressed."""

HIDDEN = "hidden"
"""Why files are left out that a system keeps for itself; no person means them as data."""
NO_PICTURE = "no picture, by the ending"
NO_FILE = "pipe or device"
BROKEN = "link that leads nowhere"
TWICE = "folder that is already read under another name"
OUTSIDE = "link that leads out of the folder"
CLOSED = "folder that cannot be opened"

_OF_SYSTEMS = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
_EXAMPLES = 3


@dataclass(frozen=True)
class LeftOut:
    """A file or a folder that is passed over, and why, in a few words."""

    path: Path
    reason: str


@dataclass
class FolderListing:
    """The pictures in a folder and below it, and what is left out there."""

    pictures: list[Path] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def is_hidden(name: str) -> bool:
    """Whether a file or a folder of this name is a system's own."""
    return name.startswith(".") or name in _OF_SYSTEMS


def is_picture(name: str) -> bool:
    """Whether the ending of a file's name is that of a picture that can be read."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in EXTENSIONS


def read_file(path: Path) -> bytes:
    """The bytes of a picture's file, whose size and kind are checked first.

    Raises:
        ImageError: The file is no regular one, which could block for ever, or too large.
        OSError: It cannot be opened.
    """
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise ImageError("This is a folder, a pipe or a device: give the file of a photo.")
    if facts.st_size > MAX_BYTES:
        raise ImageError(
            f"This file has {facts.st_size / 1e6:,.0f} MB, and at most {MAX_BYTES / 1e6:,.0f} MB "
            "are read: make the picture smaller first."
        )
    return path.read_bytes()


def list_pictures(folder: Path, *, within: Path | None = None) -> FolderListing:
    """The regular files with a picture's ending in a folder and below it, sorted by path.

    Links to files and folders are followed, each folder once.

    Args:
        folder: Which exists.
        within: If given, links that lead out of this folder are left out.
    """
    listing = FolderListing()
    boundary = None if within is None else os.path.realpath(within)
    real_folders = {os.path.realpath(folder)}
    pending = [os.fspath(folder)]
    while pending:
        for entry in _entries(pending.pop(), listing):
            reason = _why_left_out(entry, boundary)
            if reason is None and entry.is_dir():
                real = os.path.realpath(entry.path)
                reason = TWICE if real in real_folders else None
                if reason is None:
                    real_folders.add(real)
                    pending.append(entry.path)
            elif reason is None:
                listing.pictures.append(Path(entry.path))
            if reason is not None:
                listing.left_out.append(LeftOut(Path(entry.path), reason))
    listing.pictures.sort()
    listing.left_out.sort(key=lambda item: item.path)
    return listing


def describe_left_out(left_out: Iterable[LeftOut], root: Path) -> str | None:
    """What is left out in one sentence: how many for each reason, and the first of them.

    Args:
        left_out: Files and folders in ``root``.
        root: Named by the person: examples are written relative to it.
    """
    by_reason = sorted(left_out, key=lambda item: item.reason)
    parts = []
    for reason, items in groupby(by_reason, key=lambda item: item.reason):
        names = [os.path.relpath(item.path, root) for item in items]
        more = ", …" if len(names) > _EXAMPLES else ""
        parts.append(f"{len(names)} × {reason} ({', '.join(names[:_EXAMPLES])}{more})")
    return f"files left out: {'; '.join(parts)}" if parts else None


def _entries(folder: str, listing: FolderListing) -> Iterator[os.DirEntry[str]]:
    """Real files and folders before links, so that a folder is listed under its own name."""
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))
    except OSError:
        listing.left_out.append(LeftOut(Path(folder), CLOSED))


def _why_left_out(entry: os.DirEntry[str], boundary: str | None) -> str | None:
    if is_hidden(entry.name):
        return HIDDEN
    if entry.is_symlink() and not os.path.exists(entry.path):
        return BROKEN
    if boundary is not None and entry.is_symlink() and not _lies_in(entry.path, boundary):
        return OUTSIDE
    if entry.is_dir():
        return None
    if not is_picture(entry.name):
        return NO_PICTURE
    return None if entry.is_file() else NO_FILE


def _lies_in(path: str, boundary: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(boundary)
