"""The server's store of networks that were given a calibrated branch; loads no torch."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advprop_core.types import AttackConfig
from app.shell.samples import Source

if TYPE_CHECKING:
    from app.shell.cache import Lens

ATTACK = AttackConfig.pgd(4 / 255, steps=5)  # what pictures are attacked with
_CAPACITY = 2


@dataclass(frozen=True)
class Calibration:
    """All that decides a calibrated auxiliary branch.

    Attributes:
        model: Name of the network.
        source: What it is made from.
        attack: What these pictures are attacked with.
    """

    model: str
    source: Source
    attack: AttackConfig = ATTACK


class CalibratedLenses:
    """Networks with a calibrated branch by request, the oldest dropped first; for all sessions."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._items: OrderedDict[Calibration, Lens] = OrderedDict()
        self._drops: Counter[Calibration] = Counter()
        self._lock = threading.Lock()

    def get(self, request: Calibration) -> Lens | None:
        """The network, or None when it was dropped or never made."""
        with self._lock:
            if request in self._items:
                self._items.move_to_end(request)
            return self._items.get(request)

    def put(self, request: Calibration, lens: Lens) -> None:
        """Keep a network."""
        with self._lock:
            self._items[request] = lens
            self._items.move_to_end(request)
            while len(self._items) > self._capacity:
                dropped, _ = self._items.popitem(last=False)
                self._drops[dropped] += 1

    def key(self, request: Calibration) -> Hashable:
        """Of the job that makes it: another one after it was dropped, so that it is made again."""
        with self._lock:
            return request, self._drops[request]
