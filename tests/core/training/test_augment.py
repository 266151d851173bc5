import pytest
import torch

from advprop_core.pictures.filters import luma
from advprop_core.training.augment import augment, crop, jitter_colors, move, recolor
from advprop_core.training.recipe import Augmentation

NOTHING = Augmentation(crop_scale=1.0, flip=False)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=6, side=43, seed=1):
    return torch.randint(0, 256, (count, 3, side, side), generator=seeded(seed), dtype=torch.uint8)


def flat(level, count=1, side=2):
    return torch.full((count, 3, side, side), level)


# -- crops --------------------------------------------------------------------------------------


def spans(recipe, count=400):
    """Width and height of crops as shares of the image, mirrored ones negative."""
    ramp = torch.linspace(0, 255, 64).round().byte().expand(count, 1, 64, 64)
    both = torch.cat([ramp, ramp.mT, ramp], 1)  # red rises to the right, green downwards
    pixels = crop(both, 32, recipe, seeded())
    scale = (32 / 31) * (63 / 64)
    width = (pixels[:, 0, 16, 31] - pixels[:, 0, 16, 0]) * scale
    height = (pixels[:, 1, 31, 16] - pixels[:, 1, 0, 16]) * scale
    return pixels, width, height


def test_half_of_the_crops_are_mirrored_and_none_upside_down():
    _, width, height = spans(Augmentation(crop_scale=0.25))
    assert 150 < (width < 0).sum() < 250
    assert (height > 0).all()


def test_without_flips_none_is_mirrored():
    _, width, _ = spans(Augmentation(crop_scale=0.25, flip=False))
    assert (width > 0).all()


def test_crops_keep_from_the_smallest_share_to_everything_in_bounded_shapes():
    _, width, height = spans(Augmentation(crop_scale=0.25))
    area, ratio = width.abs() * height, width.abs() / height
    assert 0.23 < area.min() < 0.29
    assert 0.9 < area.max() < 1.03
    assert 0.72 < ratio.min() < 0.8
    assert 1.25 < ratio.max() < 1.39


def test_crops_stay_inside():
    """Nothing is mirrored in from beyond the border: every row rises or falls throughout."""
    pixels, width, height = spans(Augmentation(crop_scale=0.25))
    assert (pixels[:, 0, 16].diff(dim=1) * width.sign()[:, None]).min() >= -1e-6
    assert (pixels[:, 1, :, 16].diff(dim=1) * height.sign()[:, None]).min() >= -1e-6
    assert pixels[:, 0].amin() < 0.02
    assert pixels[:, 0].amax() > 0.98


def test_crops_are_spread_over_the_image():
    pixels, _, _ = spans(Augmentation(crop_scale=0.25))
    centre = pixels[:, :2, 15:17, 15:17].mean((2, 3))
    assert centre.mean().item() == pytest.approx(0.5, abs=0.03)
    assert centre.std() > 0.08
    assert torch.corrcoef(centre.T)[0, 1].abs() < 0.15  # across and down are drawn apart


def drawn(monkeypatch, photo, size, recipe, area=0.0, x=0.5, y=0.5, flip=0.9):
    """A square crop with these draws; more area, further right and further down grow with them."""
    draws = torch.tensor([area, 0.5, x, y, flip])[:, None]
    monkeypatch.setattr(torch, "rand", lambda *_, **__: draws)
    return crop(photo[None], size, recipe, seeded())[0] * 255


def test_the_whole_image_and_its_mirror_image_literal(monkeypatch):
    photo = images(1, 32)[0]
    same = drawn(monkeypatch, photo, 32, Augmentation(), area=1.0)
    torch.testing.assert_close(same, photo.float(), rtol=0, atol=0.01)
    mirrored = drawn(monkeypatch, photo, 32, Augmentation(), area=1.0, flip=0.49)
    torch.testing.assert_close(mirrored, photo.flip(2).float(), rtol=0, atol=0.01)
    unflipped = drawn(monkeypatch, photo, 32, NOTHING, flip=0.0)
    torch.testing.assert_close(unflipped, photo.float(), rtol=0, atol=0.01)


