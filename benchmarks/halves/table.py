"""The tables of docs/results.md on the halves of the norm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advprop_core.anatomy.halves import ENDS, LINE, NAIVE_LINE, Mixture, MixtureAccuracy, by_pair
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.text import markdown_table

Content = Mapping[str, Any]


def halves(content: Content) -> str:
    """Clean and robust accuracy with γ and β of each branch and each kind of statistics."""
    lines = []
    for (model, second), rows in by_pair(content).items():
        for affine, branch in ((0.0, "main"), (1.0, second)):
            statistics = (affine, "clean", "adversarial", 1.0 - affine)
            cells = [_both(rows[Mixture(affine, kind)]) for kind in statistics]  # type: ignore[arg-type]
            lines.append([model, f"{branch} (with {second})", *cells])
    head = [
        *("network", "γ and β of", "as trained", "estimated on clean photos"),
        *("estimated on adversarial photos", "of the other branch (naive)"),
    ]
    return markdown_table(head, lines)


def dial(content: Content) -> str:
    """Robust accuracy between main and each other branch."""
    naive = (ENDS[0], *NAIVE_LINE, ENDS[1])
    estimated = (Mixture(0.0, "clean"), *LINE, Mixture(1.0, "clean"))
    lines = []
    for (model, second), rows in by_pair(content).items():
        for title, mixtures in (("estimated", estimated), ("moved along", naive)):
            lines.append([model, second, title, *(_both(rows[mixture]) for mixture in mixtures)])
    places = (f"{100 * mixture.affine:.0f} %" for mixture in naive)
    return markdown_table(["network", "from main to", "statistics", *places], lines)


def calibrated(content: Content) -> str:
    """What calibrating gives to networks that have main alone."""
    lines: dict[tuple[str, str], list[str]] = {}
    for row in sorted(content["calibrated"], key=lambda row: row["model"]):
        passes = row["affine_epochs"]
        title = f"aux: statistics, and γ and β in {passes} passes" if passes else "aux: statistics"
        for branch, name in (("main", "main, as trained"), ("aux", title)):
            counts = row[branch]
            lines[row["model"], name] = [
                _share(counts[kind], counts["n"]) for kind in ("clean", "robust")
            ]
    head = ["network", "branch", "clean", "PGD-10 2/255"]
    return markdown_table(head, [[*who, *cells] for who, cells in lines.items()])


def _both(accuracy: MixtureAccuracy) -> str:
    clean = f"{100 * accuracy.share('clean'):.1f}"
    return f"{clean} / {_share(accuracy.robust, accuracy.n)}"


def _share(count: int, n: int) -> str:
    low, high = (f"{100 * end:.1f}" for end in wilson_interval(count, n))
    return f"{100 * count / n:.1f} % [{low}, {high}]"
