import dataclasses

import pytest
import torch

from advprop_core.pictures.noise import NOISES, NoiseConfig, add_noise, draw_noise


def flat(level: float, count: int = 1, side: int = 128) -> torch.Tensor:
    return torch.full((count, 3, side, side), level)


def scene(count: int = 1, side: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("kind", NOISES)
def test_severity_zero_is_the_identity(kind: str) -> None:
    pixels = scene(2)
    result = add_noise(pixels, NoiseConfig(kind, 0))
    assert torch.equal(result, pixels)
    assert result.data_ptr() != pixels.data_ptr()


@pytest.mark.parametrize("kind", NOISES)
def test_noise_stays_in_range_and_keeps_the_input(kind: str) -> None:
    pixels = scene(3)
    before = pixels.clone()
    result = add_noise(pixels, NoiseConfig(kind, 1.0))
    assert (result.shape, result.dtype) == (pixels.shape, pixels.dtype)
    assert 0 <= result.min() < result.max() <= 1
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("kind", NOISES)
def test_more_severity_is_more_noise(kind: str) -> None:
    pixels = scene(side=64)
    sizes = [
        (add_noise(pixels, NoiseConfig(kind, severity)) - pixels).square().mean().item()
        for severity in (1e-7, 0.001, 0.02, 0.1, 0.3, 0.6, 1.0)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < 1e-9 < sizes[2]


def test_gaussian_severity_is_the_standard_deviation() -> None:
    noise = add_noise(flat(0.5), NoiseConfig("gaussian", 0.1)) - 0.5
    assert noise.std().item() == pytest.approx(0.1, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("level", [0.25, 0.5, 0.75])
def test_poisson_variance_grows_with_the_light(level: float) -> None:
    noise = add_noise(flat(level), NoiseConfig("poisson", 0.05)) - level
    assert noise.var().item() == pytest.approx(level * 0.05**2, rel=0.05)
    assert noise.mean().item() == pytest.approx(0, abs=0.001)


def test_poisson_variance_at_white_is_severity_squared() -> None:
    noisy = add_noise(flat(1.0), NoiseConfig("poisson", 0.05))
    darker = noisy[noisy < 1] - 1  # the brighter half is clamped away
    assert darker.square().mean().item() == pytest.approx(0.05**2, rel=0.08)


def test_poisson_leaves_black_black_and_counts_whole_photons() -> None:
    assert add_noise(flat(0.0), NoiseConfig("poisson", 1.0)).max() == 0
    photons = add_noise(flat(0.5), NoiseConfig("poisson", 0.5)) * 4
    assert torch.equal(photons, photons.round())


@pytest.mark.parametrize("severity", [0.1, 0.5, 1.0])
def test_salt_and_pepper_replaces_whole_pixels(severity: float) -> None:
    noisy = add_noise(flat(0.5), NoiseConfig("salt-and-pepper", severity))[0]
    assert torch.equal(noisy[0], noisy[1])
    assert torch.equal(noisy[0], noisy[2])
    assert (noisy[0] == 1).float().mean().item() == pytest.approx(severity / 2, abs=0.012)
    assert (noisy[0] == 0).float().mean().item() == pytest.approx(severity / 2, abs=0.012)
    assert (noisy[0] == 0.5).float().mean().item() == pytest.approx(1 - severity, abs=0.012)


@pytest.mark.parametrize("kind", NOISES)
def test_the_seed_decides_and_nothing_global_does(kind: str) -> None:
    pixels = scene(2)
    config = NoiseConfig(kind, 0.2, seed=3)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = add_noise(pixels, config)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    assert torch.equal(add_noise(pixels, config), first)
    other = dataclasses.replace(config, seed=4)
    assert not torch.equal(add_noise(pixels, other), first)


@pytest.mark.parametrize("kind", NOISES)
def test_samples_do_not_affect_each_other(kind: str) -> None:
    pixels = scene(5)
    config = NoiseConfig(kind, 0.2)
    whole = add_noise(pixels, config)
    assert torch.equal(add_noise(pixels[:2], config), whole[:2])
    changed = pixels.clone()
    changed[0] = 1 - changed[0]
    assert torch.equal(add_noise(changed, config)[1:], whole[1:])


@pytest.mark.parametrize("kind", NOISES)
def test_samples_and_neighbouring_seeds_draw_differently(kind: str) -> None:
    pixels = flat(0.5, count=3, side=16)
    zero, one = (add_noise(pixels, NoiseConfig(kind, 0.3, seed)) for seed in (0, 1))
    draws = [*zero, *one]
    for place, draw in enumerate(draws):
        assert not any(torch.equal(draw, other) for other in draws[place + 1 :])


def test_an_empty_batch_and_gradients_pass() -> None:
    assert add_noise(torch.empty(0, 3, 8, 8), NoiseConfig("poisson", 0.1)).shape == (0, 3, 8, 8)
    pixels = scene().requires_grad_()
    assert not add_noise(pixels, NoiseConfig("gaussian", 0.1)).requires_grad
    assert add_noise(scene().double(), NoiseConfig("gaussian", 0.1)).dtype == torch.float64


def test_pixels_are_validated() -> None:
    with pytest.raises(TypeError, match="divide by 255"):
        add_noise(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), NoiseConfig("gaussian", 0.1))


# -- a whole batch from one generator -----------------------------------------------------------


def drawn(pixels: torch.Tensor, kind: str, severity: list[float], seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return draw_noise(pixels, kind, torch.tensor(severity), generator)


@pytest.mark.parametrize("kind", NOISES)
def test_each_image_of_a_batch_has_a_severity_of_its_own(kind: str) -> None:
    noisy = drawn(flat(0.5, 3), kind, [0.0, 0.05, 0.2])
    sizes = (noisy - 0.5).flatten(1).std(1).tolist()
    expected = {
        "gaussian": [0.0, 0.05, 0.2],
        "poisson": [0.0, 0.05 * 0.5**0.5, 0.2 * 0.5**0.5],
        "salt-and-pepper": [0.0, 0.5 * 0.05**0.5, 0.5 * 0.2**0.5],
    }[kind]
    assert sizes == [pytest.approx(value, rel=0.05, abs=1e-5) for value in expected]


@pytest.mark.parametrize("kind", NOISES)
def test_the_generator_decides_and_the_pixels_stay(kind: str) -> None:
    pixels, before = scene(1).expand(3, -1, -1, -1), torch.get_rng_state()
    first = drawn(pixels, kind, [0.8] * 3, seed=1)
    assert len(first.flatten(1).unique(dim=0)) == 3  # drawn apart
    assert torch.equal(drawn(pixels, kind, [0.8] * 3, seed=1), first)
    assert not torch.equal(drawn(pixels, kind, [0.8] * 3, seed=2), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(pixels[2:], scene(1))
    assert (first.shape, first.dtype) == (pixels.shape, torch.float32)
    assert 0 <= first.min() < first.max() <= 1
