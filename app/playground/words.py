"""What the attack studio says in words; loads nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import NORM_TITLES, join, percent, radius
from app.shell.controls import describe

if TYPE_CHECKING:
    from advprop_core.compare.matrix import AttackMatrix
    from advprop_core.compare.sweep import Sweep
    from advprop_core.evaluation.results import BranchResult
    from advprop_core.types import AttackConfig, Comparison, ModelInfo
    from app.figures.reel import Reel
    from app.playground.many_pictures import ManyPictures
    from app.shell.view import View


def unit_of(norm: str) -> float:
    """What a radius in pixel units is multiplied by before a person reads it."""
    return 255.0 if norm == "linf" else 1.0


def reachable(epsilon: float, norm: str) -> float:
    """A radius as the sidebar has it, rounded up so that what happens at it still happens."""
    return math.ceil(round(epsilon * unit_of(norm) * 100, 6)) / 100


def flip_radius(epsilon: float, norm: str) -> str:
    """The radius of a flip, rounded up: ``3.32/255``."""
    return radius(reachable(epsilon, norm) / unit_of(norm), norm)


def attack(config: AttackConfig, attack_branch: str | None, names: Sequence[str]) -> str:
    """``PGD-10, L∞, through main``, and what it wants."""
    through = f", through {attack_branch}" if attack_branch else ""
    target = f", towards {names[config.target_class]}" if config.target_class is not None else ""
    return f"{config.name}, {NORM_TITLES[config.norm]}{through}{target}"


# -- the sweep -----------------------------------------------------------------------------------


def flips(result: Sweep, norm: str, names: Sequence[str]) -> str:
    """Where each branch gives way, in one sentence."""
    parts = [f"**{branch}** {flip(result, branch, norm, names)}" for branch in result.predictions]
    unit = "" if norm == "linf" else f" ({NORM_TITLES[norm]})"
    return f"{join(parts)}; searched up to {radius(result.epsilons[-1], norm)}{unit}."


def flip(result: Sweep, branch: str, norm: str, names: Sequence[str]) -> str:
    """Where a branch gives way: ``flips to arrow at 3.32/255``."""
    found, target = result.flips[branch], result.target_class
    if found.epsilon is None:
        return "holds" if target is None else f"never says {names[target]}"
    if not found.epsilon:
        if target is not None:
            return f"says {names[target]} before anything is changed (at 0)"
        return f"is wrong before anything is changed (at 0: {names[found.answer]})"
    at = flip_radius(found.epsilon, norm)
    if target is not None:
        return f"says {names[target]} from {at}"
    return f"flips to {names[found.answer]} at {at}"


def how_swept(result: Sweep, config: AttackConfig, names: Sequence[str]) -> str:
    """How the curve and its flips were obtained, and what they do not say."""
    gap = radius(result.precision, config.norm)
    return (
        f"{attack(config, result.attack_branch, names)}, at {len(result.epsilons)} radii: a grid, "
        f"then halving where an answer changes, to within {gap}. The radius is an **upper bound** "
        "by this attack: a stronger one may need less, and between two radii that were tried a "
        "branch may flip and come back."
    )


# -- the film ------------------------------------------------------------------------------------


def described(view: View, info: ModelInfo) -> str:
    """The attack of a view in words, and what it wants."""
    towards = f", towards {dict(info.classes)[view.target]}" if view.target else ""
    return f"{describe(view)}{towards}"


def how_filmed(reel: Reel, described: str, map_title: str, names: Sequence[str]) -> str:
    """What a film shows."""
    walked = reel.all_steps + (0 in reel.steps)
    shown = len(reel.steps) - 1
    skipped = f" Of its {walked} pictures {shown} are shown, evenly spread." * (shown < walked)
    return (
        f"{described}.{skipped} {map_title} for the class **{names[reel.class_index]}**, on one "
        "colour scale for all frames and branches."
    )


# -- the matrix ----------------------------------------------------------------------------------


def fooled(result: AttackMatrix, names: Sequence[str]) -> list[str]:
    """One sentence for each attack: whom it fools."""
    return [_fooled(result, source, names) for source in result.branches]


def _fooled(result: AttackMatrix, source: str, names: Sequence[str]) -> str:
    target = result.target_class
    verb = "fools" if result.true_class is not None else "changes the answer of"
    hit: list[str] = []
    held: list[str] = []
    for name in result.branches:
        said = result.attacked[source, name].class_index
        if target is not None:
            (hit if said == target else held).append(f"**{name}**")
        elif result.clean[name].class_index == result.expected[name]:
            (hit if said != result.expected[name] else held).append(f"**{name}**")
    if not hit and not held:
        told = "finds every branch wrong already"
    elif target is not None:
        told = f"makes {join(hit) or 'no branch'} say {names[target]}"
    else:
        told = f"{verb} {join(hit) or 'no branch'}"
    but = f", not {join(held)}" if hit and held else ""
    return f"The attack through **{source}** {told}{but}."


def robustness(cells: Sequence[BranchResult]) -> str:
    """How often each branch is right, clean and under each attack."""
    told = []
    for source in dict.fromkeys(one.condition.attack_branch for one in cells):
        kept = [
            f"**{one.branch}** {percent(one.top1)}"
            for one in cells
            if one.condition.attack_branch == source
        ]
        what = "on clean pictures" if source is None else f"attacked through **{source}**"
        told.append(f"{what}: {join(kept)}")
    return f"Right answers {'; '.join(told)}."


def how_measured(result: ManyPictures, model: str, names: Sequence[str]) -> str:
    """How the accuracies were obtained."""
    config = result.config
    target = config.target_class
    pictures = "drawn scenes it was not trained on"
    if result.data != "shapes":
        pictures = "photos of your folder"
    parts = [
        f"{model} on n = {result.cells[0].n} {pictures}",
        f"{attack(config, None, names)}, ε = {radius(config.epsilon, config.norm)}",
        "in brackets the 95 % Wilson interval",
    ]
    if target is not None:
        parts.append(f"pictures of {names[target]} are left out")
    if result.unreadable:
        parts.append(f"{result.unreadable} files could not be read")
    if result.ignored_classes:
        parts.append(f"folders of other classes: {join(result.ignored_classes[:5])}")
    return f"{'; '.join(parts)}."


# -- targets -------------------------------------------------------------------------------------


def reached(result: Comparison, target: int, names: Sequence[str]) -> str:
    """Whether a targeted attack got what it wanted, branch by branch."""
    parts = []
    for branch in result.branches:
        said = result.predictions["adversarial", branch]
        share = percent(float(said.probabilities[target]))
        if said.class_index == target:
            parts.append(f"reached on **{branch}** ({share})")
        else:
            answer = names[said.class_index]
            parts.append(
                f"not reached on **{branch}**, which says {answer} ({names[target]} {share})"
            )
    return f"The target {names[target]} was {join(parts)}."
