"""Picture files in folders: which are read, and which are left out and why; loads no torch."""

import os
import stat
from collections.abc import Mapping
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


def list_pictures(
    folder: Path, *, within: Path | None = None
) -> tuple[list[Path], dict[Path, str]]:
    """The regular files with a picture's ending in a folder and below it, sorted by path.

    Links to files and folders are followed, each folder once, but not out of ``within``.

    Returns:
        The pictures, and why each other file or folder is left out.
    """
    pictures, left_out = list[Path](), dict[Path, str]()
    boundary = None if within is None else os.path.realpath(within)
    real_folders = {os.path.realpath(folder)}
    pending = [os.fspath(folder)]
    while pending:
        parent = pending.pop()
        try:
            with os.scandir(parent) as scanned:
                # Real folders before links, so that a folder is listed under its own name.
                entries = sorted(scanned, key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError:
            left_out[Path(parent)] = CLOSED
            continue
        for entry in entries:
            if reason := _why_left_out(entry, boundary):
                left_out[Path(entry.path)] = reason
            elif not entry.is_dir():
                pictures.append(Path(entry.path))
            elif (real := os.path.realpath(entry.path)) in real_folders:
                left_out[Path(entry.path)] = TWICE
            else:
                real_folders.add(real)
                pending.append(entry.path)
    return sorted(pictures), dict(sorted(left_out.items()))


def describe_left_out(left_out: Mapping[Path, str], root: Path) -> str | None:
    """What is left out, with its reason, in one sentence: how many for each, and the first of them.

    Paths are written relative to ``root``, which the person named.
    """
    by_reason: dict[str, list[str]] = {}
    for path, reason in left_out.items():
        by_reason.setdefault(reason, []).append(os.path.relpath(path, root))
    parts = []
    for reason, names in sorted(by_reason.items()):
        more = ", …" if len(names) > _EXAMPLES else ""
        parts.append(f"{len(names)} × {reason} ({', '.join(names[:_EXAMPLES])}{more})")
    return f"files left out: {'; '.join(parts)}" if parts else None


def _why_left_out(entry: os.DirEntry[str], boundary: str | None) -> str | None:
    if is_hidden(entry.name):
        return HIDDEN
    if entry.is_symlink():
        if not os.path.exists(entry.path):
            return BROKEN
        real = Path(os.path.realpath(entry.path))
        if boundary is not None and not real.is_relative_to(boundary):
            return OUTSIDE
    if entry.is_dir():
        return None
    if not is_picture(entry.name):
        return NO_PICTURE
    return None if entry.is_file() else NO_FILE
