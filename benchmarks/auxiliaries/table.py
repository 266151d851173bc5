"""The table of the ways to add an auxiliary branch."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.text import markdown_table

_MEASURES = {"clean": "clean", "robust_1": "PGD-10 1/255", "robust_2": "PGD-10 2/255"}


def ways(content: Mapping[str, Any]) -> str:
    """Means over the seeds, with the interval that so many photos leave, and the seeds' ends."""
    by_way: dict[str, list[Mapping[str, Any]]] = {}
    for row in content["results"]:
        by_way.setdefault(row["way"], []).append(row)
    head = ["aux is", *_MEASURES.values()]
    lines = [
        [way, *(_share(rows, measure) for measure in _MEASURES)] for way, rows in by_way.items()
    ]
    return markdown_table(head, lines)


def _share(rows: list[Mapping[str, Any]], measure: str) -> str:
    n = rows[0]["n"]
    counts = [row[measure] for row in rows]
    low, high = wilson_interval(round(mean(counts)), n)
    share = f"{100 * mean(counts) / n:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    least, most = min(counts), max(counts)
    if least == most:
        return share
    return f"{share}; seeds {100 * least / n:.1f} to {100 * most / n:.1f}"
