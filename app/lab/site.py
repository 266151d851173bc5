"""The lab as files for a web host: written once, in the background, into a folder of the cache."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from advprop_core.errors import InputError
from advprop_core.files import versions
from advprop_core.models.bundle import bundle_dir

_LONGEST = 1200  # seconds; three networks take a minute, on a machine with nothing else to do
_OLD = 7 * 24 * 3600  # seconds
LESSONS = ("--lessons",)
"""The lab with the networks of the lessons, and the lessons."""


class Site:
    """The folder, and the writing of it.

    Attributes:
        arguments: Of ``advprop page``: which networks it holds.
        folder: Where it lies, once it is written.
    """

    def __init__(self, arguments: Sequence[str] = LESSONS) -> None:
        self.arguments = tuple(arguments)
        # Another folder for each version of the scripts and each choice of networks.
        digest = hashlib.sha256(repr((self.arguments, versions()["advprop-lens"])).encode())
        for file in sorted((bundle_dir() / "app" / "web" / "dist").glob("*.[jc]s*")):
            digest.update(file.read_bytes())
        cache = user_cache_path("advprop-lens", appauthor=False)
        self.folder = cache / f"lab-{digest.hexdigest()[:16]}"
        self._failure: str | None = None  # of the last try, until somebody has read it
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def files(self) -> dict[str, Path]:
        """Its files by their address in it; none before all of it is written."""
        folder = self.folder
        return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}

    def begin(self) -> str | None:
        """Begin to write it, unless that goes on already.

        Returns why it cannot be written, as a sentence, or why the last try failed: who asks after
        that begins another one.
        """
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return None
            problem, self._failure = self._failure or missing(), None
            if problem is None:
                self._thread = threading.Thread(target=self._write, daemon=True)
                self._thread.start()
            return problem

    def _write(self) -> None:
        cache = self.folder.parent
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-lab-") as workspace:
                written = Path(workspace) / "site"
                write(*self.arguments, "--split", "--out", written)
                if not self.folder.exists():  # another server may have been faster
                    os.replace(written, self.folder)
            for other in cache.glob("lab-*"):
                # Of other versions: an app of one may still serve what it wrote lately.
                if time.time() - other.stat().st_mtime > _OLD:
                    shutil.rmtree(other, ignore_errors=True)
        except InputError as error:
            self._failure = f"The lab cannot be written: {error}."
        except OSError as error:
            self._failure = f"The lab cannot be kept in {cache}: {error.strerror}."


def missing() -> str | None:
    """What is to be done before a lab can be written, as a sentence; None where nothing is."""
    if not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))):
        return "The lab needs more packages: pip install 'advprop-lens[page]', then start again."
    if not (bundle_dir() / "app" / "web" / "dist" / "lab.js").is_file():
        return "The lab's scripts have not been built: run `make page`, then start again."
    return None


def write(*arguments: object) -> None:
    """Run ``advprop page`` with these arguments, to its end.

    In a process of its own, for the exporter changes PyTorch while it works.

    Raises:
        InputError: With its own sentence, if it refuses.
    """
    command = [sys.executable, "-m", "advprop_core.cli", "page", *map(str, arguments)]
    try:
        done = subprocess.run(
            command, cwd=bundle_dir(), capture_output=True, text=True, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"the page was not written within {_LONGEST // 60} minutes") from None
    if done.returncode:
        raise InputError(done.stderr.strip().removeprefix("Error: "))
