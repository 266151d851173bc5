import pytest
import torch
from torch import Tensor

from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.corruptions.noise import gaussian_noise, shot_noise, speckle_noise


def flat(level: float, side: int = 192) -> Tensor:
    return torch.full((1, 3, side, side), level)


@pytest.mark.parametrize(
    ("severity", "deviation"), list(enumerate((0.08, 0.12, 0.18, 0.26, 0.38), start=1))
)
def test_gaussian_noise_has_the_published_deviation(severity: int, deviation: float) -> None:
    noise = gaussian_noise(flat(0.3), severity, 0) - 0.3
    assert noise.std().item() == pytest.approx(deviation, rel=0.01)
    assert noise.mean().item() == pytest.approx(0, abs=0.004)


@pytest.mark.parametrize(("severity", "photons"), list(enumerate((60, 25, 12, 5, 3), start=1)))
@pytest.mark.parametrize("level", [0.2, 0.9])
def test_shot_noise_counts_photons(severity: int, photons: int, level: float) -> None:
    counts = shot_noise(flat(level), severity, 0) * photons
    torch.testing.assert_close(counts, counts.round(), atol=1e-4, rtol=0)
    assert counts.mean().item() == pytest.approx(photons * level, rel=0.02)
    assert counts.var().item() == pytest.approx(photons * level, rel=0.03)


def test_shot_noise_leaves_black_black() -> None:
    assert shot_noise(flat(0.0), 5, 0).max() == 0


@pytest.mark.parametrize(
    ("severity", "fraction"), list(enumerate((0.03, 0.06, 0.09, 0.17, 0.27), start=1))
)
def test_impulse_noise_replaces_values_channel_by_channel(severity: int, fraction: float) -> None:
    noisy = corrupt(flat(0.5), CorruptionConfig("impulse_noise", severity))
    for extreme in (0, 1):
        share = (noisy == extreme).float().mean().item()
        assert share == pytest.approx(fraction / 2, abs=0.004)
    assert (noisy == 0.5).float().mean().item() == pytest.approx(1 - fraction, abs=0.004)
    both = ((noisy[:, 0] != 0.5) & (noisy[:, 1] != 0.5)).float().mean().item()
    assert both == pytest.approx(fraction**2, abs=0.004)  # as channels do that know nothing


@pytest.mark.parametrize(
    ("severity", "deviation"), list(enumerate((0.15, 0.2, 0.35, 0.45, 0.6), start=1))
)
def test_speckle_noise_grows_with_the_value(severity: int, deviation: float) -> None:
    for level in (0.1, 0.8):
        noise = speckle_noise(flat(level), severity, 0) - level
        assert noise.std().item() == pytest.approx(deviation * level, rel=0.01)


@pytest.mark.parametrize("kind", ["gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"])
def test_noise_has_no_pattern(kind: str) -> None:
    noise = corrupt(flat(0.5), CorruptionConfig(kind, 2))[0]
    noise = (noise - noise.mean()) / noise.std()
    for neighbour in (noise.roll(1, 2), noise.roll(1, 1), noise.roll(1, 0)):
        assert (noise * neighbour).mean().abs() < 0.015
