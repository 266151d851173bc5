import pytest
import torch

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.fab import fab, lowering
from tests.core.attacks.autoattack.lengths import dual_length, length

BOTH_NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])


@BOTH_NORMS
def test_the_margin_of_a_linear_network(linear, grey, answered, norm):
    """The nearest point beyond a plane lies |margin| / ‖w‖ away, in the dual norm."""
    pixels = grey()
    labels = answered(linear, pixels)
    nearest = torch.full((6,), torch.inf)
    for shift in (1, 2, 3):
        targets = (labels + shift) % 4
        config = AutoAttackConfig(norm, epsilon=0.0, steps=30)
        _, lengths = fab(linear, pixels, labels, targets, config)
        nearest = nearest.minimum(lengths)
    logits = linear(pixels)
    gaps = logits.gather(1, labels[:, None]) - logits
    slopes = linear.weight[labels][:, None] - linear.weight
    margins = torch.stack([g / dual_length(s, norm) for g, s in zip(gaps, slopes, strict=True)])
    known = margins.scatter(1, labels[:, None], torch.inf).amin(1)
    assert (nearest >= known - 1e-6).all()
    torch.testing.assert_close(nearest, known, rtol=0.01, atol=0)


@BOTH_NORMS
def test_what_it_returns_is_adversarial_and_as_long_as_it_says(branch, pixels, answered, norm):
    clean = pixels(6)
    labels = answered(branch, clean)
    config = AutoAttackConfig(norm, epsilon=0.0, steps=20)
    points, lengths = fab(branch, clean, labels, (labels + 1) % 6, config)
    hit = lengths.isfinite()
    assert hit.any()
    assert (answered(branch, points) != labels)[hit].all()
    torch.testing.assert_close(length(points - clean, norm)[hit], lengths[hit])
    assert torch.equal(points[~hit], clean[~hit])
    assert points.min() >= 0
    assert points.max() <= 1


def test_it_stops_where_enough_is_found(linear, grey, answered):
    pixels = grey()
    labels = answered(linear, pixels)
    asked = []

    def counted(points):
        asked.append(len(points))
        return linear(points)

    config = AutoAttackConfig(epsilon=1.0, steps=50)
    _, lengths = fab(counted, pixels, labels, (labels + 1) % 4, config)
    assert lengths.isfinite().all()
    assert sum(asked) < 10 * 6


@BOTH_NORMS
def test_lowering_within_the_range(norm):
    """One pixel has no room, so the others do its part; a rise goes the other way."""
    pixels = torch.tensor([0.0, 0.5, 0.5]).view(1, 3, 1, 1)
    slope = torch.tensor([3.0, 1.0, -2.0]).view(1, 3, 1, 1)
    down = lowering(pixels, slope, torch.tensor([0.6]), norm).flatten()
    expected = [0.0, -0.2, 0.2] if norm == "linf" else [0.0, -0.12, 0.24]
    assert down.tolist() == pytest.approx(expected, abs=1e-5)
    up = lowering(pixels, slope, torch.tensor([-0.6]), norm).flatten()
    expected = [0.1, 0.1, -0.1] if norm == "linf" else [9 / 70, 3 / 70, -6 / 70]
    assert up.tolist() == pytest.approx(expected, abs=1e-5)


@BOTH_NORMS
def test_lowering_is_the_shortest_there_is(norm):
    """Any other perturbation of the same effect within the range is longer."""
    generator = torch.Generator().manual_seed(0)
    pixels, slope = (
        torch.rand(1, 3, 4, 4, generator=generator),
        torch.randn(1, 3, 4, 4, generator=generator),
    )
    room = (slope.abs() * torch.where(slope > 0, pixels, 1 - pixels)).sum()
    drop = 0.6 * room.view(1)
    best = lowering(pixels, slope, drop, norm)
    assert float((slope * best).sum()) == pytest.approx(-float(drop), rel=1e-4)
    assert (pixels + best).min() >= -1e-6
    assert (pixels + best).max() <= 1 + 1e-6
    for _ in range(200):
        other = best + 0.05 * torch.randn(best.shape, generator=generator)
        other = (pixels + other).clamp(0, 1) - pixels
        if float((slope * other).sum()) <= -float(drop):
            assert float(length(other, norm)) >= float(length(best, norm)) - 1e-6


def test_where_nothing_suffices_everything_is_done():
    pixels = torch.full((1, 3, 1, 1), 0.5)
    slope = torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1)
    for norm in ("linf", "l2"):
        found = lowering(pixels, slope, torch.tensor([9.0]), norm).flatten()
        assert found.tolist() == pytest.approx([-0.5, 0.5, 0.0])


def test_no_norm_passes_for_another():
    pixels = torch.full((1, 3, 2, 2), 0.5)
    with pytest.raises(KeyError, match="l1"):
        lowering(pixels, torch.ones_like(pixels), torch.ones(1), "l1")
