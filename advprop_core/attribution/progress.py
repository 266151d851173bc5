"""How far maps and checks have come, for whoever waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from advprop_core.processes import Progress


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


def split(progress: Progress | None, sizes: Sequence[int]) -> list[Progress]:
    """A listener for each of several parts, done one after the other; together they tell one count.

    Args:
        progress: Called with (done, total), or None.
        sizes: Of the parts, in any unit; a part may count in another.
    """
    total = sum(sizes)
    starts = accumulate(sizes, initial=0)
    return [_part(progress, start, size, total) for start, size in zip(starts, sizes, strict=False)]


def _part(progress: Progress | None, start: int, size: int, total: int) -> Progress:
    def report(done: int, of: int) -> None:
        if progress:
            progress(start + size * done // of, total)

    return report
