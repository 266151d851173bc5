"""Whether what a prediction rests on is of its own class, over a test set.

The measurements of Utrera et al. (arXiv 2007.05869, section 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.influence.features import Features
from advprop_core.influence.tracer import Tracer
from advprop_core.types import Progress

RANKS = 100
_BATCH = 64


@dataclass(frozen=True, eq=False)
class ClassAgreement:
    """How often influential training images have the class of the test image.

    Attributes:
        matches: (T, K) bool: whether the training image of each rank has the test image's class.
            Images are ranked by the size of their influence, whether they help or harm.
        matrix: (C, C) float64: mean influence of training images of the second class on the loss
            of test images of the first.
        right: (T,) bool: whether the traced layer answers with the test image's class.
    """

    matches: Tensor
    matrix: Tensor
    right: Tensor

    @property
    def count(self) -> int:
        """How many test images there are."""
        return len(self.matches)

    @property
    def share(self) -> float:
        """Of test images whose most influential training image has their class, in [0, 1]."""
        return float(self.matches[:, 0].double().mean())

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the share."""
        return wilson_interval(int(self.matches[:, 0].sum()), self.count)

    @property
    def curve(self) -> list[float]:
        """The share by rank, of the first, the second and so on."""
        shares: list[float] = self.matches.double().mean(0).tolist()
        return shares

    @property
    def curve_intervals(self) -> list[tuple[float, float]]:
        """95 % bootstrap intervals of the curve, over test images."""
        means = resampled_means(self.matches)
        return [percentile_interval(column) for column in means.unbind(1)]

    def ahead_of(self, other: ClassAgreement) -> tuple[float, tuple[float, float]]:
        """By how much the share is above another's on the same images, with its interval.

        Raises:
            ValueError: If the other was measured on other images.
        """
        if other.count != self.count:
            raise ValueError("both must be measured on the same images")
        difference = self.matches[:, :1].double() - other.matches[:, :1].double()
        return float(difference.mean()), percentile_interval(resampled_means(difference)[:, 0])


def measure_agreement(
    tracer: Tracer, test: Features, progress: Progress | None = None
) -> ClassAgreement:
    """Trace every test image, for the loss of its true class.

    ``test`` are its features as the tracer reads them, with the same classes.
    """
    method, train_labels = tracer.method, tracer.features.labels
    classes = len(tracer.images.classes)
    ranks = min(RANKS, len(train_labels))
    of_class = functional.one_hot(train_labels, classes).double()
    of_class /= of_class.sum(0)
    matches, right = list[Tensor](), list[Tensor]()
    matrix = torch.zeros(classes, classes, dtype=torch.float64)
    for rows in torch.arange(len(test.labels)).split(_BATCH):
        values, labels = test.values[rows], test.labels[rows]
        scores = method.influence(values, labels).double()
        # By size: of those that help alone, the first is of the loss's class nearly always.
        matches.append(train_labels[scores.abs().topk(ranks).indices] == labels[:, None])
        right.append(method.logits(values).argmax(1) == labels)
        matrix.index_add_(0, labels, scores @ of_class)
        if progress:
            progress(int(rows[-1]) + 1, len(test.labels))
    counts = torch.bincount(test.labels, minlength=classes).clamp(min=1)
    return ClassAgreement(torch.cat(matches), matrix / counts[:, None], torch.cat(right))
