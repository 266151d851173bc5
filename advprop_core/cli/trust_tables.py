"""How far maps can be trusted: a table for people, and plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from rich.table import Table

from advprop_core.cli.explain_maps import Row
from advprop_core.faithfulness.agreement import Agreement
from advprop_core.faithfulness.curves import Curves
from advprop_core.faithfulness.fidelity import Infidelity
from advprop_core.faithfulness.maps import Score, Undefined
from advprop_core.faithfulness.randomisation import RandomisationCheck, Verdict
from advprop_core.faithfulness.trust import Trust
from advprop_core.report.colours import Array
from advprop_core.types import InputKind

Figures = Mapping[tuple[str, InputKind, str], Trust]
"""Name of the row, kind of input and branch to what was measured."""

_LEGEND = (
    "insertion, deletion: by how much the map's order of the pixels beats random orders, above 0 "
    "is better",
    "infidelity: 0 foretells every change of the score, 1 is as good as an empty map",
    "sensitivity: largest change of the map when the picture changes a little, lower is steadier",
    "random weights: rank correlation with the map of an untrained network; near 0 it follows the "
    "weights, far from 0 it is partly or mostly the picture",
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


def trust_table(rows: Sequence[Row], figures: Figures) -> Table:
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
            one = figures[row.name, kind, branch]
            end = [_stability(one)] if attacked else []
            table.add_row(f"  {branch} {kind}" if attacked else f"  {branch}", *_numbers(one), *end)
    return table


def legend(figures: Figures) -> str:
    """What the columns of the table mean."""
    parts = [*_LEGEND, *([_STABILITY] if _attacked(figures) else [])]
    return f"{'; '.join(parts)}. – is undefined, and the JSON says why."


def _attacked(figures: Figures) -> bool:
    return any(kind == "adversarial" for _, kind, _ in figures)


def _numbers(one: Trust) -> list[str]:
    curves, infidelity = one.curves, one.infidelity
    check = one.randomisation
    return [
        "–" if isinstance(curves, Undefined) else f"{curves.insertion_gain:+.2f}",
        "–" if isinstance(curves, Undefined) else f"{curves.deletion_gain:+.2f}",
        "–" if isinstance(infidelity, Undefined) else _number(infidelity.relative),
        _number(one.sensitivity),
        "–"
        if isinstance(check.kept, Undefined)
        else f"{check.kept:+.2f} {_VERDICTS[check.verdict]}",
        ", ".join(_rank(name, one) for name in one.across_branches) or "–",
    ]


def _rank(name: str, one: Trust) -> str:
    number = _number(one.across_branches[name].rank_correlation)
    return number if len(one.across_branches) == 1 else f"{name} {number}"


def _stability(one: Trust) -> str:
    return "–" if one.under_attack is None else _number(one.under_attack.rank_correlation)


def _number(score: Score) -> str:
    return "–" if isinstance(score, Undefined) else f"{score:.2f}"


def trust_json(one: Trust) -> dict[str, Any]:
    """Everything that was measured; what is undefined is ``{"undefined": reason}``."""
    return {
        "curves": _curves_json(one.curves),
        "infidelity": _infidelity_json(one.infidelity),
        "max_sensitivity": score_json(one.sensitivity),
        "randomisation": _randomisation_json(one.randomisation),
        "across_branches": {
            name: _agreement_json(agreement) for name, agreement in one.across_branches.items()
        },
        "stability": None if one.under_attack is None else _agreement_json(one.under_attack),
    }


def score_json(score: Score) -> float | dict[str, str]:
    """The number, or why there is none."""
    return {"undefined": score.reason} if isinstance(score, Undefined) else score


def curve_array(curves: Curves) -> Array:
    """(5, K): shares, insertion, deletion, and the same of random orders."""
    lines = (curves.insertion, curves.deletion, curves.random_insertion, curves.random_deletion)
    stacked = torch.stack([curves.deletion.shares, *(line.probabilities for line in lines)])
    array: Array = stacked.numpy()
    return array


def _curves_json(curves: Curves | Undefined) -> dict[str, Any]:
    if isinstance(curves, Undefined):
        return {"undefined": curves.reason}
    names = ("shares", "insertion", "deletion", "random_insertion", "random_deletion")
    lines = curve_array(curves).tolist()
    return {
        "insertion_gain": curves.insertion_gain,
        "deletion_gain": curves.deletion_gain,
        "insertion_area": curves.insertion.area,
        "deletion_area": curves.deletion.area,
        **{
            name: [round(value, _POINTS) for value in line]
            for name, line in zip(names, lines, strict=True)
        },
    }


def _infidelity_json(infidelity: Infidelity | Undefined) -> dict[str, Any]:
    if isinstance(infidelity, Undefined):
        return {"undefined": infidelity.reason}
    return {
        "relative": score_json(infidelity.relative),
        "value": infidelity.value,
        "reference": infidelity.reference,
        "samples": infidelity.samples,
    }


def _randomisation_json(check: RandomisationCheck) -> dict[str, Any]:
    return {
        "correlation": score_json(check.kept),
        "verdict": check.verdict,
        "words": check.words,
        "steps": [
            {
                "stage": step.stage,
                "correlation": score_json(step.mean),
                "absolute_correlation": score_json(step.absolute_mean),
                "draws": len(step.correlations),
            }
            for step in check.steps
        ],
    }


def _agreement_json(agreement: Agreement) -> dict[str, Any]:
    return {
        "rank_correlation": score_json(agreement.rank_correlation),
        "iou": score_json(agreement.iou),
        "overlap": score_json(agreement.overlap),
    }
