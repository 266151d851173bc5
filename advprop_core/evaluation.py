"""Accuracies per branch over a data set, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.attacks import attack
from advprop_core.dual_bn import DualBNModel
from advprop_core.folding import fold
from advprop_core.types import AttackConfig

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Condition:
    """What the images went through before a branch saw them.

    Attributes:
        attack: None for clean images.
        attack_branch: Whose gradient made the perturbation; None means the branch that is
            evaluated (white box).
    """

    attack: AttackConfig | None = None
    attack_branch: str | None = None

    @property
    def kind(self) -> Literal["clean", "attack"]:
        """``clean`` or ``attack``."""
        return "clean" if self.attack is None else "attack"


@dataclass(frozen=True)
class BranchResult:
    """One branch under one condition.

    Attributes:
        branch: Who predicted.
        condition: What it was shown; its attack branch is filled in.
        n: Number of images.
        top1: Accuracy, a fraction.
        top5: Fraction of images with the true class among the five most probable.
        loss: Mean cross-entropy, nats.
        interval: 95 % Wilson interval of ``top1``.
    """

    branch: str
    condition: Condition
    n: int
    top1: float
    top5: float
    loss: float
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the form ``advprop evaluate --json`` writes."""
        condition: dict[str, Any] = {"kind": self.condition.kind}
        if (config := self.condition.attack) is not None:
            condition |= {
                "attack": config.name,
                "norm": config.norm,
                "epsilon": config.epsilon,
                "step_size": config.step_size,
                "steps": config.steps,
                "attack_branch": self.condition.attack_branch,
            }
        return {
            "branch": self.branch,
            "condition": condition,
            "n": self.n,
            "top1": self.top1,
            "top5": self.top5,
            "loss": self.loss,
            "interval": list(self.interval),
        }


def evaluate(
    model: DualBNModel,
    images: Tensor,
    labels: Tensor,
    conditions: Sequence[Condition],
    *,
    branches: Sequence[str] | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> tuple[BranchResult, ...]:
    """Every branch under every condition.

    Args:
        model: Frozen.
        images: (N, 3, S, S) uint8.
        labels: (N,) int64.
        conditions: Clean, or an attack.
        branches: Who predicts; every branch when not given.
        batch_size: Images at a time. The random starts of an attack are drawn batch by batch
            from its seed, so they depend on this number.
        progress: Called with (images done, all images).

    Returns:
        Results, condition by condition, then branch by branch.

    Raises:
        ValueError: If there is no image, a branch does not exist, or logits are not finite.
    """
    if not len(labels):
        raise ValueError("images must not be empty")
    names = tuple(branches or model.branch_names)
    cells = [
        (name, replace(c, attack_branch=(c.attack_branch or name) if c.attack else None))
        for c in conditions
        for name in names
    ]
    wanted = {*names, *(c.attack_branch for _, c in cells if c.attack_branch)}
    example = images[:1].float() / 255
    folded = {name: fold(model.branch(name), example) for name in sorted(wanted)}
    sums = torch.zeros(len(cells), 3, dtype=torch.float64)
    for start in range(0, len(labels), batch_size):
        pixels = (images[start : start + batch_size].float() / 255).contiguous(
            memory_format=torch.channels_last
        )
        sums += _batch_sums(folded, cells, pixels, labels[start : start + batch_size], start)
        if progress:
            progress(min(start + batch_size, len(labels)), len(labels))
    return tuple(
        _result(name, condition, len(labels), row)
        for (name, condition), row in zip(cells, sums.tolist(), strict=True)
    )


def wilson_interval(successes: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion, both ends in [0, 1]."""
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def _batch_sums(
    folded: dict[str, nn.Module],
    cells: Sequence[tuple[str, Condition]],
    pixels: Tensor,
    labels: Tensor,
    start: int,
) -> Tensor:
    shown: dict[Condition, Tensor] = {}
    rows = []
    for name, condition in cells:
        if condition not in shown:
            shown[condition] = _perturbed(folded, condition, pixels, labels, start)
        with torch.no_grad():
            logits = folded[name](shown[condition]).float()
        rows.append(_scores(logits, labels))
    return torch.stack(rows)


def _perturbed(
    folded: dict[str, nn.Module], condition: Condition, pixels: Tensor, labels: Tensor, start: int
) -> Tensor:
    if condition.attack is None or condition.attack_branch is None:
        return pixels
    config = replace(condition.attack, seed=condition.attack.seed + start)
    return attack(folded[condition.attack_branch], pixels, labels, config)


def _scores(logits: Tensor, labels: Tensor) -> Tensor:
    """Sums of top-1 hits, top-5 hits and losses."""
    best = logits.topk(min(5, logits.shape[1])).indices
    hits = best == labels[:, None]
    if not torch.isfinite(logits).all():  # topk would rank NaN first, in silence
        raise ValueError("logits must be finite: the network overflowed or has NaN weights")
    loss = F.cross_entropy(logits, labels, reduction="sum")
    return torch.stack([hits[:, 0].sum(), hits.sum(), loss]).double()


def _result(name: str, condition: Condition, n: int, row: Sequence[float]) -> BranchResult:
    top1, top5, loss = row
    return BranchResult(name, condition, n, top1 / n, top5 / n, loss / n, wilson_interval(top1, n))