@pytest.mark.parametrize(("x", "left"), [(0.0, 0), (0.5, 8), (1.0, 16)])
@pytest.mark.parametrize(("y", "top"), [(0.0, 0), (1.0, 16)])
def test_a_quarter_of_the_image_literal(monkeypatch, x, left, y, top):
    """Half of each side: pixels are copied, for no resampling is needed."""
    photo = images(1, 32)[0]
    part = photo[:, top : top + 16, left : left + 16].float()
    found = drawn(monkeypatch, photo, 16, Augmentation(crop_scale=0.25), x=x, y=y)
    torch.testing.assert_close(found, part, rtol=0, atol=0.01)


# -- colours ------------------------------------------------------------------------------------


def jittered(pixels, monkeypatch, brightness=1.0, contrast=1.0, saturation=1.0):
    """With these factors instead of drawn ones."""
    factors = torch.tensor([brightness, contrast, saturation]).view(3, 1, 1, 1, 1)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: factors)  # of 0 to 2, at strength 1
    return jitter_colors(pixels, 0.5, seeded())


@pytest.fixture
def two():
    """Two pixels: an orange, whose luma is 0.4435, and black."""
    colour = torch.tensor([0.8, 0.3, 0.25])
    return torch.stack([colour, torch.zeros(3)], 1).view(1, 3, 1, 2)


LUMA = 0.299 * 0.8 + 0.587 * 0.3 + 0.114 * 0.25


def test_luma_literal(two):
    torch.testing.assert_close(luma(two).flatten(), torch.tensor([LUMA, 0.0]))


@pytest.mark.parametrize(
    ("draws", "first", "second"),
    [
        # A draw u gives the factor 1 + 0.5 (2u - 1): 0 is a half, 1 is 1.5, 0.5 leaves it alone.
        ((0.0, 0.5, 0.5), (0.4, 0.15, 0.125), (0.0, 0.0, 0.0)),
        ((1.0, 0.5, 0.5), (1.0, 0.45, 0.375), (0.0, 0.0, 0.0)),
        (
            (0.5, 0.0, 0.5),  # halfway to the mean of the lumas
            tuple(LUMA / 4 + x / 2 for x in (0.8, 0.3, 0.25)),
            (LUMA / 4,) * 3,
        ),
        (
            (0.5, 0.5, 0.0),  # halfway to each pixel's own luma
            tuple(LUMA / 2 + x / 2 for x in (0.8, 0.3, 0.25)),
            (0.0, 0.0, 0.0),
        ),
        (
            (0.5, 0.5, 1.0),
            tuple(min(1.0, LUMA + 1.5 * (x - LUMA)) for x in (0.8, 0.3, 0.25)),
            (0.0, 0.0, 0.0),
        ),
    ],
    ids=["darker", "brighter, cut at white", "flatter", "paler", "gaudier"],
)
def test_jitter_literal(two, monkeypatch, draws, first, second):
    result = jittered(two, monkeypatch, *draws)[0, :, 0]
    torch.testing.assert_close(result[:, 0], torch.tensor(first))
    torch.testing.assert_close(result[:, 1], torch.tensor(second))


def test_each_image_draws_its_own_factors_within_the_strength():
    levels = jitter_colors(flat(0.5, 500), 0.2, seeded())[:, 0, 0, 0]  # of flat greys: brightness
    assert levels.min() == pytest.approx(0.4, abs=0.005)
    assert levels.max() == pytest.approx(0.6, abs=0.005)
    assert levels.mean() == pytest.approx(0.5, abs=0.01)
    assert len(levels.unique()) > 400


# -- noises -------------------------------------------------------------------------------------


def test_each_image_draws_a_severity_up_to_the_largest():
    noisy = recolor(flat(0.5, 300, 32), Augmentation(gaussian=0.1), seeded()) - 0.5
    spread = noisy.flatten(1).std(1)
    assert spread.max() == pytest.approx(0.1, abs=0.005)
    assert spread.min() < 0.005
    assert spread.mean() == pytest.approx(0.05, abs=0.005)


def test_the_other_noises():
    pepper = recolor(flat(0.5, 300, 16), Augmentation(salt_and_pepper=0.4), seeded())
    assert ((pepper == 0) | (pepper == 0.5) | (pepper == 1)).all()
    assert (pepper != 0.5).float().mean().item() == pytest.approx(0.2, abs=0.03)
    poisson = recolor(flat(0.5, 300, 16), Augmentation(poisson=0.1), seeded()) - 0.5
    assert poisson.var().item() == pytest.approx(0.5 * 0.1**2 / 3, rel=0.15)  # mean of (0.1 u)²


