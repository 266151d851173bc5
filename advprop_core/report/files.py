"""Reports as files: ``results.json``, ``results.csv`` and a page that needs no network."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advprop_core.files import write_whole
from advprop_core.report.pages import page, transfer_page
from advprop_core.report.words import as_csv


def write_report(folder: Path, content: Mapping[str, Any]) -> tuple[Path, ...]:
    """Write the files of a report into a folder, each whole or not at all; returns their paths.

    The content is that of :func:`~advprop_core.evaluation.summary.summarise`.
    """
    return _write(folder, content, {"results.csv": as_csv(content), "report.html": page(content)})


def write_transfer_report(folder: Path, content: Mapping[str, Any]) -> tuple[Path, ...]:
    """Write ``results.json`` and the page of a transfer experiment, each whole or not at all.

    The content is that of :func:`~advprop_core.transfer.summary.summarise`.
    """
    return _write(folder, content, {"report.html": transfer_page(content)})


def _write(folder: Path, content: Mapping[str, Any], texts: Mapping[str, str]) -> tuple[Path, ...]:
    results = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    files = {"results.json": results, **texts}
    for name, text in files.items():
        write_whole(folder / name, text)
    return tuple(folder / name for name in files)
