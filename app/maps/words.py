"""Words and tables of the Maps page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advprop_core.attribution.methods import METHODS
from advprop_core.faithfulness.maps import Score, Undefined
from advprop_core.text import percent
from app.shell.messages import PICTURES

if TYPE_CHECKING:
    from advprop_core.faithfulness.curves import Curves
    from advprop_core.faithfulness.trust import Cell, Trust
    from advprop_core.types import InputKind
    from app.maps.map_set import MapSet

TRUST = (
    "A map that looks right may still be wrong about the network. These checks ask the network "
    "itself. Does the class disappear when the pixels that the map calls important are removed? "
    "Does the map stay the same under tiny changes? Does it change when the network forgets what "
    "it learnt?"
)
CURVES = (
    "With a good map deletion falls early and insertion rises early. Coloured: pixels change in "
    "the order of the map. Grey: the mean of random orders. Dotted lines belong to the perturbed "
    "picture. Deleted pixels turn grey; insertion starts from a blurred picture."
)
COLUMNS = """
- **Deletion**, **Insertion**: how much better the area under the curve of the class's probability
  is than for random orders (Petsiuk et al. 2018). Scattered dots disturb a network more than a
  patch does, so a map of patches may score below 0: compare maps with each other.
- **Infidelity**: error of the score changes that the map predicts, relative to the changes
  themselves; 0 is perfect, 1 is no better than an empty map (Yeh et al. 2019).
- **Sensitivity**: largest change of the map under noise of at most 0.02, relative to the map's own
  length; small means stable (Yeh et al. 2019).
- **Random weights**: rank correlation with the map of the same network with random weights. Near
  0 the map shows what was learnt, near 1 it mostly shows the picture (Adebayo et al. 2018).
- **Other branch**, **Under attack**: rank correlation with the other branch's map (with each, where
  there are several), and with this branch's map of the other picture.
- **On the object**: share of the map's positive values inside the object, where the scene says
  where it is.
"""


def agreement(map_set: MapSet, method: str) -> str | None:
    """How far main's and aux's maps agree, in one sentence; None for a single branch."""
    parts = []
    for kind, word in PICTURES.items():
        pair = map_set.across_branches.get((method, kind))
        if pair is None:
            return None
        if isinstance(pair.rank_correlation, Undefined) or isinstance(pair.overlap, Undefined):
            parts.append(f"on the {word} picture they cannot be compared")
        else:
            parts.append(
                f"on the {word} picture rank correlation {pair.rank_correlation:.2f}, "
                f"{percent(pair.overlap)} of the top tenth in common"
            )
    first, second = map_set.comparison.branches[:2]
    return f"**{first}** beside **{second}**: {'; '.join(parts)}."


def strip(stages: Sequence[str]) -> str:
    """What the strip shows."""
    return (
        f"From the first stage, {stages[0]}, to the last, {stages[-1]}: early stages are fine and "
        "see edges, late ones are coarse and see objects. Each column has its own colour scale, "
        "shared by its rows."
    )


def trust_row(cell: Cell, trust: Trust) -> dict[str, str]:
    """What was checked of one map, by column."""
    method, kind, branch = cell
    curves: Any = trust.curves  # where they are Undefined, so are their gains
    infidelity: Any = trust.infidelity
    row = {
        "Map": METHODS[method].title,
        "Branch": branch,
        "Picture": PICTURES[kind],
        "Deletion": _number(getattr(curves, "deletion_gain", curves), "+"),
        "Insertion": _number(getattr(curves, "insertion_gain", curves), "+"),
        "Infidelity": _number(getattr(infidelity, "relative", infidelity)),
        "Sensitivity": _number(trust.sensitivity),
        "Random weights": _number(trust.randomisation.kept),
        "Other branch": _others(trust),
        "Under attack": _number(getattr(trust.under_attack, "rank_correlation", None)),
    }
    if (share := trust.inside_object) is not None:
        row["On the object"] = "–" if isinstance(share, Undefined) else percent(share)
    return row


def undefined(checks: Mapping[Cell, Trust]) -> list[str]:
    """Why some figures are missing."""
    reasons = {
        f"{METHODS[method].title}, {branch}, {PICTURES[kind]}: {trust.curves.reason}"
        for (method, kind, branch), trust in checks.items()
        if isinstance(trust.curves, Undefined)
    }
    return [f"– where there is no figure. {reason}." for reason in sorted(reasons)]


def curves(checks: Mapping[Cell, Trust], method: str) -> dict[tuple[InputKind, str], Curves]:
    """(input kind, branch) to the curves of one kind of map, where they exist."""
    return {
        (kind, branch): trust.curves
        for (name, kind, branch), trust in checks.items()
        if name == method and not isinstance(trust.curves, Undefined)
    }


def _number(value: Score | None, sign: str = "") -> str:
    if value is None or isinstance(value, Undefined):
        return "–"
    return f"{value:{sign}.2f}"


def _others(trust: Trust) -> str:
    """The agreement with the other branch, or with each of them by name."""
    numbers = {
        name: _number(other.rank_correlation) for name, other in trust.across_branches.items()
    }
    if len(numbers) > 1:
        return ", ".join(f"{name} {number}" for name, number in numbers.items())
    return next(iter(numbers.values()), "–")
