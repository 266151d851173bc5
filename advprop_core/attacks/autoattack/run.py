"""The ensemble: each member attacks the images that no member before it turned.

Croce and Hein, arXiv 2003.01690, the version they call standard: APGD on the cross-entropy,
APGD on the targeted DLR loss, targeted FAB, Square Attack.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from advprop_core.attacks.autoattack.apgd import apgd
from advprop_core.attacks.autoattack.config import MEMBERS, AutoAttackConfig, require_classes
from advprop_core.attacks.autoattack.fab import fab
from advprop_core.attacks.autoattack.search import (
    Adversarials,
    cross_entropy,
    likely_wrong,
    targeted_dlr,
)
from advprop_core.attacks.autoattack.square import square
from advprop_core.attacks.inputs import Model, own_inputs, require_labels
from advprop_core.errors import InputError
from advprop_core.pictures.draws import Streams, streams

Member = Callable[[Model, Tensor, Tensor, AutoAttackConfig, Streams], Adversarials]
TargetedMember = Callable[[Model, Tensor, Tensor, Tensor, AutoAttackConfig, Streams], Adversarials]


@dataclass(frozen=True, eq=False)
class AutoAttackResult:
    """What AutoAttack made of a batch.

    Attributes:
        adversarial: (N, 3, H, W) in [0, 1] and in the ball; an image that was answered wrongly
            before, and one that nothing turned, are the clean ones.
        turned_by: For each image ``clean`` where its clean answer was wrong, the member that
            turned it, or None where no member did.
    """

    adversarial: Tensor
    turned_by: tuple[str | None, ...]

    @property
    def robust_accuracy(self) -> float:
        """Share of images that no member turned."""
        return self.turned_by.count(None) / len(self.turned_by)


@torch.inference_mode(False)
def auto_attack(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AutoAttackConfig,
    members: Sequence[str] = MEMBERS,
    seeds: Sequence[int] | None = None,
) -> AutoAttackResult:
    """Attack each image until one member turns it.

    An image's draws follow from its own seed, so the other images of a batch change nothing but
    rounding.

    Args:
        model: As for :func:`~advprop_core.attacks.gradient.attack`.
        pixels: (N, 3, H, W) float in [0, 1], N at least 1.
        labels: (N,) true classes.
        config: Norm, radius, numbers of steps.
        members: Names out of ``MEMBERS``, in the order in which they attack. Less than all of
            them is not AutoAttack.
        seeds: One for each image; the configuration's seed plus its place when not given.

    Raises:
        TypeError, ValueError: For what :func:`~advprop_core.attacks.gradient.attack` refuses.
        InputError: For an unknown member, or a model of fewer than four classes.
    """
    inputs, targets = own_inputs(model, pixels, labels)
    if seeds is None:
        seeds = [config.seed + index for index in range(len(inputs))]
    if unknown := [name for name in members if name not in MEMBERS]:
        raise InputError(f"members must be of {', '.join(MEMBERS)}, got {', '.join(unknown)}")
    # Half precision would round steps away: only the network counts in it, not the search.
    clean = inputs.to(torch.promote_types(inputs.dtype, torch.float32))

    def network(points: Tensor) -> Tensor:
        return model(points.to(inputs.dtype)).float()

    with torch.no_grad():
        logits = network(clean)
    require_labels(targets, logits.shape[1])
    require_classes(logits.shape[1])
    turned_by: list[str | None] = [
        None if right else "clean" for right in (logits.argmax(1) == targets).tolist()
    ]
    points = clean.clone()
    for name in members if config.epsilon else ():
        rows = [row for row, member in enumerate(turned_by) if member is None]
        if not rows:
            break
        draws = streams([seeds[row] for row in rows], len(rows))
        result = _RUN[name](network, clean[rows], targets[rows], config, draws)
        for row, turned in zip(rows, result.turned.tolist(), strict=True):
            turned_by[row] = name if turned else None
        points[rows] = result.points
    return AutoAttackResult(points.to(pixels.dtype), tuple(turned_by))


def _fab(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    targets: Tensor,
    config: AutoAttackConfig,
    _draws: Streams,
) -> Adversarials:
    points, lengths = fab(model, pixels, labels, targets, config)
    return Adversarials(points, lengths <= config.epsilon)


def _each_target(
    member: TargetedMember,
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AutoAttackConfig,
    draws: Streams,
) -> Adversarials:
    """Try one wrong class after another, the most probable first, on what is still robust."""
    with torch.no_grad():
        targets = likely_wrong(model(pixels), labels, config.targets)
    adversarials = Adversarials.none_yet(pixels)
    for target in targets.unbind(1):
        rows = (~adversarials.turned).nonzero()[:, 0]
        if not len(rows):
            break
        row_draws = [draws[row] for row in rows.tolist()]
        result = member(model, pixels[rows], labels[rows], target[rows], config, row_draws)
        adversarials.add(rows[result.turned], result.points[result.turned])
    return adversarials


_RUN: Mapping[str, Member] = {
    "APGD-CE": lambda model, pixels, labels, config, draws: apgd(
        model, pixels, labels, labels, config, draws, score=cross_entropy
    ),
    "APGD-T": partial(_each_target, partial(apgd, score=targeted_dlr)),
    "FAB-T": partial(_each_target, _fab),
    "Square": square,
}
