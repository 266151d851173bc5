import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from advprop_core.pictures.digests import image_seeds
from advprop_core.pictures.probes import PROBES, ProbeConfig
from advprop_core.pictures.probes.apply import edges, low_pass, probe, shuffle_patches

USUAL = [ProbeConfig(kind, strength) for kind in PROBES for strength in PROBES[kind]]


def as_rows(patches: Tensor) -> list[bytes]:
    return sorted(patch.numpy().tobytes() for patch in patches)


def cut(picture: Tensor, count: int) -> Tensor:
    """(count², 3, h, w): patches of a (3,H,W) picture, row by row, as a loop finds them."""
    high, wide = picture.shape[1] // count, picture.shape[2] // count
    return torch.stack(
        [
            picture[:, high * i : high * (i + 1), wide * j : wide * (j + 1)].contiguous()
            for i in range(count)
            for j in range(count)
        ]
    )


# -- patches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 4, 8])
def test_shuffling_is_a_permutation_of_patches(count: int, parts: Tensor) -> None:
    shuffled = shuffle_patches(parts, count, [6, 7, 8])
    assert not torch.equal(parts, shuffled)
    for before, after in zip(parts, shuffled, strict=True):
        assert as_rows(cut(before, count)) == as_rows(cut(after, count))


def test_patches_of_a_pixel() -> None:
    """Every pixel is still there, in another order."""
    picture = torch.arange(3 * 16 * 16).view(1, 3, 16, 16) / 1000
    shuffled = shuffle_patches(picture, 16, 0)
    assert as_rows(picture[0].flatten(1).T) == as_rows(shuffled[0].flatten(1).T)
    assert (shuffled != picture).float().mean() > 0.9


def test_what_does_not_fill_a_grid_stays(photo: Tensor) -> None:
    odd = photo[..., :67, :50]
    shuffled = shuffle_patches(odd, 8, 0)
    inside = torch.zeros(67, 50, dtype=torch.bool)
    inside[1:65, 1:49] = True  # 64 of 67 rows and 48 of 50 columns, in the middle
    assert torch.equal(shuffled[..., ~inside], odd[..., ~inside])
    assert as_rows(cut(odd[0, :, 1:65, 1:49], 8)) == as_rows(cut(shuffled[0, :, 1:65, 1:49], 8))


def test_every_order_is_as_likely() -> None:
    """Of the 24 orders of four patches, in 2400 draws: each about 100 times."""
    corners = torch.arange(4.0).view(1, 1, 2, 2).expand(2400, 3, 2, 2)
    drawn = shuffle_patches(corners, 2, 3)[:, 0].flatten(1).long()
    orders, counts = drawn.unique(dim=0, return_counts=True)
    assert len(orders) == 24
    assert 60 < counts.min() < counts.max() < 140


def test_draws_follow_from_the_image_and_the_seed(parts: Tensor) -> None:
    def shown(pixels: Tensor, seed: int) -> Tensor:
        seeds = image_seeds((pixels * 255).byte(), seed)
        return probe(pixels, ProbeConfig("patch-shuffle", 4, seed), seeds=seeds)

    whole = shown(parts, 1)
    assert torch.equal(shown(parts.flip(0), 1), whole.flip(0))
    assert torch.equal(shown(parts[1:2], 1)[0], whole[1])
    assert torch.equal(shown(parts, 1), whole)
    assert not torch.equal(shown(parts, 2)[1], whole[1])
    same = shuffle_patches(torch.cat([photo_of_places()] * 2), 4, image_seeds(parts[:2], 0))
    assert not torch.equal(same[0], same[1])  # other images, other orders


def photo_of_places() -> Tensor:
    return torch.arange(64.0).view(1, 1, 8, 8).expand(1, 3, 8, 8)


# -- grey, smooth, detail -----------------------------------------------------------------------


def test_grey_is_pillows(photo: Tensor) -> None:
    picture = Image.fromarray((photo[0].permute(1, 2, 0) * 255).round().byte().numpy())
    expected = np.asarray(picture.convert("L"))
    grey = probe(photo, ProbeConfig("grey"))
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert torch.equal(grey[:, 0], grey[:, 2])
    assert np.abs(grey[0, 0].numpy() * 255 - expected).max() < 0.51  # Pillow rounds


@pytest.mark.parametrize("cut_off", [2.0, 4.0, 16.0])
def test_low_pass_is_scipys(cut_off: float, parts: Tensor) -> None:
    sigma = 40 / (2 * math.pi * cut_off)
    expected = ndimage.gaussian_filter(parts.double().numpy(), (0, 0, sigma, sigma), mode="reflect")
    result = probe(parts, ProbeConfig("low-pass", cut_off))
    np.testing.assert_allclose(result, expected, atol=2e-6)


