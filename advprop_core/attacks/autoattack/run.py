"""The ensemble: each member attacks what the members before it left standing.

Croce and Hein, arXiv 2003.01690, the version they call standard: APGD on the cross-entropy,
APGD on the targeted DLR loss, targeted FAB, Square Attack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from advprop_core.attacks.autoattack.apgd import apgd
from advprop_core.attacks.autoattack.config import MEMBERS, AutoAttackConfig, require_classes
from advprop_core.attacks.autoattack.fab import fab
from advprop_core.attacks.autoattack.search import Found, cross_entropy, likely_wrong, targeted_dlr
from advprop_core.attacks.autoattack.square import square
from advprop_core.attacks.inputs import Model, own_inputs, require_labels
from advprop_core.errors import InputError
from advprop_core.pictures.draws import streams

Member = Callable[[Model, Tensor, Tensor, AutoAttackConfig, Sequence[int]], Found]


@dataclass(frozen=True, eq=False)
class AutoAttackResult:
    """What AutoAttack made of a batch.

    Attributes:
        adversarial: (N, 3, H, W) in [0, 1] and in the ball; an image that was answered wrongly
            before, and one that nothing turned, are the clean ones.
        turned_by: For each image ``clean`` where its clean answer was wrong, the member that
            turned it, or None where it stands.
    """

    adversarial: Tensor
    turned_by: tuple[str | None, ...]

    @property
    def clean_accuracy(self) -> float:
        """Share of images with a right clean answer."""
        return 1 - self.turned_by.count("clean") / len(self.turned_by)

    @property
    def robust_accuracy(self) -> float:
        """Share of images that stand."""
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
        model: (N, 3, H, W) pixels to (N, C) logits; a module in eval mode, as for
            :func:`~advprop_core.attacks.gradient.attack`.
        pixels: (N, 3, H, W) float in [0, 1], N at least 1.
        labels: (N,) true classes.
        config: Norm, radius, numbers of steps.
        members: Names out of ``MEMBERS``, in the order in which they attack. Less than all of
            them is not AutoAttack.
        seeds: One for each image; the configuration's seed plus its place when not given.

    Raises:
        TypeError: If pixels are not floating point.
        ValueError: For what :func:`~advprop_core.attacks.gradient.attack` refuses, an unknown
            member, or a model of fewer than four classes.
    """
    pixels, labels = own_inputs(model, pixels, labels)
    seeds = [config.seed + place for place in range(len(pixels))] if seeds is None else seeds
    if unknown := [name for name in members if name not in MEMBERS]:
        raise InputError(f"members must be of {', '.join(MEMBERS)}, got {', '.join(unknown)}")
    with torch.no_grad():
        logits = model(pixels).float()
    require_labels(labels, logits.shape[1])
    require_classes(logits.shape[1])
    turned_by: list[str | None] = [
        None if right else "clean" for right in (logits.argmax(1) == labels).tolist()
    ]
    adversarial = pixels.clone()
    for name in members if config.epsilon else ():
        places = [place for place, by in enumerate(turned_by) if by is None]
        if not places:
            break
        own = [seeds[place] for place in places]
        found = _RUN[name](model, pixels[places], labels[places], config, own)
        for place, turned in zip(places, found.turned.tolist(), strict=True):
            turned_by[place] = name if turned else None
        adversarial[places] = found.points
    return AutoAttackResult(adversarial, tuple(turned_by))


def _apgd_ce(
    model: Model, pixels: Tensor, labels: Tensor, config: AutoAttackConfig, seeds: Sequence[int]
) -> Found:
    draws = streams(seeds, len(seeds))
    return apgd(
        model,
        pixels,
        labels,
        labels,
        cross_entropy,
        norm=config.norm,
        epsilon=config.epsilon,
        steps=config.steps,
        draws=draws,
    )


def _apgd_t(
    model: Model, pixels: Tensor, labels: Tensor, config: AutoAttackConfig, seeds: Sequence[int]
) -> Found:
    draws = streams(seeds, len(seeds))

    def towards(rows: Tensor, targets: Tensor) -> Found:
        return apgd(
            model,
            pixels[rows],
            labels[rows],
            targets,
            targeted_dlr,
            norm=config.norm,
            epsilon=config.epsilon,
            steps=config.steps,
            draws=[draws[row] for row in rows.tolist()],
        )

    return _each_target(model, pixels, labels, config.targets, towards)


def _fab_t(
    model: Model, pixels: Tensor, labels: Tensor, config: AutoAttackConfig, _: Sequence[int]
) -> Found:
    def towards(rows: Tensor, targets: Tensor) -> Found:
        nearest = fab(
            model,
            pixels[rows],
            labels[rows],
            targets,
            norm=config.norm,
            steps=config.steps,
            enough=config.epsilon,
        )
        return Found(nearest.points, nearest.lengths <= config.epsilon)

    return _each_target(model, pixels, labels, config.targets, towards)


def _square(
    model: Model, pixels: Tensor, labels: Tensor, config: AutoAttackConfig, seeds: Sequence[int]
) -> Found:
    return square(
        model,
        pixels,
        labels,
        norm=config.norm,
        epsilon=config.epsilon,
        queries=config.queries,
        draws=streams(seeds, len(seeds)),
    )


_RUN: Mapping[str, Member] = MappingProxyType(
    dict(zip(MEMBERS, (_apgd_ce, _apgd_t, _fab_t, _square), strict=True))
)


def _each_target(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    count: int,
    towards: Callable[[Tensor, Tensor], Found],
) -> Found:
    """Try one wrong class after another, the most probable first, on what still stands."""
    with torch.no_grad():
        targets = likely_wrong(model(pixels).float(), labels, count)
    found = Found.nothing(pixels)
    for wanted in targets.unbind(1):
        rows = found.standing()
        if not len(rows):
            break
        part = towards(rows, wanted[rows])
        found.keep(rows[part.turned], part.points[part.turned])
    return found
