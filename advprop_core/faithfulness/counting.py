"""How far a check has come, for whoever waits for it."""

from __future__ import annotations

from advprop_core.evaluation import Progress


class Counter:
    """Counts up to a total and tells; what the listener raises ends the check.

    Args:
        progress: Called with (done, total), or None.
        total: How much there is to do.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, count: int = 1) -> None:
        """That much more is done; nothing is told of nothing."""
        self._done += count
        if self._progress and count:
            self._progress(self._done, self._total)
