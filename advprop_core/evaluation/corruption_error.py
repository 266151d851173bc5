"""One figure for all corruptions: their plain mean, and the mCE of ImageNet-C's article."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.figures import CorruptionError, ImageNetCError
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
MCE_MEANING = (
    "the mCE of Hendrycks and Dietterich (arXiv 1903.12261): for each of the 15 kinds the model's "
    "top-1 error over five severities divided by AlexNet's, and the mean of these, so that AlexNet "
    "has 1; for relative mCE errors count from those on the clean photos on. Articles' figures "
    "are over all 50,000 photos"
)

ALEXNET: Mapping[str, float] = MappingProxyType(
    {
        "gaussian_noise": 0.886428,
        "shot_noise": 0.894468,
        "impulse_noise": 0.922640,
        "defocus_blur": 0.819880,
        "glass_blur": 0.826268,
        "motion_blur": 0.785948,
        "zoom_blur": 0.798360,
        "snow": 0.866816,
        "frost": 0.826572,
        "fog": 0.819324,
        "brightness": 0.564592,
        "contrast": 0.853204,
        "elastic_transform": 0.646056,
        "pixelate": 0.717840,
        "jpeg_compression": 0.606500,
    }
)
"""AlexNet's top-1 error by kind, the mean over five severities, as the authors published it."""

ALEXNET_CLEAN = 0.435
"""AlexNet's top-1 error on the clean photos, from table 1 of the article."""


def mean_corruption_error(
    answers: Mapping[CorruptionConfig, Answers], seed: int = 0
) -> CorruptionError:
    """The mean error of a branch over corruptions.

    The article's four extra kinds are for validation: where one of its 15 was measured, the mean
    leaves them out. Answers are to the same images under each corruption, and not empty; the seed
    is that of the bootstrap.
    """
    measured = dict.fromkeys(config.kind for config in answers)
    kinds = [kind for kind in CORRUPTIONS if kind in measured] or [*measured]
    by_image = torch.stack([_wrong(answers, kind) for kind in kinds]).mean(0)
    return CorruptionError(
        error=float(by_image.mean()),
        interval=percentile_interval(resampled_means(by_image[:, None], seed)[:, 0]),
        n=len(by_image),
        corruptions=tuple(kinds),
        severities=tuple(sorted({config.severity for config in answers if config.kind in kinds})),
    )


def imagenet_c_error(
    answers: Mapping[CorruptionConfig, Answers], clean: Answers | None = None, seed: int = 0
) -> ImageNetCError:
    """mCE, and relative mCE where clean answers are given.

    Args:
        answers: Of a network with ImageNet's 1000 classes, to the same photos of ImageNet-C under
            all 15 kinds and 5 severities; the four extra kinds are passed over.
        clean: To the same photos, clean.
        seed: Of the bootstrap.
    """
    columns = torch.stack([_wrong(answers, kind) for kind in CORRUPTIONS], 1)
    if clean is not None:
        columns = torch.cat([columns, 1 - clean.right.double()[:, None]], 1)
    # A row of the figures themselves, then those of the photos as drawn.
    means = torch.cat([columns.mean(0, keepdim=True), resampled_means(columns, seed)])
    alexnet = torch.tensor([ALEXNET[kind] for kind in CORRUPTIONS], dtype=torch.float64)
    ratios = means[:, : len(alexnet)] / alexnet
    mce, interval = _with_interval(ratios.mean(1))
    relative = relative_interval = None
    if clean is not None:
        rise = means[:, :-1] - means[:, -1:]
        relative, relative_interval = _with_interval((rise / (alexnet - ALEXNET_CLEAN)).mean(1))
    by_kind = {
        kind: _with_interval(ratio) for kind, ratio in zip(CORRUPTIONS, ratios.T, strict=True)
    }
    return ImageNetCError(
        mce=mce,
        interval=interval,
        n=len(columns),
        relative_mce=relative,
        relative_interval=relative_interval,
        by_corruption={kind: error for kind, (error, _) in by_kind.items()},
        by_corruption_intervals={kind: ends for kind, (_, ends) in by_kind.items()},
    )


def _with_interval(values: Tensor) -> tuple[float, tuple[float, float]]:
    """The first of (1 + B,) values, and the interval that the others give."""
    return float(values[0]), percentile_interval(values[1:])


def _wrong(answers: Mapping[CorruptionConfig, Answers], kind: str) -> Tensor:
    """(N,) how often each photo is called wrong, over the severities of a kind."""
    right = [a.right.double() for config, a in answers.items() if config.kind == kind]
    return 1 - torch.stack(right).mean(0)
