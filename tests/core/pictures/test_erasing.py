import pytest
import torch

from advprop_core.compare.compare import compare
from advprop_core.pictures.erasing import erase, erased
from advprop_core.pictures.regions import EraseConfig, Region


def test_grey_and_black_literal():
    """The right half of the upper half: pixels (0, 2) and (0, 3), (1, 2) and (1, 3) of 4×4."""
    white = torch.ones(1, 3, 4, 4)
    region = (Region(500, 0, 500, 500),)
    for fill, level in (("grey", 0.5), ("black", 0.0)):
        found = erase(white, EraseConfig(region, fill))
        assert found[0, 0].tolist() == [[1, 1, level, level]] * 2 + [[1, 1, 1, 1]] * 2
        assert torch.equal(found[0, 0], found[0, 2])


@pytest.mark.parametrize(
    ("region", "side", "expected"),
    [
        (Region(0, 0, 1000, 1000), 96, (0, 0, 96, 96)),
        (Region(250, 500, 250, 100), 96, (24, 48, 48, 58)),
        (Region(0, 999, 1, 1), 96, (0, 95, 1, 96)),
        (Region(999, 500, 1, 1), 4, (3, 2, 4, 3)),
        (Region(333, 333, 333, 333), 3, (1, 1, 2, 2)),
    ],
)
def test_a_region_fits_any_resolution_and_covers_a_pixel(region, side, expected):
    left, top, right, bottom = expected
    mask = torch.zeros(side, side, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    assert torch.equal(erased(EraseConfig((region,)), side, side), mask)


def test_regions_add_up_and_may_overlap():
    mask = erased(EraseConfig((Region(0, 0, 500, 500), Region(250, 250, 500, 500))), 4, 4)
    assert mask.int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_a_blur_takes_details_away_and_stays_inside(pixels):
    clean = pixels(2, 64)
    found = erase(clean, EraseConfig((Region(250, 250, 500, 500),), "blur"))
    inside = (slice(None), slice(None), slice(16, 48), slice(16, 48))
    assert found[inside].std() < 0.1 * clean[inside].std()
    assert found[inside].mean() == pytest.approx(float(clean[inside].mean()), abs=0.03)
    outside = torch.ones(64, 64, dtype=torch.bool)
    outside[16:48, 16:48] = False
    assert torch.equal(found[..., outside], clean[..., outside])
    assert 0 <= found.min() <= found.max() <= 1


def test_nothing_marked_nothing_changed(pixels):
    clean = pixels(1)
    found = erase(clean, EraseConfig((), "black"))
    assert torch.equal(found, clean)
    assert found.data_ptr() != clean.data_ptr()


def test_pixels_are_checked_and_left_alone(pixels):
    config = EraseConfig((Region(0, 0, 1000, 1000),), "black")
    clean = pixels(1)
    erase(clean, config)
    assert torch.equal(clean, pixels(1))
    with pytest.raises(TypeError, match="must be floating point"):
        erase((clean * 255).byte(), config)
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\)"):
        erase(clean[0], config)


def test_a_comparison_takes_an_erasure(dual, pixels):
    branches = {name: dual.branch(name) for name in ("main", "aux")}
    config = EraseConfig((Region(0, 0, 500, 1000),), "black")
    result = compare(branches, pixels(1), config, attack_branch="main", true_class=1)
    assert torch.equal(result.adversarial, erase(pixels(1), config)[0])
    assert result.attack_branch is None
    assert result.facts.linf == float(pixels(1)[..., :16].max())
