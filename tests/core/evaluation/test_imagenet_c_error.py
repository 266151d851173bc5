import pytest
import torch

from advprop_core.evaluation.corruption_error import (
    ALEXNET,
    imagenet_c_error,
)
from advprop_core.evaluation.results import Answers
from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES, CorruptionConfig

ALL = [CorruptionConfig(kind, severity) for kind in CORRUPTIONS for severity in SEVERITIES]


def answers(right):
    flags = torch.as_tensor(right).bool()
    return Answers(flags.int(), flags, flags, flags.float(), flags.float())


def share(wrong, n=1000):
    """Answers to n images of which this share is wrong."""
    return answers(torch.arange(n) >= round(wrong * n))


def test_resnet_50_is_as_the_article_has_it():
    """Table 1 of arXiv 1903.12261 gives CEs in whole percent, and 76.7 and 105.0 for their mean."""
    published = (80, 82, 83, 75, 89, 78, 80, 78, 75, 66, 57, 71, 85, 77, 77)
    errors = dict(zip(CORRUPTIONS, published, strict=True))
    measured = imagenet_c_error(
        {config: share(errors[config.kind] / 100 * ALEXNET[config.kind]) for config in ALL},
        share(0.239),
    )
    assert measured.mce == pytest.approx(0.767, abs=0.005)
    assert measured.relative_mce == pytest.approx(1.050, abs=0.01)
    for kind, error in errors.items():
        assert measured.by_corruption[kind] == pytest.approx(error / 100, abs=0.001)


def test_alexnet_is_one():
    measured = imagenet_c_error({config: share(ALEXNET[config.kind], 10_000) for config in ALL})
    assert measured.mce == pytest.approx(1, abs=1e-3)
    assert (measured.relative_mce, measured.relative_interval) == (None, None)
    assert measured.n == 10_000


def test_severities_are_averaged_before_alexnet_divides():
    right = {config: share(0.1 * config.severity) for config in ALL}
    measured = imagenet_c_error(right)
    assert measured.by_corruption["fog"] == pytest.approx(0.3 / ALEXNET["fog"])


def test_intervals_take_images_as_drawn():
    generator = torch.Generator().manual_seed(0)
    right = answers(torch.rand(400, generator=generator) < 0.5)
    measured = imagenet_c_error(dict.fromkeys(ALL, right), right)
    low, high = measured.interval
    scale = sum(1 / error for error in ALEXNET.values()) / 15
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / 20 * scale, rel=0.1)
    assert low < measured.mce < high
    # The same answers clean and corrupted: nothing rises, whichever images are drawn.
    assert measured.relative_mce == 0
    assert measured.relative_interval == (0, 0)


def test_extra_kinds_are_passed_over():
    right = dict.fromkeys(ALL, share(0.5))
    extra = {CorruptionConfig("spatter", 1): share(1.0)}
    assert imagenet_c_error(right | extra).mce == imagenet_c_error(right).mce
