"""Bounded stores for all sessions of the server."""

import shutil
import tempfile
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedStore(Generic[K, V]):
    """What is used least is dropped first.

    Args:
        capacity: How much all items may weigh together; the newest stays, whatever it weighs.
        weigh: What an item weighs; by default each weighs 1.
        seconds: After so long without use an item is dropped.
    """

    def __init__(
        self,
        capacity: int,
        weigh: Callable[[V], int] = lambda item: 1,
        seconds: float = float("inf"),
    ) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._seconds = seconds
        self._items: OrderedDict[K, tuple[V, float]] = OrderedDict()  # and when it was used
        self._weight = 0
        self._drops: Counter[K] = Counter()
        self._lock = threading.Lock()

    def get(self, name: K) -> V | None:
        """What is kept under a name, or None when it was dropped or never there."""
        with self._lock:
            self._drop_unused()
            if name not in self._items:
                return None
            item, _ = self._items.pop(name)
            self._items[name] = item, time.monotonic()  # now the last of them
            return item

    def put(self, name: K, item: V) -> None:
        """Keep it under a name."""
        with self._lock:
            self._take_out(name)
            self._items[name] = item, time.monotonic()
            self._weight += self._weigh(item)
            self._drop_unused()

    def drop(self, name: K) -> None:
        """Keep it no longer."""
        with self._lock:
            self._take_out(name)

    def key(self, name: K) -> tuple[K, int]:
        """For the job that fills it: another one after it was dropped, so that it is made again."""
        with self._lock:
            return name, self._drops[name]

    def _drop_unused(self) -> None:
        """What does not fit, and what nobody used for long; the least used is first."""
        # The newest stays even where it is too large: who gave it is about to look at it.
        while len(self._items) > 1 and self._weight > self._capacity:
            self._drop(next(iter(self._items)))
        now = time.monotonic()
        while self._items and now - next(iter(self._items.values()))[1] > self._seconds:
            self._drop(next(iter(self._items)))

    def _drop(self, name: K) -> None:
        self._take_out(name)
        self._drops[name] += 1

    def _take_out(self, name: K) -> None:
        if name in self._items:
            item, _ = self._items.pop(name)
            self._weight -= self._weigh(item)


class FileStore(BoundedStore[str, Path]):
    """Files, or folders, in a folder that is removed with the server.

    Args:
        capacity: Bytes that all of them may take. The newest stays, however large it is.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity, _bytes_of)
        self._folder = tempfile.TemporaryDirectory(prefix="advprop-")

    def write(self, key: str, name: str, write: Callable[[Path], object]) -> Path:
        """Keep the file, or folder, that ``write`` makes at the path, which ends in ``name``."""
        path = Path(self._folder.name) / key / name
        path.parent.mkdir(exist_ok=True)
        try:
            write(path)
        except BaseException:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
        self.put(key, path)
        return path

    def _drop(self, name: str) -> None:
        path, _ = self._items[name]
        super()._drop(name)
        shutil.rmtree(path.parent, ignore_errors=True)


def _bytes_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
