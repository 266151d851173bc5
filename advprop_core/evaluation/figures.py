"""What is measured of a branch beside accuracy, as ``results.json`` holds it; loads no torch.

Intervals that have a default are missing in files of earlier versions.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from advprop_core.errors import InputError
from advprop_core.evaluation.studies import Branch, Share, Strict
from advprop_core.types import Norm


def _in_order(interval: tuple[float, float]) -> tuple[float, float]:
    low, high = interval
    if low > high:
        raise InputError(f"must run from low to high, got {low} to {high}")
    return interval


Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Shares = Annotated[tuple[Share, Share], AfterValidator(_in_order)]
Amounts = Annotated[tuple[Amount, Amount], AfterValidator(_in_order)]
# What attacks, corruptions and probes are called stands in sentences and labels, where Markdown
# would be obeyed.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.,()-]{0,60}$")]


class Bins(Strict):
    """Columns over the bins of confidence that hold an image, least confident first.

    Attributes:
        low: Where each bin begins; this confidence itself is in the bin below.
        high: Where it ends.
        n: Its images.
        confidence: Their mean confidence.
        accuracy: The share of them that is right.
    """

    low: tuple[Share, ...]
    high: tuple[Share, ...]
    n: tuple[Count, ...]
    confidence: tuple[Share, ...]
    accuracy: tuple[Share, ...]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if len({len(column) for column in vars(self).values()}) != 1:
            raise InputError("must have columns of one length")
        return self


class Calibration(Strict):
    """How far confidence is from accuracy.

    Attributes:
        expected_calibration_error: A fraction: the mean distance between confidence and
            accuracy over 15 equally wide bins of confidence, weighted by their images.
        interval: Its 95 % bootstrap interval over images, moved by the bias that the bootstrap
            shows, for drawing anew makes every such error larger. It tells how much the figure
            depends on these images; that few images make it too large remains.
        confidence_when_wrong: Mean confidence on wrong answers; None where none is wrong.
        bins: What a reliability diagram shows.
        confidence_when_wrong_interval: Its 95 % interval by Student's t, within [0, 1]; None for
            fewer than two.
    """

    expected_calibration_error: Share
    interval: Shares
    confidence_when_wrong: Share | None
    bins: Bins
    confidence_when_wrong_interval: Shares | None = None


class CorruptionError(Strict):
    """How often a branch is wrong on corrupted images.

    Attributes:
        error: The mean of top-1 errors over severities, then over kinds; a fraction.
        interval: Its 95 % bootstrap interval over images: every kind and severity is measured on
            the same ones.
        n: Number of images.
        corruptions: The kinds that the mean is over.
        severities: Every one that occurs.
    """

    error: Share
    interval: Shares
    n: Count
    corruptions: tuple[Name, ...]
    severities: tuple[int, ...]


class ImageNetCError(Strict):
    """What articles report on ImageNet-C.

    Attributes:
        mce: A fraction; 1 is AlexNet.
        interval: Its 95 % bootstrap interval over photos.
        n: Number of photos.
        relative_mce: Relative mCE, negative where corruptions help; None without clean answers.
        relative_interval: Its interval, drawn from the same photos.
        by_corruption: The corruption error of each kind, whose mean is ``mce``.
        by_corruption_intervals: Their intervals, drawn from the same photos.
    """

    mce: Amount
    interval: Amounts
    n: Count
    relative_mce: Annotated[float, Field(allow_inf_nan=False)] | None = None
    relative_interval: tuple[float, float] | None = None
    by_corruption: Mapping[str, float] = Field(default_factory=dict)
    by_corruption_intervals: Mapping[str, tuple[float, float]] = Field(default_factory=dict)


class ShapeBias(Strict):
    """What a branch went by where outline and texture disagree.

    Attributes:
        n: Number of scenes in which the two disagree.
        shape: Share of these answered by the class of the shape.
        texture: Share answered by the class of the texture.
        neither: Share answered by another class.
        shape_bias: Decisions by shape among those by shape or texture; None without either.
        interval: Its 95 % Wilson interval over the decisions that count.
        shape_interval: 95 % Wilson interval of ``shape``; the next two are alike.
        decided: How many were answered by shape or by texture.
    """

    n: Count
    shape: Share
    texture: Share
    neither: Share
    shape_bias: Share | None
    interval: Shares | None
    shape_interval: Shares | None = None
    texture_interval: Shares | None = None
    neither_interval: Shares | None = None
    decided: int = 0

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        if (self.shape_bias is None) != (self.interval is None):
            raise InputError("must have an interval where it has a shape bias")
        return self


class OfBranch(Strict):
    """A row about a branch of a model, both by name."""

    model: str
    branch: Branch


class Accuracy(Strict):
    """How often a branch is right under one condition.

    Attributes:
        branch: Who predicted.
        n: Number of images.
        top1: Accuracy, a fraction.
        top5: Fraction of images with the true class among the five most probable.
        loss: Mean cross-entropy, nats.
        interval: 95 % Wilson interval of ``top1``.
        top5_interval: That of ``top5``.
        loss_interval: That of ``loss`` by Student's t; None for a single image.
    """

    branch: Branch
    n: Count
    top1: Share
    top5: Share
    loss: Amount
    interval: Shares
    top5_interval: Shares | None = None
    loss_interval: Amounts | None = None


class SmallestEpsilon(OfBranch):
    """The smallest radii at which a branch is fooled, in pixel units.

    Attributes:
        attack: What PGD at the largest radius is called.
        norm: Of its ball.
        limit: The largest radius that was tried.
        n: Number of images.
        wrong: Share of images whose clean answer is wrong.
        never: Share of images that no radius up to the limit fools.
        median: Over all images, those that are never fooled included; None where it is above the
            limit.
        interval: Its 95 % interval, from ranks alone: nothing is assumed of the distribution.
        epsilons: For each image: 0 where the clean answer is wrong, None where no radius sufficed.
        wrong_interval: 95 % Wilson interval of ``wrong``.
        never_interval: That of ``never``.
    """

    attack: Name
    norm: Norm
    limit: Amount
    n: Count
    wrong: Share
    never: Share
    median: Amount | None
    interval: tuple[Amount | None, Amount | None]
    epsilons: tuple[Amount | None, ...]
    wrong_interval: Shares | None = None
    never_interval: Shares | None = None

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.n != len(self.epsilons):
            raise InputError(f"must have one of epsilons for each of its {self.n} images")
        low, high = (float("inf") if end is None else end for end in self.interval)
        _in_order((low, high))
        return self
