"""How many pixels all threads together may hold at once; loads nothing heavy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """A small file may hold a large picture: what is being decoded has a common limit.

    Args:
        pixels: Of all pictures together. One alone may be larger.
    """

    def __init__(self, pixels: int) -> None:
        self._most = pixels
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for so many, and keep it for the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + pixels <= self._most)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()
