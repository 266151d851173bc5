"""One figure for all corruptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.results import Answers
from advprop_core.pictures.corruptions import CORRUPTIONS, CorruptionConfig

MEANING = (
    "mean corruption error, generated here: the plain mean of top-1 errors over kinds and "
    "severities; not the mCE of the ImageNet-C article, which divides by AlexNet's errors on the "
    "published files"
)
STORED_MEANING = (
    "mean corruption error on the published files: the plain mean of top-1 errors over kinds and "
    "severities; not the mCE of the ImageNet-C article, which divides by AlexNet's errors"
)


@dataclass(frozen=True)
class CorruptionError:
    """How often a branch is wrong on corrupted images.

    Attributes:
        error: The mean of top-1 errors over severities, then over kinds; a fraction.
        interval: Its 95 % bootstrap interval over images: every kind and severity is measured on
            the same ones.
        n: Number of images.
        corruptions: The kinds that the mean is over.
        severities: Every one that occurs.
    """

    error: float
    interval: tuple[float, float]
    n: int
    corruptions: tuple[str, ...]
    severities: tuple[int, ...]


def mean_corruption_error(
    answers: Mapping[CorruptionConfig, Answers], seed: int = 0
) -> CorruptionError:
    """The mean error of a branch over corruptions.

    The article's four extra kinds are for validation: where one of its 15 was measured, the mean
    leaves them out.

    Args:
        answers: To the same images under each corruption; not empty.
        seed: Of the bootstrap.
    """
    kinds = [kind for kind in CORRUPTIONS if any(config.kind == kind for config in answers)]
    kinds = kinds or list(dict.fromkeys(config.kind for config in answers))
    counted = [config for config in answers if config.kind in kinds]
    wrong = {config: 1 - answers[config].right.double() for config in counted}
    by_kind = [
        torch.stack([wrong[config] for config in counted if config.kind == kind]).mean(0)
        for kind in kinds
    ]
    by_image = torch.stack(by_kind).mean(0)
    return CorruptionError(
        float(by_image.mean()),
        percentile_interval(resampled_means(by_image[:, None], seed)[:, 0]),
        len(by_image),
        tuple(kinds),
        tuple(sorted({config.severity for config in counted})),
    )
