"""What the members of AutoAttack share: scores, gradients, and the images found so far."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from advprop_core.attacks.losses import label_and_others, log_odds

Score = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(N, C) logits, (N,) labels and (N,) targets to (N,) numbers that an attack raises."""


@dataclass(frozen=True, eq=False)
class Adversarials:
    """The adversarial images of a batch, filled in place as a search finds them.

    Attributes:
        points: (N, 3, H, W): an adversarial image where one was found, elsewhere the clean one.
        turned: (N,) bool, where one was found.
    """

    points: Tensor
    turned: Tensor

    @classmethod
    def none_yet(cls, pixels: Tensor) -> Self:
        """The start of a search."""
        return cls(pixels.clone(), torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device))

    def add(self, rows: Tensor, points: Tensor) -> None:
        """Note adversarial images of the given rows."""
        self.points[rows] = points
        self.turned[rows] = True


def cross_entropy(logits: Tensor, labels: Tensor, _targets: Tensor) -> Tensor:
    """Each image's cross-entropy, as :func:`log_odds` has it: what raises one raises the other."""
    return log_odds(logits, labels)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The targeted difference of logits ratio, which a rescaling of logits does not change.

    Croce and Hein, arXiv 2003.01690, equation 7: the lead of the target over the label, measured
    by the distance between the best class and the mean of the third and the fourth.
    """
    best = logits.topk(4, dim=1).values
    lead = of_class(logits, targets) - of_class(logits, labels)
    spread = best[:, 0] - (best[:, 2] + best[:, 3]) / 2
    return lead / torch.where(spread > 0, spread, 1)


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """(N,) lead of the label's logit over the best other; below 0 where the answer is wrong."""
    label_logit, others = label_and_others(logits, labels)
    return label_logit - others.amax(1)


def likely_wrong(logits: Tensor, labels: Tensor, count: int) -> Tensor:
    """(N, K) wrong classes, the most probable first; K is ``count`` or all there are."""
    _, others = label_and_others(logits, labels)
    return others.topk(min(count, logits.shape[1] - 1), dim=1).indices


def of_class(logits: Tensor, classes: Tensor) -> Tensor:
    """(N,) logits of one class each."""
    return logits.gather(1, classes[:, None])[:, 0]
