"""What branches answered, image by image, and its summary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydantic import InstanceOf
from torch import Tensor
from torch.nn import functional as F

from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.figures import Accuracy
from advprop_core.evaluation.intervals import bounded_interval, wilson_interval
from advprop_core.types import require_finite

NOT_SHOWN = -1
"""Stands for the predicted class of an image that could not be read."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What one branch said of each image under one condition.

    Attributes:
        predicted: (N,) int32, the most probable class.
        right: (N,) bool, whether it is the true one.
        in_five: (N,) bool, whether the true class is among the five most probable.
        confidence: (N,) float32, the probability of the predicted class.
        losses: (N,) float32, cross-entropy, nats.
    """

    predicted: Tensor
    right: Tensor
    in_five: Tensor
    confidence: Tensor
    losses: Tensor

    @classmethod
    def from_logits(cls, logits: Tensor, labels: Tensor) -> Answers:
        """Build from (N, C) float32 logits and (N,) true classes.

        Raises:
            InputError: If a logit is not finite.
        """
        require_finite(logits)
        best = logits.topk(min(5, logits.shape[1])).indices
        hits = best == labels[:, None]
        return cls(
            best[:, 0].int(),
            hits[:, 0].contiguous(),
            hits.any(1),
            logits.softmax(1).amax(1),
            F.cross_entropy(logits, labels, reduction="none"),
        )

    def rows(self, chosen: Tensor) -> Answers:
        """The answers to some of the images: (n,) places, or (N,) bool."""
        return Answers(**{name: column[chosen] for name, column in vars(self).items()})

    @property
    def accuracy(self) -> float:
        """Share of images that are answered rightly."""
        return float(self.right.double().mean())

    def __len__(self) -> int:
        """Number of images."""
        return len(self.right)


class BranchResult(Accuracy):
    """One branch under one condition.

    Attributes:
        condition: What it was shown; its attack branch is filled in.
    """

    condition: InstanceOf[Condition]

    @classmethod
    def of(cls, branch: str, condition: Condition, answers: Answers) -> BranchResult:
        """Sum up the answers of a branch."""
        n, right = len(answers), int(answers.right.sum())
        in_five, losses = int(answers.in_five.sum()), answers.losses.double()
        return cls(
            branch=branch,
            condition=condition,
            n=n,
            top1=right / n,
            top5=in_five / n,
            loss=float(losses.mean()),
            interval=wilson_interval(right, n),
            top5_interval=wilson_interval(in_five, n),
            loss_interval=bounded_interval(losses.numpy(), 0.0, math.inf),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the form ``advprop evaluate --json`` writes."""
        figures = self.model_dump(mode="json", exclude={"condition"})
        return figures | {"condition": self.condition.to_json()}
