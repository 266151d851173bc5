"""A run of the Transfer page, done by a worker."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from advprop_core.transfer.grid import Grid
from advprop_core.transfer.pools import ThreadPool
from advprop_core.transfer.results_file import summarise
from advprop_core.transfer.run import run_grid
from advprop_core.transfer.sources import Source, open_source, split_name
from advprop_core.types import Progress
from app.shell.jobs import Report
from app.transfer.controls import command, data_name


def transfer(grid: Grid, files: Mapping[str, Path], progress: Report) -> dict[str, Any]:
    """Train every head; returns the content of ``results.json``.

    Args:
        grid: What is compared.
        files: Name of each network to its checkpoint file.
        progress: Called with (done, all).

    Raises:
        AdvPropError: If a network or the data cannot be used.
    """
    # Parts of the work, each as long as any other: features of every source, then the heads.
    parts, begun = len(grid.sources) + 1, count()

    @contextmanager
    def counting(what: str, total: int) -> Iterator[Progress]:
        before = next(begun)
        yield lambda done, all_done: progress(before + done / all_done, parts)

    def opener(name: str) -> Source:
        network, branch = split_name(name)
        return replace(open_source(f"{files[network]}:{branch}"), name=name)

    with TemporaryDirectory(prefix="advprop-transfer-") as folder:
        outcome = run_grid(grid, Path(folder), ThreadPool, opener=opener, counting=counting)
    return summarise(outcome, command(grid, files)) | {"data": data_name(grid)}
