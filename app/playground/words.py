"""What the attack studio says in words; loads nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import NORM_TITLES, NORM_UNITS, join, percent, radius
from app.shell import messages

if TYPE_CHECKING:
    from advprop_core.compare.matrix import AttackMatrix
    from advprop_core.compare.sweep import Sweep
    from advprop_core.evaluation.results import BranchResult
    from advprop_core.types import AttackConfig, Comparison
    from app.figures.reel import Reel
    from app.playground.many_pictures import ManyPictures


def reachable(epsilon: float, norm: str) -> float:
    """A radius as the sidebar has it, rounded up so that what happens at it still happens."""
    return math.ceil(round(epsilon * NORM_UNITS[norm] * 100, 6)) / 100


def flip_radius(epsilon: float, norm: str) -> str:
    """The radius of a flip, rounded up: ``3.32/255``."""
    return radius(reachable(epsilon, norm) / NORM_UNITS[norm], norm)


def attack(config: AttackConfig, attack_branch: str | None, names: Sequence[str]) -> str:
    """``PGD-10, L∞, through main``, and what it wants."""
    through = f", through {attack_branch}" if attack_branch else ""
    target = f", towards {names[config.target_class]}" if config.target_class is not None else ""
    return f"{config.name}, {NORM_TITLES[config.norm]}{through}{target}"


def survival(result: Comparison) -> str:
    """Whether the perturbed picture does the same once it is saved as a PNG."""
    lost = [f"**{branch}**" for branch, same in result.facts.survives_png.items() if not same]
    if not lost:
        return "Measured: saved as PNG, the perturbed picture gets the same answers."
    return (
        f"Measured: saved as PNG, the perturbed picture gets another answer from {join(lost)}. "
        "Its exact values are under “Save more”."
    )


# -- the sweep -----------------------------------------------------------------------------------


def flips(result: Sweep, norm: str, names: Sequence[str]) -> str:
    """Where each branch gives way, in one sentence."""
    parts = [f"**{branch}** {flip(result, branch, norm, names)}" for branch in result.predictions]
    last = radius(result.epsilons[-1], norm)
    return f"{join(parts)}; searched up to {last} ({NORM_TITLES[norm]})."


def flip(result: Sweep, branch: str, norm: str, names: Sequence[str]) -> str:
    """Where a branch gives way: ``flips to arrow at 3.32/255``."""
    change, target = result.flips[branch], result.target_class
    if change.epsilon is None:
        return "keeps its answer" if target is None else f"never says {names[target]}"
    if not change.epsilon:
        if target is not None:
            return f"says {names[target]} before anything is changed (at 0)"
        return f"is wrong before anything is changed (at 0: {names[change.answer]})"
    at = flip_radius(change.epsilon, norm)
    if target is not None:
        return f"says {names[target]} from {at}"
    return f"flips to {names[change.answer]} at {at}"


def how_swept(result: Sweep, config: AttackConfig, names: Sequence[str]) -> str:
    """How the curve and its flips were obtained, and what they do not say."""
    gap = radius(result.precision, config.norm)
    return (
        f"{attack(config, result.attack_branch, names)}, at {len(result.epsilons)} radii: a grid, "
        f"then bisection where an answer changes, to within {gap}. Each radius is an **upper "
        "bound**: a stronger attack may need less. Between two radii that were tried, a branch may "
        "flip and flip back."
    )


# -- the film ------------------------------------------------------------------------------------


def how_filmed(reel: Reel, described: str, map_title: str, names: Sequence[str]) -> str:
    """What a film shows."""
    walked = reel.all_steps + (0 in reel.steps)
    shown = len(reel.steps) - 1
    skipped = f" {shown} of its {walked} pictures are shown, evenly spaced." * (shown < walked)
    if reel.maps_refused:
        return f"{described}.{skipped} {messages.not_drawn(map_title, reel.maps_refused)}"
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
    hit: list[str] = []
    missed: list[str] = []
    for name in result.branches:
        answer = result.attacked[source, name].class_index
        if target is not None:
            (hit if answer == target else missed).append(f"**{name}**")
        elif result.clean[name].class_index == result.expected[name]:
            (hit if answer != result.expected[name] else missed).append(f"**{name}**")
    if not hit and not missed:
        return f"Before the attack through **{source}** every branch is wrong already."
    fooled = join(hit) or "no branch"
    if target is not None:
        effect = f"makes {fooled} say {names[target]}"
    elif result.true_class is not None:
        effect = f"fools {fooled}"
    else:
        effect = f"changes the answer of {fooled}"
    but = f", not {join(missed)}" if hit and missed else ""
    return f"The attack through **{source}** {effect}{but}."


def robustness(cells: Sequence[BranchResult]) -> str:
    """How often each branch is right, clean and under each attack."""
    parts = []
    for source in dict.fromkeys(cell.condition.attack_branch for cell in cells):
        accuracies = [
            f"**{cell.branch}** {percent(cell.top1)}"
            for cell in cells
            if cell.condition.attack_branch == source
        ]
        what = "on clean pictures" if source is None else f"attacked through **{source}**"
        parts.append(f"{what}: {join(accuracies)}")
    return f"Accuracy {'; '.join(parts)}."


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
        prediction = result.predictions["adversarial", branch]
        share = percent(float(prediction.probabilities[target]))
        if prediction.class_index == target:
            parts.append(f"reached on **{branch}** ({share})")
        else:
            answer = names[prediction.class_index]
            parts.append(
                f"not reached on **{branch}**, which says {answer} ({names[target]} {share})"
            )
    return f"The target {names[target]} was {join(parts)}."
