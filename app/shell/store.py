"""Bounded stores for all sessions of the server."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedStore(Generic[K, V]):
    """What is used least is dropped first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: OrderedDict[K, V] = OrderedDict()
        self._drops: Counter[K] = Counter()
        self._lock = threading.Lock()

    def get(self, name: K) -> V | None:
        """What is kept under a name, or None when it was dropped or never there."""
        with self._lock:
            if name in self._items:
                self._items.move_to_end(name)
            return self._items.get(name)

    def put(self, name: K, item: V) -> None:
        """Keep it under a name."""
        with self._lock:
            self._items[name] = item
            self._items.move_to_end(name)
            while len(self._items) > self._capacity:
                dropped, _ = self._items.popitem(last=False)
                self._drops[dropped] += 1

    def key(self, name: K) -> tuple[K, int]:
        """For the job that fills it: another one after it was dropped, so that it is made again."""
        with self._lock:
            return name, self._drops[name]


class FileStore:
    """Files in a folder that is removed with the server; those used least are removed before.

    Args:
        capacity: Bytes that all of them may take. The newest stays, however large it is.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._folder = tempfile.TemporaryDirectory(prefix="advprop-")
        self._files: OrderedDict[str, Path] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Path | None:
        """The file of a key, or None when it was removed or never there."""
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
            return self._files.get(key)

    def put(self, key: str, name: str, write: Callable[[Path], object]) -> Path:
        """Keep the file, or folder, that ``write`` makes at the path, which ends in ``name``."""
        path = Path(self._folder.name) / key / name
        path.parent.mkdir(exist_ok=True)
        try:
            write(path)
        except BaseException:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
        with self._lock:
            self._files[key] = path
            self._files.move_to_end(key)
            while len(self._files) > 1 and self._size() > self._capacity:
                _, oldest = self._files.popitem(last=False)
                shutil.rmtree(oldest.parent, ignore_errors=True)
        return path

    def _size(self) -> int:
        return sum(map(_bytes_of, self._files.values()))


def _bytes_of(path: Path) -> int:
    """Of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
