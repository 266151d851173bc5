import pytest
import scipy.stats
import torch

from advprop_core.faithfulness import agreement
from advprop_core.faithfulness.agreement import Agreement, agree, spearman
from advprop_core.faithfulness.maps import Undefined


def a_map(*values):
    return torch.tensor(values, dtype=torch.float32).view(1, 1, -1)


def draw(seed, levels=None):
    maps = torch.randn(3, 8, 9, generator=torch.Generator().manual_seed(seed))
    return maps if levels is None else (maps * levels).round()


@pytest.mark.parametrize("levels", [None, 1, 2])  # with few levels most values are tied
def test_spearman_is_that_of_scipy(levels):
    first, second = draw(0, levels), draw(1, levels)
    second[2] = first[2] ** 3
    expected = [
        scipy.stats.spearmanr(a.flatten(), b.flatten()).statistic
        for a, b in zip(first, second, strict=True)
    ]
    assert spearman(first, second) == pytest.approx(expected, abs=1e-9)


def test_spearman_by_hand():
    # Ranks 1 2 3 4 against 2 1 4 3: 1 - 6·4 / (4·15).
    assert spearman(a_map(0, 1, 5, 9), a_map(3, 2, 8, 4)) == pytest.approx((0.6,))
    assert spearman(a_map(1, 2, 3), a_map(9, 8, 7)) == pytest.approx((-1.0,))


def test_the_top_tenth_by_hand():
    first = torch.zeros(1, 5, 10)
    second = torch.zeros(1, 5, 10)
    first[0, 0, :5] = torch.tensor([5.0, 4, 3, 2, 1])  # its top: places 0 to 4
    second[0, 0, 3:8] = torch.tensor([1.0, 2, 3, 4, 5])  # its top: places 3 to 7
    (agreed,) = agree(first, second)
    assert agreed.overlap == 2 / 5
    assert agreed.iou == 2 / 8


@pytest.fixture
def top(monkeypatch):
    return lambda share: monkeypatch.setattr(agreement, "_TOP", share)


@pytest.mark.parametrize(("share", "expected"), [(0.25, 0), (0.5, 1), (1.0, 1)])
def test_the_top_is_a_share_of_the_pixels(top, share, expected):
    top(share)
    agreed = agree(a_map(4, 3, 2, 1), a_map(3, 4, 1, 2))[0]
    assert (agreed.iou, agreed.overlap) == (expected, expected)


def test_values_tied_at_the_edge_are_left_out(top):
    # Half should be the top, but only one pixel stands out: the zeros are not chosen by place.
    top(0.5)
    agreed = agree(a_map(9, 0, 0, 0), a_map(0, 0, 0, 9))[0]
    assert (agreed.iou, agreed.overlap) == (0, 0)
    agreed = agree(a_map(9, 0, 0, 0), a_map(9, 5, 0, 0))[0]
    assert (agreed.iou, agreed.overlap) == (1 / 2, 1)


def test_a_plateau_of_largest_values_is_the_top_as_a_whole(top):
    top(0.25)
    agreed = agree(a_map(7, 7, 7, 0), a_map(7, 7, 7, 0))[0]
    assert (agreed.iou, agreed.overlap) == (1, 1)
    agreed = agree(a_map(7, 7, 7, 0), a_map(1, 2, 3, 4))[0]
    assert (agreed.iou, agreed.overlap) == (0, 0)


def test_a_map_agrees_with_itself_in_any_monotone_scale():
    maps = draw(0)
    for agreed in agree(maps, 3 * maps + 1):
        assert agreed.rank_correlation == pytest.approx(1)
        assert (agreed.iou, agreed.overlap) == (1, 1)


@pytest.mark.parametrize("constant", [0.0, 2.0])
def test_constant_maps_have_no_agreement(constant):
    agreed = agree(torch.full((1, 2, 2), constant), torch.rand(1, 2, 2))[0]
    reason = Undefined("the map is constant" if constant else "the map is zero everywhere")
    assert agreed == Agreement(reason, reason, reason)


def test_maps_without_pixels_are_undefined():
    assert agree(torch.rand(2, 0, 0), torch.rand(2, 0, 0))[1].iou == Undefined("the map is empty")


def test_maps_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match=r"maps must have shape \(3, 8, 9\), got \(2, 8, 9\)"):
        agree(draw(0), draw(1)[:2])