@pytest.mark.parametrize("side", [96, 224])
def test_a_cut_off_means_the_same_at_every_size(side: int) -> None:
    """Of a wave of 8 cycles, 61 % stay at a cut-off of 8, and next to nothing at 2."""
    wave = torch.sin(2 * math.pi * 8 * (torch.arange(side) + 0.5) / side)
    pixels = (0.5 + 0.4 * wave).expand(1, 3, side, side)
    middle = slice(side // 4, -side // 4)  # four waves, away from what is mirrored

    def height(left: Tensor) -> float:
        return math.sqrt(2) * left[..., middle].std(correction=0).item()

    assert height(low_pass(pixels, 8)) == pytest.approx(0.4 * math.exp(-0.5), rel=0.01)
    detail = probe(pixels, ProbeConfig("high-pass", 8))
    assert height(detail) == pytest.approx(0.4 * (1 - math.exp(-0.5)), rel=0.02)
    assert height(low_pass(pixels, 2)) < 0.01


@pytest.mark.parametrize("cut_off", PROBES["low-pass"])
def test_low_and_high_pass_add_up_to_the_image(cut_off: float, photo: Tensor) -> None:
    shown = probe(photo, ProbeConfig("high-pass", cut_off))
    expected = (0.5 + photo - low_pass(photo, cut_off)).clamp(0, 1)
    torch.testing.assert_close(shown, expected)


# -- edges --------------------------------------------------------------------------------------


def disc(side: int, height: float, radius: float = 0.3) -> Tensor:
    """A disc that is brighter than its surroundings by so much."""
    places = (torch.arange(side) + 0.5) / side - 0.5
    inside = (places[:, None] ** 2 + places**2).sqrt() < radius
    return (0.3 + height * inside).expand(1, 3, side, side)


@pytest.mark.parametrize("level", [0.0, 0.37, 1.0])
def test_a_constant_image_has_no_edge(level: float) -> None:
    pixels = torch.full((1, 3, 48, 48), level)
    for cut_off in (4, 16, 48):
        assert not edges(pixels, cut_off).any()
    assert (probe(pixels, ProbeConfig("edges", 16.0)) == 1).all()


@pytest.mark.parametrize("side", [96, 224])
@pytest.mark.parametrize("cut_off", [8.0, 16.0])
def test_an_edge_is_where_a_disc_ends_at_every_size(side: int, cut_off: float) -> None:
    found = edges(disc(side, 0.4), cut_off)[0, 0].nonzero() + 0.5
    distance = (found / side - 0.5).norm(dim=1) * side
    assert (distance - 0.3 * side).abs().max() < 2  # pixels
    angles = torch.atan2(*(found / side - 0.5).T).sort().values
    assert angles.diff().max() < 0.15  # closed


@pytest.mark.parametrize("cut_off", [8.0, 16.0, 96.0])
def test_a_line_needs_a_step_of_a_fifth(cut_off: float) -> None:
    assert edges(disc(96, 0.24), cut_off).any()
    assert not edges(disc(96, 0.16), cut_off).any()


def test_coarser_edges_are_fewer(photo: Tensor) -> None:
    fine, coarse = (int(edges(photo, cut_off).sum()) for cut_off in PROBES["edges"])
    assert 0 < coarse < fine < photo[0, 0].numel() / 4


def test_edges_are_dark_lines_on_white(photo: Tensor) -> None:
    drawn = probe(photo, ProbeConfig("edges", 16.0))
    assert drawn.unique().tolist() == [0, 1]
    assert torch.equal(drawn[:, :1] == 0, edges(photo, 16))
    assert torch.equal(drawn[:, 0], drawn[:, 2])


# -- all ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", USUAL, ids=lambda one: f"{one.kind}-{one.strength}")
def test_samples_are_independent_and_inputs_left_alone(config: ProbeConfig, parts: Tensor) -> None:
    pixels = parts.clone().requires_grad_()
    together = probe(pixels, config, seeds=[1, 2, 3])
    assert torch.equal(pixels.detach(), parts)
    assert not together.requires_grad
    assert together.shape == parts.shape
    assert 0 <= together.min() <= together.max() <= 1
    for place in range(3):
        alone = probe(parts[place : place + 1], config, seeds=[place + 1])
        assert torch.equal(alone[0], together[place])


@pytest.mark.parametrize("config", USUAL[::3], ids=lambda one: f"{one.kind}-{one.strength}")
def test_types_and_no_images(config: ProbeConfig, parts: Tensor) -> None:
    assert probe(torch.empty(0, 3, 32, 32), config).shape == (0, 3, 32, 32)
    assert probe(parts.double(), config).dtype == torch.float64
    assert probe(parts.half(), config).dtype == torch.float16


@pytest.mark.parametrize(
    ("pixels", "error", "words"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), TypeError, "divide by 255"),
        (torch.zeros(1, 3, 8, 7), ValueError, "got 8 patches for 7 pixels"),
    ],
)
def test_pixels_are_validated(pixels: Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        probe(pixels, ProbeConfig("patch-shuffle", 8))
