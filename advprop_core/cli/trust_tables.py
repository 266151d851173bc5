"""How far maps can be trusted: a table for people, and plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from rich.table import Table

from advprop_core.attribution.rows import MapRow
from advprop_core.faithfulness.curves import Curves
from advprop_core.faithfulness.maps import Score, Undefined, plain
from advprop_core.faithfulness.randomisation import RandomisationCheck, Verdict
from advprop_core.faithfulness.trust import Trust
from advprop_core.report.colours import Array
from advprop_core.types import InputKind

Figures = Mapping[tuple[str, InputKind, str], Trust]
"""Name of the row, kind of input and branch to what was measured."""

_LEGEND = (
    "insertion, deletion: by how much the map's order of the pixels beats random orders; above 0 "
    "is better",
    "infidelity: 0 predicts every change of the score, 1 is as good as an empty map",
    "sensitivity: largest change of the map when the picture changes a little; lower is steadier",
    "random weights: rank correlation with the map of an untrained network; near 0 the map follows "
    "the weights, far from 0 it follows the picture, partly or mostly",
    "branches: rank correlation with the other branch's map of the same photo",
)
_STABILITY = "stability: rank correlation with the map of the other photo, clean or adversarial"
_VERDICTS: dict[Verdict, str] = {
    "follows the weights": "weights",
    "partly the picture": "partly",
    "mostly the picture": "picture",
    "undefined": "",
}
_POINTS = 4  # decimals of a curve in the JSON


def trust_table(rows: Sequence[MapRow], figures: Figures) -> Table:
    """A line per map under the name of its row; what is undefined is a dash."""
    attacked = _attacked(figures)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("map", overflow="fold", min_width=10)
    headings = ["insertion", "deletion", "infidelity", "sensitivity", "random weights", "branches"]
    for heading in [*headings, *(["stability"] if attacked else [])]:
        table.add_column(heading, justify="right", overflow="fold", min_width=6)
    for row in rows:
        table.add_row(row.title)
        for kind, branch in row.maps:
            numbers = _numbers(figures[row.name, kind, branch])
            label = f"  {branch} {kind}" if attacked else f"  {branch}"
            table.add_row(label, *(numbers if attacked else numbers[:-1]))
    return table


def legend(figures: Figures) -> str:
    """What the columns of the table mean."""
    parts = [*_LEGEND, *([_STABILITY] if _attacked(figures) else [])]
    return f"{'; '.join(parts)}. – is undefined, and the JSON says why."


def _attacked(figures: Figures) -> bool:
    return any(kind == "adversarial" for _, kind, _ in figures)


def _numbers(trust: Trust) -> list[str]:
    """A cell per column, stability last."""
    curves, infidelity, random = trust.curves, trust.infidelity, trust.randomisation
    gains: tuple[Score, Score] = (
        (curves, curves)
        if isinstance(curves, Undefined)
        else (curves.insertion_gain, curves.deletion_gain)
    )
    ranks = {name: a.rank_correlation for name, a in trust.across_branches.items()}
    branches = [
        f"{name} {_number(rank)}" if len(ranks) > 1 else _number(rank)
        for name, rank in ranks.items()
    ]
    return [
        *(_number(gain, "+") for gain in gains),
        _number(infidelity if isinstance(infidelity, Undefined) else infidelity.relative),
        _number(trust.sensitivity),
        f"{_number(random.kept, '+')} {_VERDICTS[random.verdict]}".rstrip(),
        ", ".join(branches) or "–",
        _number(trust.under_attack.rank_correlation) if trust.under_attack else "–",
    ]


def _number(score: Score, sign: str = "") -> str:
    return "–" if isinstance(score, Undefined) else f"{score:{sign}.2f}"


def trust_json(trust: Trust) -> dict[str, Any]:
    """Everything that was measured; what is undefined is ``{"undefined": reason}``."""
    infidelity = plain(trust.infidelity)
    if not isinstance(trust.infidelity, Undefined):
        infidelity["relative"] = plain(trust.infidelity.relative)
    return {
        "curves": _curves_json(trust.curves),
        "infidelity": infidelity,
        "max_sensitivity": plain(trust.sensitivity),
        "randomisation": _randomisation_json(trust.randomisation),
        "across_branches": {name: plain(rank) for name, rank in trust.across_branches.items()},
        "stability": plain(trust.under_attack),
    }


def curve_array(curves: Curves) -> Array:
    """(5, K): shares, insertion, deletion, and the same of random orders."""
    lines = (curves.insertion, curves.deletion, curves.random_insertion, curves.random_deletion)
    stacked = torch.stack([curves.deletion.shares, *(line.probabilities for line in lines)])
    array: Array = stacked.numpy()
    return array


def _curves_json(curves: Curves | Undefined) -> Any:
    if isinstance(curves, Undefined):
        return plain(curves)
    names = ("shares", "insertion", "deletion", "random_insertion", "random_deletion")
    lines = [[round(value, _POINTS) for value in line] for line in curve_array(curves).tolist()]
    return {
        "insertion_gain": curves.insertion_gain,
        "deletion_gain": curves.deletion_gain,
        "insertion_area": curves.insertion.area,
        "deletion_area": curves.deletion.area,
        **dict(zip(names, lines, strict=True)),
    }


def _randomisation_json(check: RandomisationCheck) -> dict[str, Any]:
    steps = [
        {
            "stage": step.stage,
            "correlation": plain(step.mean),
            "absolute_correlation": plain(step.absolute_mean),
            "draws": len(step.correlations),
        }
        for step in check.steps
    ]
    correlation = plain(check.kept)
    return {
        "correlation": correlation,
        "verdict": check.verdict,
        "words": check.words,
        "steps": steps,
    }
