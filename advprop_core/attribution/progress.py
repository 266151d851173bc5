"""How far maps and checks have come, for whoever waits for them."""

from collections.abc import Sequence
from itertools import accumulate

from advprop_core.types import Progress


class Counter:
    """Counts up to a total and tells; what the listener raises ends the work."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, count: int = 1) -> None:
        """That much more is done; nothing is told of nothing."""
        self._done += count
        if self._progress and count:
            self._progress(self._done, self._total)


def split(progress: Progress | None, sizes: Sequence[int]) -> list[Progress]:
    """A listener for each of several parts, done one after the other; together they tell one count.

    Sizes are in any unit; a part may count in another.
    """
    total = sum(sizes)

    def listener(start: int, size: int) -> Progress:
        def report(done: int, of: int) -> None:
            if progress:
                progress(start + size * done // of, total)

        return report

    return list(map(listener, accumulate(sizes, initial=0), sizes))
