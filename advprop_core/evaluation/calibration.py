"""Whether a branch is right as often as it is confident."""

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.figures import Bins, Calibration
from advprop_core.evaluation.intervals import bounded_interval
from advprop_core.evaluation.results import Answers

BINS = 15


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
    occupied = places.unique().double()
    members = [places == index for index in occupied]
    return Calibration(
        expected_calibration_error=error,
        interval=(max(0.0, low), min(1.0, high)),
        confidence_when_wrong=float(wrong.mean()) if len(wrong) else None,
        confidence_when_wrong_interval=bounded_interval(wrong.numpy(), 0.0, 1.0),
        bins=Bins(
            low=tuple((occupied / BINS).tolist()),
            high=tuple(((occupied + 1) / BINS).tolist()),
            n=tuple(int(member.sum()) for member in members),
            confidence=tuple(float(confidence[member].mean()) for member in members),
            accuracy=tuple(float(right[member].mean()) for member in members),
        ),
    )


def bin_places(confidence: Tensor) -> Tensor:
    """(N,) float64 confidences to the bins they are in; a confidence on an edge is below it."""
    edges = torch.arange(1, BINS, dtype=torch.float64) / BINS
    # A float32 0.2 lies a rounding above the edge 3/15, and belongs below it all the same.
    return torch.bucketize(confidence - 1e-7, edges)