def test_no_noise_is_the_identity():
    pixels = flat(0.5)
    assert torch.equal(recolor(pixels, NOTHING, seeded()), pixels)


# -- all of it ----------------------------------------------------------------------------------

EVERYTHING = Augmentation(
    crop_scale=0.5, color_jitter=0.4, gaussian=0.2, poisson=0.2, salt_and_pepper=0.1
)


def test_the_result_is_what_the_network_takes():
    pixels = augment(images(), 32, EVERYTHING, seeded())
    assert pixels.shape == (6, 3, 32, 32)
    assert pixels.dtype == torch.float32
    assert pixels.is_contiguous(memory_format=torch.channels_last)
    assert pixels.min() >= 0
    assert pixels.max() <= 1


def test_every_image_is_augmented_its_own_way():
    same = images(1).expand(10, -1, -1, -1)
    for recipe in (Augmentation(), Augmentation(crop_scale=1.0, color_jitter=0.3), EVERYTHING):
        assert len(augment(same, 32, recipe, seeded()).flatten(1).unique(dim=0)) == 10


def test_the_generator_decides_and_nothing_global_does():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = augment(images(), 32, EVERYTHING, seeded(1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(augment(images(), 32, EVERYTHING, seeded(1)), first)
    assert not torch.equal(augment(images(), 32, EVERYTHING, seeded(2)), first)


def test_crops_do_not_depend_on_what_follows_them():
    assert torch.equal(
        augment(images(), 32, Augmentation(crop_scale=0.5), seeded()),
        crop(images(), 32, Augmentation(crop_scale=0.5), seeded()),
    )


def test_the_photos_are_left_as_they_were():
    photos = images()
    augment(photos, 32, EVERYTHING, seeded())
    assert torch.equal(photos, images())


@pytest.mark.parametrize("smallest", [0.9, 1.0])
def test_a_crop_keeps_at_least_its_share(smallest):
    ramp = torch.arange(0, 256, 8, dtype=torch.uint8)
    photo = torch.stack((*torch.meshgrid(ramp, ramp, indexing="ij"), ramp.expand(32, 32)))
    photos = photo.expand(200, 3, 32, 32)
    recipe = Augmentation(crop_scale=smallest, flip=False)
    cut = crop(photos, 32, recipe, torch.Generator().manual_seed(0)) * 255
    height, width = (cut[:, i].flatten(1).amax(1) - cut[:, i].flatten(1).amin(1) for i in (0, 1))
    assert ((height / 248) * (width / 248)).min() > smallest - 0.03
    if smallest == 1:
        torch.testing.assert_close(cut, photos.float(), rtol=0, atol=0.01)


# -- moves --------------------------------------------------------------------------------------


def test_a_shift_moves_by_whole_pixels_and_lets_black_in():
    dot = torch.zeros(400, 3, 17, 17)
    dot[:, :, 8, 8] = 1
    moved = move(dot, Augmentation(shift=2), seeded())
    rows, columns = (moved[:, 0] > 0.99).nonzero()[:, 1:].unbind(1)
    assert len(rows) == 400, "none is blurred"
    for places in (rows, columns):
        assert places.unique().tolist() == [6, 7, 8, 9, 10]
        assert places.bincount()[6:].min() > 50, "each as often as any other"
    light = move(torch.ones(50, 3, 17, 17), Augmentation(shift=2), seeded())
    assert (light[:, 0, 0, 8] < 0.01).any()


def test_a_rotation_turns_by_up_to_its_angle():
    bar = torch.zeros(400, 3, 65, 65)
    bar[:, :, 32, :] = 1
    right = move(bar, Augmentation(rotation=10), seeded())[:, 0, :, 60]
    heights = (right * torch.arange(65.0)).sum(1) / right.sum(1) - 32
    angles = torch.rad2deg(torch.atan(heights / 28))
    assert 9 < angles.max() < 10.5
    assert -10.5 < angles.min() < -9
    assert 4.5 < angles.abs().mean() < 5.5


def test_a_recipe_without_moves_draws_as_before():
    generator = seeded()
    assert move(flat(0.3), NOTHING, generator) is not None
    assert torch.equal(torch.rand(3, generator=generator), torch.rand(3, generator=seeded()))
