"""Signs that an attack failed for want of a useful gradient, and not because a branch is robust.

The checks are those of Athalye et al., arXiv 1802.00420: one step must not beat many, noise must
not beat a gradient, a larger ball must not protect, and without a bound nothing may survive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import torch

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.gradient import loss_gradient
from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.inputs import Workshop, clean_batch
from advprop_core.evaluation.paired import Pair
from advprop_core.evaluation.results import Answers
from advprop_core.text import ball, percent
from advprop_core.types import UNBOUNDED_RADII, AttackConfig

NOISE = "noise"
# With no limit on ε every image can be changed into any other: what survives shows a gradient that
# leads nowhere, whatever the norm.
_UNBOUNDED_STEPS = 20
_SURVIVORS = 0.01
_CHANCE = 0.05

Attack = AttackConfig | AutoAttackConfig
Sign = Literal[
    "one step beats many",
    "noise beats gradient",
    "larger radius",
    "survives anything",
    "no gradient",
]


@dataclass(frozen=True)
class Suspicion:
    """A reason not to trust a robust accuracy: what was seen, and a sentence with its figures."""

    model: str
    branch: str
    sign: Sign
    text: str


def controls(attacks: Sequence[Attack], seed: int) -> list[AttackConfig]:
    """Noise of each attack's radius, and PGD without a limit: they show a masked gradient.

    They are for each branch through itself, whatever the attacks go through.
    """
    balls = dict.fromkeys((config.norm, config.epsilon) for config in attacks)
    noises = [AttackConfig.noise(epsilon, norm=norm, seed=seed) for norm, epsilon in balls]
    return [*noises, AttackConfig.pgd(1.0, steps=_UNBOUNDED_STEPS, seed=seed)]


def suspicions(answers: Mapping[Cell, Answers]) -> tuple[Suspicion, ...]:
    """Every sign of a masked gradient among cells.

    Two attacks are compared image by image; a difference counts where it is larger than chance
    would make it in 95 of 100 cases (McNemar's test, exact).

    Args:
        answers: To the same images, by cell; clean and corrupted cells are passed over, and
            attacks through another branch, of which a weaker one may well do more harm.
    """
    attacked = {
        cell: cell.condition.attack
        for cell in answers
        if cell.condition.attack is not None and cell.condition.attack_branch == cell.branch
    }
    seen = []
    for cell, config in attacked.items():
        right, is_unbounded = answers[cell].accuracy, config.epsilon >= UNBOUNDED_RADII[config.norm]
        walks = config.name != NOISE and config.steps > 1  # one long step may well overshoot
        if is_unbounded and walks and right > _SURVIVORS:
            text = (
                f"{cell.model}, {cell.branch}: {percent(right)} of images survive "
                f"{_named(cell, config)}, where none can."
            )
            seen.append(Suspicion(cell.model, cell.branch, "survives anything", text))
    # Both orders of each pair: `_sign` says which of the two is the weaker attack.
    for (weak, weak_config), (strong, strong_config) in permutations(attacked.items(), 2):
        same_branch = (weak.model, weak.branch) == (strong.model, strong.branch)
        alike = weak.condition.restarts == strong.condition.restarts
        if same_branch and (sign := _sign(weak_config, strong_config, alike)):
            counted = Pair.of(answers[weak].right.numpy(), answers[strong].right.numpy())
            if counted.only_second > counted.only_first and counted.p < _CHANCE:
                text = (
                    f"{weak.model}, {weak.branch}: {_named(weak, weak_config)} leaves "
                    f"{percent(answers[weak].accuracy)} right and the stronger "
                    f"{_named(strong, strong_config)} {percent(answers[strong].accuracy)}: its "
                    "gradient may be masked."
                )
                seen.append(Suspicion(weak.model, weak.branch, sign, text))
    return tuple(seen)


def without_gradient(model: TestedModel, workshop: Workshop) -> list[Suspicion]:
    """A reason not to trust attacks for each branch with images whose gradient is exactly zero.

    It is the gradient of the loss that attacks raise, so a confident branch has none of these. A
    layer that rounds, dead activations or a detached graph make them. All processes call this.
    """
    signs = []
    batches = torch.arange(len(model.images)).split(workshop.batch_size)
    for branch in model.branches:
        network, flat_per_batch = workshop.network(model, branch), []
        for rows in workshop.processes.share(batches):
            pixels, labels = clean_batch(model, rows, workshop.device)
            gradient = loss_gradient(network, pixels, labels)
            flat_per_batch.append(int((gradient.flatten(1) == 0).all(1).sum()))
        if count := sum(workshop.processes.gather(flat_per_batch)):
            text = (
                f"{model.name}, {branch}: {count} of {len(model.images)} images have no gradient "
                "at all, so attacks that follow it cannot move them: its gradient is masked."
            )
            signs.append(Suspicion(model.name, branch, "no gradient", text))
    return signs


def _sign(weak: Attack, strong: Attack, same_restarts: bool) -> Sign | None:
    """What it would show if the first attack did more harm; None where it is not the weaker."""
    if weak.norm != strong.norm or strong.name == NOISE:
        return None
    if weak.epsilon == strong.epsilon:
        if weak.name == NOISE:
            return "noise beats gradient"
        return "one step beats many" if weak.name == "FGSM" and strong.steps > 1 else None
    same = same_restarts and weak.name == strong.name != "FGSM"  # one long step may well overshoot
    return "larger radius" if same and weak.epsilon < strong.epsilon else None


def _named(cell: Cell, config: Attack) -> str:
    return f"{cell.condition.attack_name}, {ball(config.norm, config.epsilon)}"
