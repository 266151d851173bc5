"""A bounded store for all sessions of the server."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable
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
