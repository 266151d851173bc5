"""How far maps can be trusted: a table for people, and plain values."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from rich.table import Table

from advprop_core.attribution.rows import MapRow
from advprop_core.cli.output import Json, bare_table
from advprop_core.faithfulness.curves import Curves
from advprop_core.faithfulness.maps import Score, Undefined, plain
from advprop_core.faithfulness.randomisation import Verdict
from advprop_core.faithfulness.trust import Trust
from advprop_core.report.colours import Array
from advprop_core.types import InputKind

Figures = Mapping[tuple[str, InputKind, str], Trust]
"""Name of the row, kind of input and branch to what was measured."""

_MEANINGS = {
    "insertion": "how much better the map's order of pixels is than random orders, when pixels "
    "appear; above 0 is better",
    "deletion": "the same, when pixels disappear",
    "infidelity": "0 predicts every change of the score, 1 is as good as an empty map",
    "sensitivity": "largest change of the map when the picture changes a little; lower is steadier",
    "random weights": "rank correlation with the map of an untrained network; near 0 the map "
    "follows the weights, far from 0 it follows the picture, partly or mostly",
    "branches": "rank correlation with the other branch's map of the same photo",
    "stability": "rank correlation with the map of the other photo, clean or adversarial",
}
_VERDICTS: dict[Verdict, str] = {
    "follows the weights": "weights",
    "partly the picture": "partly",
    "mostly the picture": "picture",
    "undefined": "",
}
_POINTS = 4  # decimals of a curve in the JSON


def trust_table(rows: Sequence[MapRow], figures: Figures) -> Table:
    """A line per map under the name of its row; what is undefined is a dash."""
    headings = _headings(figures)
    table = bare_table(("map", *headings), headings, 1, (10, *(6 for _ in headings)))
    for row in rows:
        table.add_row(row.title)
        for kind, branch in row.maps:
            cells = _cells(figures[row.name, kind, branch])
            label = f"  {branch} {kind}" if "stability" in headings else f"  {branch}"
            table.add_row(label, *(cells[heading] for heading in headings))
    return table


def legend(figures: Figures) -> str:
    """What the columns of the table mean."""
    meanings = "; ".join(f"{heading}: {_MEANINGS[heading]}" for heading in _headings(figures))
    return f"{meanings}. – is undefined, and the JSON says why."


def _headings(figures: Figures) -> list[str]:
    """Stability has a column where there is an attacked photo."""
    attacked = any(kind == "adversarial" for _, kind, _ in figures)
    return [heading for heading in _MEANINGS if attacked or heading != "stability"]


def _cells(trust: Trust) -> dict[str, str]:
    random = trust.randomisation
    curves: Any = trust.curves  # where they are Undefined, so are their gains
    infidelity: Any = trust.infidelity
    ranks = {name: _number(pair.rank_correlation) for name, pair in trust.across_branches.items()}
    named = [f"{name} {rank}" for name, rank in ranks.items()] if len(ranks) > 1 else ranks.values()
    return {
        "insertion": _number(getattr(curves, "insertion_gain", curves), "+"),
        "deletion": _number(getattr(curves, "deletion_gain", curves), "+"),
        "infidelity": _number(getattr(infidelity, "relative", infidelity)),
        "sensitivity": _number(trust.sensitivity),
        "random weights": f"{_number(random.kept, '+')} {_VERDICTS[random.verdict]}".rstrip(),
        "branches": ", ".join(named) or "–",
        "stability": _number(trust.under_attack.rank_correlation) if trust.under_attack else "–",
    }


def _number(score: Score, sign: str = "") -> str:
    return "–" if isinstance(score, Undefined) else f"{score:{sign}.2f}"


def trust_json(trust: Trust) -> Json:
    """Everything that was measured; what is undefined is ``{"undefined": reason}``."""
    infidelity, random = plain(trust.infidelity), trust.randomisation
    if not isinstance(trust.infidelity, Undefined):
        infidelity["relative"] = plain(trust.infidelity.relative)
    return {
        "curves": _curves_json(trust.curves),
        "infidelity": infidelity,
        "max_sensitivity": plain(trust.sensitivity),
        "randomisation": {
            "correlation": plain(random.kept),
            "verdict": random.verdict,
            "words": random.words,
            "steps": [plain(step) for step in random.steps],
        },
        "across_branches": {name: plain(pair) for name, pair in trust.across_branches.items()},
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
