"""The table of the comparison: means over seeds, and paired differences to vanilla."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.effect.design import Study

_T = {4: 2.776}  # 97.5 % quantile of Student's t, by degrees of freedom
_COLUMNS = ("clean", "corruption", "noise", "attack")
_TITLES = {
    "clean": "clean",
    "corruption": "corrupted",
    "noise": "Gaussian noise σ = 0.1",
    "attack": "PGD-10, ε = 2/255",
}

Scores = dict[tuple[str, str], dict[str, list[float]]]


def markdown(results: Path, study: Study) -> str:
    """The table; each run is compared with the main branch of the one that is its base."""
    scores = read_scores(json.loads(results.read_text())["results"])
    head = ["run", "branch", *(_TITLES[column] for column in _COLUMNS)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for (label, branch), columns in scores.items():
        base = scores[study.base.get(label, label), "main"]
        cells = [cell(columns[name], base[name], own=columns is base) for name in _COLUMNS]
        lines.append(f"| {label} | {branch} | {' | '.join(cells)} |")
    return "\n".join(lines)


def read_scores(rows: list[dict[str, Any]]) -> Scores:
    """(run, branch) to kind of condition to top-1 of each seed, conditions averaged."""
    gathered: dict[Any, list[float]] = defaultdict(list)
    for row in rows:
        key = (row["run"], row["branch"]), row["condition"]["kind"], row["seed"]
        gathered[key].append(row["top1"])
    scores: Scores = {}
    for (who, kind, _), values in sorted(gathered.items(), key=lambda item: item[0][2]):
        scores.setdefault(who, {}).setdefault(kind, []).append(mean(values))
    return scores


def cell(values: list[float], base: list[float], *, own: bool) -> str:
    """Mean over seeds, and the mean paired difference with its 95 % interval, in points."""
    text = f"{100 * mean(values):.1f}"
    if own:
        return text
    low, high = paired_interval(values, base)
    return f"{text} ({100 * low:+.1f} to {100 * high:+.1f})"


def paired_interval(values: list[float], base: list[float]) -> tuple[float, float]:
    """95 % interval of the mean difference over seeds, by Student's t."""
    differences = [one - other for one, other in zip(values, base, strict=True)]
    half = _T[len(differences) - 1] * stdev(differences) / len(differences) ** 0.5
    return mean(differences) - half, mean(differences) + half
