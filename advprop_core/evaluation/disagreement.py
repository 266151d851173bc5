"""The images on which branches of one network part ways."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from advprop_core.evaluation.results import Answers


@dataclass(frozen=True)
class Opinion:
    """What one branch said of an image.

    Attributes:
        branch: Who said it.
        class_index: The class it finds most probable.
        confidence: The probability it gives that class.
        right: Whether it is the true class.
    """

    branch: str
    class_index: int
    confidence: float
    right: bool


@dataclass(frozen=True)
class Case:
    """An image, and what each branch said of it.

    Attributes:
        index: Of the image in its data set.
        label: Its true class.
        opinions: One for each branch, in the order the branches were given.
    """

    index: int
    label: int
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True)
class Disagreement:
    """The images worth a look under one condition; the most telling ones come first.

    Attributes:
        n: Number of images that were measured.
        differing: Branches name different classes; those first of which both are surest.
        wrong: At least one branch is wrong; those first of which a wrong one is surest.
        alone: Branch to the images that it alone gets right, its surest first. Where clean answers
            were given, only of images that every branch gets right clean: the branch survived
            what the others did not.
    """

    n: int
    differing: tuple[Case, ...]
    wrong: tuple[Case, ...]
    alone: Mapping[str, tuple[Case, ...]]


def disagreement(
    answers: Mapping[str, Answers], labels: Tensor, clean: Mapping[str, Answers] | None = None
) -> Disagreement:
    """Where branches differ, where they are wrong, and what only one of them survives.

    Answers are to the same images, of (N,) true classes, by branch. Where their condition is not
    clean, clean ones can be given too.
    """
    predicted, confidence, right = (
        torch.stack([getattr(answered, column) for answered in answers.values()])
        for column in ("predicted", "confidence", "right")
    )

    def opinions(index: int) -> tuple[Opinion, ...]:
        columns = (values[:, index].tolist() for values in (predicted, confidence, right))
        return tuple(map(Opinion, answers, *columns))

    def cases(chosen: Tensor, weight: Tensor) -> tuple[Case, ...]:
        rows = chosen.nonzero()[:, 0]
        order = rows[weight[rows].argsort(descending=True, stable=True)]
        return tuple(Case(i, int(labels[i]), opinions(i)) for i in order.tolist())

    counted = torch.ones_like(labels, dtype=torch.bool)
    if clean is not None:
        counted = torch.stack([clean[branch].right for branch in answers]).all(0)
    lone = counted & (right.sum(0) == 1) & (len(answers) > 1)
    return Disagreement(
        len(labels),
        cases((predicted != predicted[0]).any(0), confidence.amin(0)),
        cases(~right.all(0), confidence.masked_fill(right, 0).amax(0)),
        {branch: cases(lone & right[row], confidence[row]) for row, branch in enumerate(answers)},
    )
