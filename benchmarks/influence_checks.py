"""Whether influence tells the truth: leave-one-out retraining, and planted wrong labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.influence.head import PENALTY, SoftmaxHead, fit_head


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What influence predicts for training images that are left out, and what happens.

    Attributes:
        predicted: (T, M) rise of each test image's loss, to first order.
        retrained: (T, M) the same, by fitting the layer without each image.
    """

    predicted: Tensor
    retrained: Tensor

    @property
    def rank_correlation(self) -> float:
        """Mean over test images of Spearman's correlation of both, in [-1, 1]."""
        ranks = [values.argsort(1).argsort(1).double() for values in vars(self).values()]
        first, second = (each - each.mean(1, keepdim=True) for each in ranks)
        return float(torch.cosine_similarity(first, second, dim=1).mean())


def leave_one_out(
    features: Tensor,
    labels: Tensor,
    classes: int,
    test_features: Tensor,
    test_labels: Tensor,
    rows: Sequence[int],
) -> LeftOut:
    """Compare influence with fits that lack one training image each.

    Args:
        features: (N, D) of the training images.
        labels: (N,) of them.
        classes: How many there are.
        test_features: (T, D).
        test_labels: (T,).
        rows: The M training images that are left out in turn.
    """
    head = fit_head(features, labels, classes)
    before = _losses(head, test_features, test_labels)
    # Without an image the mean loss is over one image less, and the penalty must weigh as before.
    penalty = PENALTY * len(labels) / (len(labels) - 1)
    rises = list[Tensor]()
    for row in rows:
        others = torch.arange(len(labels)) != row
        without = fit_head(
            features[others], labels[others], classes, penalty=penalty, projection=head.projection
        )
        rises.append(_losses(without, test_features, test_labels) - before)
    predicted = head.influence(test_features, test_labels)[:, list(rows)]
    return LeftOut(predicted, torch.stack(rises, 1))


def _losses(head: SoftmaxHead, features: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(head.logits(features), labels, reduction="none")


def plant_wrong_labels(
    labels: Tensor, classes: int, share: float, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Give some images the label of another class, drawn evenly.

    Returns:
        (N,) labels, and (N,) bool: which of them are wrong.
    """
    generator = torch.Generator().manual_seed(seed)
    wrong = torch.zeros(len(labels), dtype=torch.bool)
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    wrong[chosen] = True
    steps = torch.randint(1, classes, labels.shape, generator=generator)
    return torch.where(wrong, (labels + steps) % classes, labels), wrong
