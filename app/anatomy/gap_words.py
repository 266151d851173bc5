"""Words on which layers carry the gap between two branches."""

from __future__ import annotations

from collections.abc import Callable

from advprop_core.anatomy.gap import By, Gap, GapRow, Order
from advprop_core.text import join, percent
from advprop_core.types import InputKind
from app.figures.gap import kinds, value_of
from app.shell.messages import PICTURES

BY: dict[By, str] = {"stage": "Stages", "layer": "Layers"}
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


def verdict(gap: Gap, second: str, name: str, pictures: str = "") -> str:
    """Which stages or layers carry the gap, in words: over many pictures, where they have a name.

    ``name`` is the class that is followed on one picture.
    """
    kind, low, high = _widest(gap)
    if pictures:
        change = "perturbed " if kind == "adversarial" else ""
        start = f"Of {gap.n} {change}{pictures}, **main** gets {percent(low)} right and "
    else:
        start = f"On the {PICTURES[kind]} picture **main** gives **{name}** {percent(low)} and "
    start += f"**{second}** {percent(high)}."
    if abs(high - low) < _LEAST:
        return f"{start} They hardly differ here, so there is no gap to divide."

    def made_up(row: GapRow) -> float:
        return (value_of(row.scores[kind]) - low) / (high - low)

    return " ".join([start, _alone(gap, made_up), _walks(gap, made_up)])


def alt(gap: Gap, order: Order, second: str) -> str:
    """The bars of one order, one by one."""
    phrases = []
    for kind in kinds(gap):
        values = [percent(value_of(row.scores[kind])) for row in gap.rows[order]]
        phrases.append(f"{PICTURES[kind]} {', '.join(values)}")
    return f"Swapped {SWAPPED[order]}, from main to {second}: {'; '.join(phrases)}."


def caption(gap: Gap, second: str, perturbation: str, estimated_on: str) -> str:
    """How to read the bars or the strip.

    ``perturbation`` and ``estimated_on`` say in words what made the perturbed pictures and what
    statistics were estimated on; empty where nothing did, or they were not.
    """
    what = "Probability of the class" if gap.n == 1 else "Share of right answers"
    more = "" if gap.n == 1 else f" with 95 % Wilson intervals (n = {gap.n})"
    kinds = "plain bars: clean, hatched: perturbed" if gap.by == "stage" else "hover for numbers"
    sentences = [
        f"{what}{more}; {kinds}. Main, with **{second}**'s in: {join([*SWAPPED.values()])}.",
        _statistics(gap, estimated_on),
        "Layers depend on one another, so what they do alone need not add up.",
    ]
    if perturbation:
        sentences.append(
            f"Perturbed pictures ({perturbation}) stay as they are: a swap that holds against "
            "them need not hold against an attack of its own."
        )
    return " ".join(sentences)


def _statistics(gap: Gap, estimated_on: str) -> str:
    if gap.naive is None:
        return (
            "Each layer brings its own mean and variance, which do not fit the layers in front of "
            "it: part of every loss is that misfit."
        )
    lines = " Short lines: the same swap without estimated statistics." if gap.by == "stage" else ""
    return (
        f"After each swap, mean and variance are estimated again on {estimated_on}; also at both "
        f"ends, which can differ a little from the branches above.{lines}"
    )


def _widest(gap: Gap) -> tuple[InputKind, float, float]:
    """The perturbed picture with main's and the second's value, or the clean one if more differs.

    What a perturbation does is the point, unless the branches do not differ on it at all.
    """
    ends = gap.rows["alone"][0].scores, gap.rows["alone"][-1].scores
    values = {kind: (value_of(ends[0][kind]), value_of(ends[1][kind])) for kind in kinds(gap)}
    wide = [kind for kind, (low, high) in values.items() if abs(high - low) >= _LEAST]
    kind = (wide or list(values))[-1]
    return kind, *values[kind]


def _alone(gap: Gap, made_up: Callable[[GapRow], float]) -> str:
    shares = {row.unit: made_up(row) for row in gap.rows["alone"][1:-1]}
    best = max(shares, key=shares.__getitem__)
    if shares[best] <= 0:
        return f"No single {gap.by} makes up any of that gap by itself."
    if shares[best] < _HALF:
        return (
            f"No single {gap.by} makes up half of that gap: **{best}** does most by itself, "
            f"{percent(shares[best])} of it."
        )
    if shares[best] > 1:
        return f"**{best}** alone makes up more than that gap."
    return f"**{best}** alone makes up {percent(shares[best])} of that gap."


def _walks(gap: Gap, made_up: Callable[[GapRow], float]) -> str:
    """From which swap on half of the gap stays made up: on the way there it may come and go."""
    phrases = []
    for order, side in _SIDES.items():
        rows = gap.rows[order][1:]
        short = [index for index, row in enumerate(rows) if made_up(row) < _HALF]
        count = short[-1] + 2 if short else 1
        units = gap.by if count == 1 else f"{gap.by}s"
        number = "all" if count == len(rows) > 1 else str(count)
        phrases.append(f"{number} {units} from the {side} (up to **{rows[count - 1].unit}**)")
    return f"Half of the gap is closed, and stays closed, with {' or '.join(phrases)}."
