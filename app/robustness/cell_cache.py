"""Where finished figures are kept between runs: one folder of the person's own cache."""

import os
from pathlib import Path

from platformdirs import user_cache_path

MOST_FILES = 4000
"""The oldest go first. A file holds a figure's answers to some images, 30 bytes for each."""


def folder() -> Path:
    """The folder, which need not exist yet: where this system keeps caches of a person."""
    from advprop_core.evaluation.store import FORMAT  # here: it loads torch

    # A later version that counts otherwise finds a folder of its own, and is not stopped by this.
    return user_cache_path("advprop-lens", appauthor=False) / f"cells-{FORMAT}"


def made() -> Path | None:
    """The folder, made if need be and not fuller than it should be; None where it cannot be."""
    try:
        cells = folder()
        cells.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or a read-only one: the page says it keeps nothing
        return None
    if not os.access(cells, os.W_OK):
        return None
    forget_oldest(cells)
    return cells


def forget_oldest(cells: Path, most: int = MOST_FILES) -> None:
    """Keep the folder bounded: the files that were written first go first."""
    cell_files = (path for path in cells.iterdir() if path.suffix in (".safetensors", ".tmp"))
    files = sorted(cell_files, key=_written)
    for path in files[: max(0, len(files) - most)]:
        path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another worker has forgotten it just now
        return 0.0
