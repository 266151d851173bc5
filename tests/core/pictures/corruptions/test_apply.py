"""What holds for every kind of corruption."""

import dataclasses

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from advprop_core.pictures.corruptions import ALL_CORRUPTIONS, CorruptionConfig
from advprop_core.pictures.corruptions.apply import APPLIERS, corrupt

WITH_CHANCE = (
    *("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "glass_blur"),
    *("motion_blur", "snow", "frost", "fog", "elastic_transform", "spatter"),
)
NOT_EVER_FARTHER = {
    "glass_blur": "severity 4 scatters in fewer rounds than 3",
    "frost": "severities 3 and 4 lay on the same frost, 4 over a darker photo",
    "fog": "severity 4 has the strength of 3 and only rougher clouds",
    "elastic_transform": "severities 1 and 2 move the whole photo, 3-5 parts of it",
    "saturate": "severities 1 and 2 take colour away, 3-5 add it",
}

ASKED_OF_THEIR_VALUES = ("glass_blur", "motion_blur", "snow", "frost", "jpeg_compression")


def test_every_name_has_its_function() -> None:
    assert tuple(APPLIERS) == ALL_CORRUPTIONS
    assert all(function.__name__ == kind for kind, function in APPLIERS.items())


@pytest.mark.parametrize("kind", ALL_CORRUPTIONS)
@pytest.mark.parametrize("severity", [1, 5])
def test_shape_type_and_range_are_kept(kind: str, severity: int) -> None:
    pixels = torch.rand(2, 3, 33, 50, generator=torch.Generator().manual_seed(0))
    before = pixels.clone()
    result = corrupt(pixels.requires_grad_(), CorruptionConfig(kind, severity))
    assert (result.shape, result.dtype) == (pixels.shape, torch.float32)
    assert not result.requires_grad
    assert 0 <= result.min() < result.max() <= 1
    assert torch.equal(pixels, before)
    assert not torch.equal(result, before)


@pytest.mark.parametrize("kind", ALL_CORRUPTIONS)
def test_more_severe_is_farther_from_clean(kind: str, photo: Tensor) -> None:
    pixels = photo.expand(3, -1, -1, -1)
    distances = [
        (corrupt(pixels, CorruptionConfig(kind, severity)) - pixels).square().mean().item()
        for severity in (1, 2, 3, 4, 5)
    ]
    assert (distances == sorted(distances)) == (kind not in NOT_EVER_FARTHER)
    assert min(distances) > 1e-4


@pytest.mark.parametrize("kind", ALL_CORRUPTIONS)
@pytest.mark.parametrize("severity", [2, 5])
def test_samples_do_not_affect_each_other(kind: str, severity: int, patches: Tensor) -> None:
    config = CorruptionConfig(kind, severity, seed=9)
    whole = corrupt(patches, config)
    assert torch.equal(corrupt(patches[:2], config), whole[:2])
    assert torch.equal(corrupt(patches[:1], config), whole[:1])
    changed = torch.cat([1 - patches[:1], patches[1:]])
    assert torch.equal(corrupt(changed, config)[1:], whole[1:])


@pytest.mark.parametrize("kind", ALL_CORRUPTIONS)
def test_the_seed_decides_and_nothing_global_does(kind: str, patches: Tensor) -> None:
    config = CorruptionConfig(kind, 4, seed=3)
    state = torch.get_rng_state()
    first = corrupt(patches, config)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    assert torch.equal(corrupt(patches, config), first)
    other = corrupt(patches, dataclasses.replace(config, seed=4))
    assert torch.equal(other, first) == (kind not in WITH_CHANCE)


@pytest.mark.parametrize("kind", WITH_CHANCE)
def test_samples_and_neighbouring_seeds_draw_differently(kind: str, patches: Tensor) -> None:
    pixels = patches[:1].expand(3, -1, -1, -1)
    draws = [*(corrupt(pixels, CorruptionConfig(kind, 4, seed)) for seed in (0, 1))]
    draws = [*draws[0], *draws[1]]
    for place, draw in enumerate(draws):
        assert not any(torch.equal(draw, other) for other in draws[place + 1 :])


@pytest.mark.parametrize("kind", ALL_CORRUPTIONS)
def test_black_and_white_photos_stay_numbers(kind: str) -> None:
    pixels = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
    result = corrupt(pixels, CorruptionConfig(kind, 5))
    assert result.isfinite().all()


def test_an_empty_batch_and_other_floats_pass(patches: Tensor) -> None:
    config = CorruptionConfig("gaussian_blur", 1)
    assert corrupt(torch.empty(0, 3, 32, 32), config).shape == (0, 3, 32, 32)
    assert corrupt(patches.double(), config).dtype == torch.float64
    half = corrupt(patches.half(), config)
    assert half.dtype == torch.float16
    torch.testing.assert_close(half.float(), corrupt(patches, config), atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    ("pixels", "error", "words"),
    [
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), TypeError, "divide by 255"),
        (torch.zeros(1, 3, 31, 40), ValueError, "at least 32 high and wide.*enlarge"),
    ],
)
def test_pixels_are_validated(pixels: Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        corrupt(pixels, CorruptionConfig("fog", 1))


@pytest.mark.parametrize("kind", WITH_CHANCE)
def test_a_seed_for_each_sample_makes_its_place_irrelevant(kind: str, patches: Tensor) -> None:
    config = CorruptionConfig(kind, 5)
    seeds = [2**63 + place for place in range(len(patches))]
    whole = corrupt(patches, config, seeds=seeds)
    assert torch.equal(corrupt(patches.flip(0), config, seeds=seeds[::-1]), whole.flip(0))
    alone = corrupt(patches[1:2], dataclasses.replace(config, seed=seeds[1]))
    assert torch.equal(alone[0], whole[1])


@pytest.mark.parametrize(
    "kind", [kind for kind in ALL_CORRUPTIONS if kind not in ASKED_OF_THEIR_VALUES]
)
def test_pixels_of_a_gpu_never_meet_those_of_the_cpu(kind: str) -> None:
    """Without a GPU: tensors that know their device and have no values refuse to be mixed.

    One photo alone: draws for several run on threads, which such tensors do not survive.
    """
    with FakeTensorMode(allow_non_fake_inputs=True):
        photos = torch.empty(1, 3, 64, 64, device="cuda")
        made = APPLIERS[kind](photos, 3, (1,))
    assert (made.device.type, made.shape) == ("cuda", photos.shape)
