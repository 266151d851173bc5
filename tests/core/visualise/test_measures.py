import math

import pytest
import torch

from advprop_core.visualise.measures import ask, coarse_share


def stripes(pixels_long: int) -> torch.Tensor:
    wave = torch.sin(2 * math.pi * torch.arange(64) / pixels_long)
    return wave.expand(1, 3, 64, 64)


def test_long_patterns_are_coarse_and_short_ones_are_not():
    assert coarse_share(stripes(32)).item() == pytest.approx(1)
    assert coarse_share(stripes(8)).item() == pytest.approx(0, abs=1e-6)
    both = stripes(32) + stripes(8)
    assert coarse_share(both).item() == pytest.approx(0.5, abs=1e-3)
    noise = torch.randn(8, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    assert coarse_share(noise).mean().item() == pytest.approx(math.pi / 256, rel=0.1)


def test_a_witness_sees_the_picture_at_its_own_size(dual, pixels):
    picture = pixels(1)[0]
    module = dual.branch("main")
    answers = ask({"mine": picture}, {"same": (module, 32), "larger": (module, 48)})
    same, larger = answers["mine"]["same"], answers["mine"]["larger"]
    assert torch.equal(same.logits, module(picture[None])[0])
    assert not torch.equal(larger.logits, same.logits)
