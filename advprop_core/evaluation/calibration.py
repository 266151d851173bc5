"""Whether a branch is right as often as it is confident."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.intervals import bounded_interval
from advprop_core.evaluation.results import Answers

BINS = 15


@dataclass(frozen=True)
class Bin:
    """The images on which a branch was about as confident.

    Attributes:
        low: They are more confident than this …
        high: … and at most this.
        n: Number of images, at least 1.
        confidence: Their mean confidence.
        accuracy: Share of them that is right.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How far confidence is from accuracy.

    Attributes:
        error: Expected calibration error, a fraction: the mean distance between confidence and
            accuracy over 15 equally wide bins of confidence, weighted by their images.
        interval: Its 95 % bootstrap interval over images, moved by the bias that the bootstrap
            shows, for drawing anew makes every such error larger. It tells how much the figure
            depends on these images; that few images make it too large remains.
        wrong_confidence: Mean confidence on wrong answers; None where none is wrong.
        wrong_interval: Its 95 % interval by Student's t, within [0, 1]; None for fewer than two.
        bins: Those that hold an image, least confident first.
    """

    error: float
    interval: tuple[float, float]
    wrong_confidence: float | None
    wrong_interval: tuple[float, float] | None
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, the bins column by column."""
        rows = [asdict(column) for column in self.bins]
        return {
            "expected_calibration_error": self.error,
            "interval": list(self.interval),
            "confidence_when_wrong": self.wrong_confidence,
            "confidence_when_wrong_interval": list(self.wrong_interval or ()) or None,
            "bins": {key: [row[key] for row in rows] for key in rows[0]},
        }


def calibration_of(answers: Answers, seed: int = 0) -> Calibration:
    """Expected calibration error and what a reliability diagram shows.

    Guo et al., arXiv 1706.04599: 15 equally wide bins, each open below and closed above.

    Args:
        answers: Of one branch under one condition.
        seed: Of the bootstrap.
    """
    confidence, right = answers.confidence.double(), answers.right.double()
    places = bin_places(confidence)
    inside = F.one_hot(places, BINS).double()
    gaps = inside * (right - confidence)[:, None]
    error = float(gaps.mean(0).abs().sum())
    drawn = resampled_means(gaps, seed).abs().sum(1)
    low, high = percentile_interval(drawn - drawn.mean() + error)
    wrong = confidence[~answers.right]
    return Calibration(
        error,
        (max(0.0, low), min(1.0, high)),
        float(wrong.mean()) if len(wrong) else None,
        bounded_interval(wrong.numpy(), 0.0, 1.0),
        tuple(
            _bin(index, confidence[places == index], right[places == index])
            for index in places.unique().tolist()
        ),
    )


def bin_places(confidence: Tensor) -> Tensor:
    """(N,) float64 confidences to the bins they are in; a confidence on an edge is below it."""
    edges = torch.arange(1, BINS, dtype=torch.float64) / BINS
    # A float32 0.2 lies a rounding above the edge 3/15, and belongs below it all the same.
    return torch.bucketize(confidence - 1e-7, edges)


def _bin(index: int, confidence: Tensor, right: Tensor) -> Bin:
    return Bin(
        index / BINS,
        (index + 1) / BINS,
        len(confidence),
        float(confidence.mean()),
        float(right.mean()),
    )
