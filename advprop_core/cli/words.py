"""A comparison in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from advprop_core.text import NORM_TITLES, branch_outcomes, percent, radius

if TYPE_CHECKING:
    from advprop_core.attacks.autoattack import AutoAttackConfig
    from advprop_core.types import (
        AttackConfig,
        Comparison,
        ModelInfo,
        PerturbationFacts,
        Prediction,
    )


def outcome(comparison: Comparison, names: Sequence[str]) -> str:
    """What happened, branch by branch: ``main was fooled: church 93 % → tench 71 %; aux held``."""
    return "; ".join(f"{branch} {what}" for branch, what in branch_outcomes(comparison, names))


def describe_attack(config: AttackConfig, branch: str) -> str:
    """``PGD-10 through main, L∞ ≤ 4/255, step 1/255``."""
    steps = "" if config.name == "FGSM" else f", step {radius(config.step_size, config.norm)}"
    return f"{config.name} through {branch}, {describe_ball(config)}{steps}"


def describe_ball(config: AttackConfig | AutoAttackConfig) -> str:
    """``L∞ ≤ 4/255``."""
    return f"{NORM_TITLES[config.norm]} ≤ {radius(config.epsilon, config.norm)}"


def describe_facts(facts: PerturbationFacts) -> str:
    """The honesty figures on one line."""
    lost = [branch for branch, survives in facts.survives_png.items() if not survives]
    png = f"not for {', '.join(lost)}" if lost else "yes"
    return (
        f"measured: L∞ {radius(facts.linf, 'linf')}, "
        f"L2 {radius(facts.l2, 'l2')}, "
        f"pixels in [{facts.low:.3g}, {facts.high:.3g}]; "
        f"predictions survive an 8-bit PNG: {png}"
    )


def prediction_table(
    info: ModelInfo, answers: Mapping[str, Prediction], top: int, true_class: int | None
) -> Table:
    """A column per branch, the most probable class first; the true class is marked."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for branch in answers:
        table.add_column(f"{branch} ({info.branches[branch]})", overflow="fold")
    columns = [
        [_line(info, *pair, true_class) for pair in prediction.top(top)]
        for prediction in answers.values()
    ]
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    if true_class is not None:
        table.caption = f"* true class: {escape(info.class_names[true_class])}"
        table.caption_justify = "left"
    return table


def _line(info: ModelInfo, index: int, probability: float, true_class: int | None) -> str:
    mark = " *" if index == true_class else ""
    return f"{percent(probability):>5}  {escape(info.class_names[index])}{mark}"
