"""Files that are written whole or not at all, what made them, and what damaged zip files raise."""

import errno
import os
import platform
import secrets
import zipfile
import zlib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from advprop_core.errors import AdvPropError
from advprop_core.text import legible

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)
"""What zipfile raises on foreign bytes: ValueError for an offset beyond the end, RuntimeError for
what is encrypted or packed in a way that it lacks."""
_UNFINISHED = ".unfinished-{}.tmp"
_PACKAGES = ("advprop-lens", "torch", "timm", "captum", "numpy", "pillow")


class CannotWrite(AdvPropError, OSError):
    """A file that could not be written; the one that was there before is untouched."""

    def __init__(self, path: Path, error: OSError, size: int) -> None:
        reason = error.strerror or str(error)
        advice = "give another place, or allow writing there"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            megabytes = max(1, -(-size // 1_000_000))
            advice = f"free at least {megabytes} MB in {path.parent} and try again"
        super().__init__(f"{path} could not be written ({reason}): {advice}")
        self.strerror = reason


def write_whole(path: Path, content: bytes | memoryview | str) -> None:
    r"""Write a file so that whoever reads it sees the old content or the new, never half of it.

    Args:
        path: An existing file is replaced in one step; the folder is made if need be.
        content: Text is written as UTF-8, and half a character in it as ``\udce9``, which JSON
            reads back.

    Raises:
        CannotWrite: If the disk is full or forbids it.
    """
    data = legible(content).encode() if isinstance(content, str) else content
    # A name of its own for each call: threads and processes may write the same file at once.
    temporary = path.with_name(_UNFINISHED.format(secrets.token_hex(8)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # or a power cut after the rename could leave it empty
        temporary.replace(path)
    except OSError as error:
        raise CannotWrite(path, error, len(data)) from error
    finally:
        with suppress(OSError):  # after the rename there is none
            temporary.unlink()


class Keeper:
    """Keeps files that are only there to save work later.

    Attributes:
        failure: Why files are no longer kept, such as a full disk; None while they are. The work
            itself goes on, so this is not raised.
    """

    failure: CannotWrite | None = None

    def keep(self, path: Path, content: bytes | str) -> bool:
        """Write a file whole or not at all; whether it was written."""
        if self.failure is not None:  # a disk that is full now is full for the next file too
            return False
        try:
            write_whole(path, content)
        except CannotWrite as failure:
            self.failure = failure
        return self.failure is None


def remove_unfinished(folder: Path) -> None:
    """Remove what writers left that were killed; only where nobody else writes at the moment."""
    for leftover in folder.glob(_UNFINISHED.format("*")):
        leftover.unlink(missing_ok=True)


def versions() -> dict[str, str | None]:
    """Of Python and the packages that results depend on; None for what is not installed."""
    packages: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:  # run from a checkout
            packages[package] = None
    return packages
