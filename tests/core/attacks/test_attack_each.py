"""Several radii as one batch of copies of one image."""

import pytest
import torch

from advprop_core.attacks.gradient import Sizes, attack, attack_each, random_start
from advprop_core.types import AttackConfig

LABEL = torch.tensor([1])


def configs(norm, **fields):
    radii = (0.0, 2 / 255, 8 / 255) if norm == "linf" else (0.0, 0.5, 2.0)
    return [AttackConfig.pgd(radius, norm=norm, steps=3, seed=5, **fields) for radius in radii]


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("fields", [{}, {"random_start": False}, {"target_class": 4}])
def test_each_copy_goes_where_it_goes_alone(dual, pixels, norm, fields):
    branch, clean = dual.branch("aux"), pixels(1)
    seen = []
    together = attack_each(
        branch, clean, LABEL, configs(norm, **fields), lambda step, _: seen.append(step)
    )
    assert seen == [0, 1, 2, 3]
    assert torch.equal(together[:1], clean)
    for one, config in zip(together.split(1), configs(norm, **fields), strict=True):
        alone = attack(branch, clean, LABEL, config)
        assert (one - alone).abs().mean() < 1e-4  # a sign at a zero slope may differ in a batch


def test_a_step_size_of_its_own_for_each():
    """Logits (m, 0) of one pixel: every step goes down by its own size, up to its own radius."""

    def model(x):
        score = x.flatten(1).mean(1)
        return torch.stack([score, torch.zeros_like(score)], 1)

    sizes = [(0.5, 0.125), (0.25, 0.125), (0.5, 0.5)]
    moved = attack_each(
        model,
        torch.full((1, 3, 1, 1), 0.75),
        torch.tensor([0]),
        [AttackConfig("linf", radius, step, 3, random_start=False) for radius, step in sizes],
    )
    assert moved[:, 0, 0, 0].tolist() == [0.375, 0.5, 0.25]


def test_one_random_start_is_scaled(pixels):
    copies = pixels(1).clamp(0.2, 0.8).expand(3, -1, -1, -1)
    radii = torch.tensor([0.0, 0.0625, 0.125]).view(-1, 1, 1, 1)
    for norm in ("linf", "l2"):
        config = AttackConfig.pgd(0.125, norm=norm, seed=3)
        moved = random_start(copies, config, Sizes(radii, radii)) - copies
        assert not moved[0].any()
        torch.testing.assert_close(2 * moved[1], moved[2], rtol=0, atol=1e-6)
        alone = random_start(copies[:1], config) - copies[:1]
        torch.testing.assert_close(moved[2:], alone)
