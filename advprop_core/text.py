"""Results in words; loads nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advprop_core.types import Comparison

NORM_TITLES = {"linf": "L∞", "l2": "L2"}


def percent(share: float) -> str:
    """``93 %``; tiny and near-certain shares keep their side of the edge."""
    if 0 < share < 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells that are fit for one."""
    written = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in written)


def ends(interval: Sequence[float]) -> tuple[str, str]:
    """``("85", "98")``, in percent; with a decimal where whole ones would hide the difference."""
    low, high = interval
    edge = any(0 < end < 0.005 or 0.995 <= end < 1 for end in interval)
    digits = 1 if edge or round(100 * low) == round(100 * high) else 0
    return f"{100 * low:.{digits}f}", f"{100 * high:.{digits}f}"


def branch_outcomes(comparison: Comparison, names: Sequence[str]) -> list[tuple[str, str]]:
    """What happened to each branch: ``("main", "was fooled: church 93 % → tench 71 %")``.

    Args:
        comparison: Any result of :func:`advprop_core.compare.compare.compare`.
        names: Class names in class-index order.
    """
    return [(branch, _outcome(comparison, branch, names)) for branch in comparison.branches]


def _outcome(comparison: Comparison, branch: str, names: Sequence[str]) -> str:
    before = comparison.predictions["clean", branch]
    after = comparison.predictions["adversarial", branch]
    truth = comparison.true_class
    move = " → ".join(
        f"{names[one.class_index]} {percent(one.confidence)}" for one in (before, after)
    )
    wrong = truth is not None and before.class_index != truth
    if before.class_index == after.class_index:
        verb = "was wrong before and stays so" if wrong else "held"
    elif truth is None:
        verb = "changed its mind"
    elif not wrong:
        verb = "was fooled"
    elif after.class_index == truth:
        verb = "was wrong before and is now right"
    else:
        verb = "was wrong before and changed its mind"
    return f"{verb}: {move}"
