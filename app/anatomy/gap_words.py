"""Words on which layers carry the gap between two branches; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import join, percent
from app.shell.messages import PICTURES

if TYPE_CHECKING:
    from advprop_core.anatomy.gap import GapRow, Order, Score
    from advprop_core.types import InputKind
    from app.anatomy.samples import Source
    from app.anatomy.work import Gap

BY = {"stage": "Stages", "layer": "Layers"}
SWAPPED: dict[Order, str] = {
    "alone": "one at a time",
    "from_stem": "one after the other from the front",
    "from_head": "one after the other from the back",
}
INTRODUCTION = (
    "Main is given the other branch's BatchNorm stage by stage, or layer by layer: what that does "
    "to its answers says where the difference between the branches lies."
)
_LEAST = 0.05  # where the branches are closer than this, there is nothing to divide
_HALF = 0.5
_SIDES: dict[Order, str] = {"from_stem": "front", "from_head": "back"}


def verdict(found: Gap, second: str, name: str, pictures: str = "") -> str:
    """Which stages or layers carry the gap, in words.

    Args:
        found: Of one picture or many.
        second: The branch that main is compared with.
        name: Of the class that is followed on one picture.
        pictures: What many pictures are called.
    """
    kind, low, high = _widest(found)
    if pictures:
        change = "perturbed " if kind == "adversarial" else ""
        start = f"Of {found.n} {change}{pictures}, **main** gets {percent(low)} right and "
    else:
        start = f"On the {PICTURES[kind]} picture **main** gives **{name}** {percent(low)} and "
    start += f"**{second}** {percent(high)}."
    if abs(high - low) < _LEAST:
        return f"{start} They hardly differ here, so there is no gap to divide."
    return " ".join([start, _alone(found, kind, low, high), _walks(found, kind, low, high)])


def alt(found: Gap, order: Order, second: str) -> str:
    """The bars of one order, one by one."""
    parts = []
    for kind in found.rows[order][0].scores:
        values = [percent(_value(row.scores[kind])) for row in found.rows[order]]
        parts.append(f"{PICTURES[kind]} {', '.join(values)}")  # type: ignore[index]
    return f"Swapped {SWAPPED[order]}, from main to {second}: {'; '.join(parts)}."


def caption(found: Gap, second: str, perturbation: str) -> str:
    """How to read the bars or the strip.

    Args:
        found: Of one picture or many.
        second: The branch whose norm is put in.
        perturbation: What made the perturbed pictures, in words; empty where nothing did.
    """
    what = "Probability of the class" if found.n == 1 else "Share of right answers"
    more = "" if found.n == 1 else f" with 95 % Wilson intervals (n = {found.n})"
    kinds = "plain bars: clean, hatched: perturbed" if found.by == "stage" else "hover for numbers"
    fixed = (
        f" Perturbed pictures ({perturbation}) stay as they are: a swap that holds against them "
        "need not hold against an attack of its own."
    )
    return (
        f"{what}{more}; {kinds}. Main, with **{second}**'s in: {join([*SWAPPED.values()])}. Layers "
        f"depend on one another, so what they do alone need not add up.{fixed * bool(perturbation)}"
    )


def over(source: Source) -> str:
    """What the button that measures many pictures says."""
    return f"Measure it over {source.limit} {source.title}"


def _value(score: Score) -> float:
    return score.probability if score.n == 1 else score.accuracy


def _widest(found: Gap) -> tuple[InputKind, float, float]:
    """The perturbed picture with main's and the second's value, or the clean one if more differs.

    What a perturbation does is the point, unless the branches do not differ on it at all.
    """
    ends = found.rows["alone"][0].scores, found.rows["alone"][-1].scores
    values = {
        kind: (_value(ends[0][kind]), _value(ends[1][kind])) for kind in PICTURES if kind in ends[0]
    }
    wide = [kind for kind, (low, high) in values.items() if abs(high - low) >= _LEAST]
    kind = (wide or list(values))[-1]
    return kind, *values[kind]


def _alone(found: Gap, kind: InputKind, low: float, high: float) -> str:
    shares = {
        row.unit: (_value(row.scores[kind]) - low) / (high - low)
        for row in found.rows["alone"][1:-1]
    }
    best = max(shares, key=shares.__getitem__)
    if shares[best] <= 0:
        return f"No single {found.by} makes up any of that gap by itself."
    if shares[best] < _HALF:
        return (
            f"No single {found.by} makes up half of that gap: **{best}** does most by itself, "
            f"{percent(shares[best])} of it."
        )
    if shares[best] > 1:
        return f"**{best}** alone makes up more than that gap."
    return f"**{best}** alone makes up {percent(shares[best])} of that gap."


def _walks(found: Gap, kind: InputKind, low: float, high: float) -> str:
    """From which swap on half of the gap stays made up: on the way there it may come and go."""
    parts = []
    for order, side in _SIDES.items():
        rows: Sequence[GapRow] = found.rows[order][1:]
        short = [
            place
            for place, row in enumerate(rows)
            if (_value(row.scores[kind]) - low) / (high - low) < _HALF
        ]
        count = short[-1] + 2 if short else 1
        units = found.by if count == 1 else f"{found.by}s"
        number = "all" if count == len(rows) > 1 else str(count)
        parts.append(f"{number} {units} from the {side} (up to **{rows[count - 1].unit}**)")
    return f"Half of it is made up for good with {' or '.join(parts)}."
