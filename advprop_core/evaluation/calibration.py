"""Whether a branch is right as often as it is confident."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.intervals import bounded_interval
from advprop_core.evaluation.results import Answers

BINS = 15


@dataclass(frozen=True)
class Calibration:
    """How far confidence is from accuracy, as ``results.json`` has it.

    Attributes:
        expected_calibration_error: A fraction: the mean distance between confidence and
            accuracy over 15 equally wide bins of confidence, weighted by their images.
        interval: Its 95 % bootstrap interval over images, moved by the bias that the bootstrap
            shows, for drawing anew makes every such error larger. It tells how much the figure
            depends on these images; that few images make it too large remains.
        confidence_when_wrong: Mean confidence on wrong answers; None where none is wrong.
        confidence_when_wrong_interval: Its 95 % interval by Student's t, within [0, 1]; None for
            fewer than two.
        bins: Columns over the bins that hold an image, least confident first: ``low`` and
            ``high``, of which only the second is in the bin; ``n`` images, their mean
            ``confidence``, and their ``accuracy``.
    """

    expected_calibration_error: float
    interval: tuple[float, float]
    confidence_when_wrong: float | None
    confidence_when_wrong_interval: tuple[float, float] | None
    bins: Mapping[str, Sequence[float]]


def calibration_of(answers: Answers, seed: int = 0) -> Calibration:
    """Expected calibration error and what a reliability diagram shows.

    Guo et al., arXiv 1706.04599: 15 equally wide bins, each open below and closed above. Answers
    are of one branch under one condition; the seed is that of the bootstrap.
    """
    confidence, right = answers.confidence.double(), answers.right.double()
    places = bin_places(confidence)
    inside = F.one_hot(places, BINS).double()
    gaps = inside * (right - confidence)[:, None]
    error = float(gaps.mean(0).abs().sum())
    drawn = resampled_means(gaps, seed).abs().sum(1)
    low, high = percentile_interval(drawn - drawn.mean() + error)
    wrong = confidence[~answers.right]
    occupied = places.unique().tolist()
    return Calibration(
        error,
        (max(0.0, low), min(1.0, high)),
        float(wrong.mean()) if len(wrong) else None,
        bounded_interval(wrong.numpy(), 0.0, 1.0),
        {
            "low": [index / BINS for index in occupied],
            "high": [(index + 1) / BINS for index in occupied],
            "n": [int((places == index).sum()) for index in occupied],
            "confidence": [float(confidence[places == index].mean()) for index in occupied],
            "accuracy": [float(right[places == index].mean()) for index in occupied],
        },
    )


def bin_places(confidence: Tensor) -> Tensor:
    """(N,) float64 confidences to the bins they are in; a confidence on an edge is below it."""
    edges = torch.arange(1, BINS, dtype=torch.float64) / BINS
    # A float32 0.2 lies a rounding above the edge 3/15, and belongs below it all the same.
    return torch.bucketize(confidence - 1e-7, edges)
