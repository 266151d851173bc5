"""A run of the Transfer page, done by a worker."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from advprop_core.transfer.grid import make_grid
from advprop_core.transfer.pools import ThreadPool
from advprop_core.transfer.run import run_grid
from advprop_core.transfer.sources import Source, open_source, split_name
from advprop_core.transfer.summary import summarise
from advprop_core.types import Progress
from app.shell.jobs import Report
from app.transfer.request import TEST_IMAGES, TransferRequest, command


def transfer(
    request: TransferRequest, files: Mapping[str, Path], progress: Report
) -> dict[str, Any]:
    """Train every head; returns the content of ``results.json``.

    Args:
        request: What is compared.
        files: Name of each network to its checkpoint file.
        progress: Called with (done, all).

    Raises:
        AdvPropError: If a network or the data cannot be used.
    """
    grid = make_grid(
        {
            "sources": request.sources,
            "data": request.data,
            "num_images": request.num_images,
            "seeds": request.seeds,
            "test_images": TEST_IMAGES,
            "training": {"epochs": request.epochs},
        }
    )
    with TemporaryDirectory(prefix="advprop-transfer-") as folder:
        outcome = run_grid(
            grid,
            Path(folder),
            ThreadPool,
            opener=partial(_open, files),
            counting=_Counting(progress, len(request.sources) + 1),
        )
    return summarise(outcome, command(request, files)) | {"data": request.title}


def _open(files: Mapping[str, Path], name: str) -> Source:
    network, branch = split_name(name)
    return replace(open_source(f"{files[network]}:{branch}"), name=name)


class _Counting:
    """Parts of the work, each as long as any other: features of every source, then the heads."""

    def __init__(self, progress: Report, parts: int) -> None:
        self._progress, self._parts, self._begun = progress, parts, 0

    @contextmanager
    def __call__(self, what: str, total: int) -> Iterator[Progress]:
        before, self._begun = self._begun, self._begun + 1
        yield lambda done, all_parts: self._progress(before + done / all_parts, self._parts)
