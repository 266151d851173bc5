"""What the attack studio says in words; loads nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import NORM_TITLES, NORM_UNITS, percent, radius
from advprop_core.types import AttackConfig, Comparison
from app.language.text import _, join, paragraph
from app.shell import messages

if TYPE_CHECKING:
    from advprop_core.compare.matrix import AttackMatrix
    from advprop_core.compare.sweep import Sweep
    from advprop_core.evaluation.results import BranchResult
    from app.figures.reel import Reel


def reachable(epsilon: float, norm: str) -> float:
    """A radius as the sidebar has it, rounded up so that what happens at it still happens."""
    return math.ceil(round(epsilon * NORM_UNITS[norm] * 100, 6)) / 100


def flip_radius(epsilon: float, norm: str) -> str:
    """The radius of a flip, rounded up: ``3.32/255``."""
    return radius(reachable(epsilon, norm) / NORM_UNITS[norm], norm)


def attack(config: AttackConfig, attack_branch: str | None, names: Sequence[str]) -> str:
    """``PGD-10, L∞, through main``, and what it wants."""
    parts = [config.name, NORM_TITLES[config.norm]]
    if attack_branch:
        parts.append(_("through {branch}", branch=attack_branch))
    if config.target_class is not None:
        parts.append(_("towards {name}", name=names[config.target_class]))
    return _(", ").join(parts)


def survival(result: Comparison) -> str:
    """Whether the perturbed picture does the same once it is saved as a PNG."""
    lost = [f"**{branch}**" for branch, same in result.facts.survives_png.items() if not same]
    if not lost:
        return _("Measured: saved as PNG, the perturbed picture gets the same answers.")
    return _(
        "Measured: saved as PNG, the perturbed picture gets another answer from "
        "{branches}. Its exact values are under “Save more”.",
        branches=join(lost),
    )


# -- the sweep -----------------------------------------------------------------------------------


def flips(result: Sweep, norm: str, names: Sequence[str]) -> str:
    """Where each branch gives way, in one sentence."""
    parts = [f"**{branch}** {flip(result, branch, norm, names)}" for branch in result.predictions]
    last = radius(result.epsilons[-1], norm)
    return _(
        "{parts}; searched up to {last} ({norm}).",
        parts=join(parts),
        last=last,
        norm=NORM_TITLES[norm],
    )


def flip(result: Sweep, branch: str, norm: str, names: Sequence[str]) -> str:
    """Where a branch gives way: ``flips to arrow at 3.32/255``."""
    change, target = result.flips[branch], result.target_class
    if change.epsilon is None:
        if target is None:
            return _("keeps its answer")
        return _("never says {name}", name=names[target])
    if not change.epsilon:
        if target is not None:
            return _("says {name} on the clean picture (at 0)", name=names[target])
        return _("is wrong on the clean picture (at 0: {name})", name=names[change.answer])
    at = flip_radius(change.epsilon, norm)
    if target is not None:
        return _("says {name} from {at}", name=names[target], at=at)
    return _("flips to {name} at {at}", name=names[change.answer], at=at)


def how_swept(result: Sweep, config: AttackConfig, names: Sequence[str]) -> str:
    """How the curve and its flips were obtained, and what they do not say."""
    gap = radius(result.precision, config.norm)
    return _(
        "{attack}, at {count} radii: a grid, then bisection where an answer changes, to within "
        "{gap}. Each radius is an **upper bound**: a stronger attack may need a smaller one. "
        "Between two tested radii, a branch may flip and flip back.",
        attack=attack(config, result.attack_branch, names),
        count=len(result.epsilons),
        gap=gap,
    )


# -- the film ------------------------------------------------------------------------------------


def how_filmed(reel: Reel, described: str, map_title: str, names: Sequence[str]) -> str:
    """What a film shows."""
    walked = reel.all_steps + (0 in reel.steps)
    shown = len(reel.steps) - 1
    sentences = [_("{sentence}.", sentence=described)]
    if shown < walked:
        some = _("The film shows {shown} of {walked} pictures, evenly spaced.")
        sentences.append(some.format(shown=shown, walked=walked))
    if reel.maps_refused:
        sentences.append(messages.not_drawn(map_title, reel.maps_refused))
    else:
        sentences.append(
            _(
                "{map} for the class **{name}**, on one colour scale for all frames and branches.",
                map=map_title,
                name=names[reel.class_index],
            )
        )
    return paragraph(sentences)


# -- the matrix ----------------------------------------------------------------------------------


def fooled(result: AttackMatrix, names: Sequence[str]) -> list[str]:
    """One sentence for each attack: whom it fools."""
    target, sentences = result.target_class, []
    for source in result.branches:
        hit: list[str] = []
        missed: list[str] = []
        for name in result.branches:
            answer, expected = result.attacked[source, name].class_index, result.expected[name]
            if target is not None:
                (hit if answer == target else missed).append(f"**{name}**")
            elif result.clean[name].class_index == expected:
                (hit if answer != expected else missed).append(f"**{name}**")
        effect = _("changes the answer of {fooled}")
        if target is not None:
            effect = _("makes {fooled} say {name}")
        elif result.true_class is not None:
            effect = _("fools {fooled}")
        effect = effect.format(
            fooled=join(hit) or _("no branch"), name="" if target is None else names[target]
        )
        but = _(", not {missed}", missed=join(missed)) if hit and missed else ""
        sentence = _("The attack through **{source}** {effect}{but}.")
        if not hit and not missed:
            sentence = _("Every branch is wrong already before the attack through **{source}**.")
        sentences.append(sentence.format(source=source, effect=effect, but=but))
    return sentences


def robustness(cells: Sequence[BranchResult]) -> str:
    """How often each branch is right, clean and under each attack."""
    parts = []
    for source in dict.fromkeys(cell.condition.attack_branch for cell in cells):
        accuracies = [
            f"**{cell.branch}** {percent(cell.top1)}"
            for cell in cells
            if cell.condition.attack_branch == source
        ]
        what = _("on clean pictures")
        if source is not None:
            what = _("attacked through **{source}**", source=source)
        parts.append(_("{what}: {figures}", what=what, figures=join(accuracies)))
    return _("Accuracy {parts}.", parts=_("; ").join(parts))


# -- targets -------------------------------------------------------------------------------------


def reached(result: Comparison, target: int, names: Sequence[str]) -> str:
    """Whether a targeted attack got what it wanted, branch by branch."""
    parts = []
    for branch in result.branches:
        prediction = result.predictions["adversarial", branch]
        share = percent(float(prediction.probabilities[target]))
        if prediction.class_index == target:
            parts.append(_("reached on **{branch}** ({share})", branch=branch, share=share))
        else:
            answer = names[prediction.class_index]
            parts.append(
                _(
                    "not reached on **{branch}**, which says {answer} ({name} {share})",
                    branch=branch,
                    answer=answer,
                    name=names[target],
                    share=share,
                )
            )
    return _("The target {name} was {parts}.", name=names[target], parts=join(parts))
