import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.corruptions.crystals import SIDE, frost_textures


def test_textures_are_drawn_once_and_lie_in_range() -> None:
    textures = frost_textures()
    assert textures is frost_textures()
    assert textures.shape == (5, 3, SIDE, SIDE)
    assert textures.dtype == torch.float32
    assert 0 <= textures.min() < 0.05
    assert 0.95 < textures.max() <= 1


def test_frost_is_neither_flat_nor_a_whiteout() -> None:
    for texture in frost_textures():
        assert 0.3 < texture.mean() < 0.65
        assert 0.1 < texture.std() < 0.35
        assert texture[2].mean() >= texture[0].mean()  # ice is bluish


def test_opposite_rims_fit_together() -> None:
    textures = frost_textures()
    for dim in (2, 3):
        steps = (textures - textures.roll(1, dim)).abs().mean((0, 1, 5 - dim))
        assert steps[0] < 2 * steps[1:].mean()


def lined(pictures: Tensor) -> float:
    """The share of 9×9 tiles whose slopes agree on a direction, by the structure tensor."""
    down, along = (pictures.roll(-1, dim) - pictures.roll(1, dim) for dim in (1, 2))
    products = torch.stack([down * down, along * along, down * along])
    squares, others, mixed = F.avg_pool2d(products, 9)
    agreement = torch.hypot(squares - others, 2 * mixed) / (squares + others + 1e-9)
    return (agreement > 0.5).float().mean().item()


def test_frost_is_made_of_lines_where_noise_is_not() -> None:
    ice = frost_textures()[:, 1]
    order = torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(0))
    shuffled = ice.flatten(1)[:, order].view_as(ice)
    assert lined(ice) > 0.2
    assert lined(shuffled) < 0.01
