import captum.attr
import pytest
import torch
from torch import nn

from advprop_core.attribution.maps import explain
from advprop_core.attribution.perturbed import draw_masks, smooth_masks

SLOW = pytest.mark.parametrize(
    ("method", "options"),
    [
        ("occlusion", {"window": 4, "stride": 2}),
        ("rise", {"samples": 200}),
        ("score-cam", {"layer": "layer1"}),
        ("smoothgrad", {"samples": 70}),
        ("vargrad", {"samples": 70}),
        ("gradient-shap", {"samples": 70}),
    ],
)


class Centre(nn.Module):
    """The probability of class 0 is the red value of one pixel."""

    def forward(self, x):
        seen = x[:, 0, 3, 3].clamp(1e-6, 1 - 1e-6)
        return torch.stack([seen.log(), (1 - seen).log()], 1)


# -- literal values -------------------------------------------------------------------------------


def test_occlusion_of_a_linear_net(linear_net, weights):
    """A grey square of 2×2 takes away its pixels' weights times their distance from grey."""
    image = torch.rand(1, 3, 4, 4)
    found = explain(linear_net(weights), image, 1, "occlusion", window=2, stride=2)
    each = (weights[1] * (image[0] - 0.5)).sum(0)
    expected = each.view(2, 2, 2, 2).sum((1, 3)).repeat_interleave(2, 0).repeat_interleave(2, 1)
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


def test_overlapping_squares_are_averaged(linear_net):
    net = linear_net(torch.tensor([1.0, 2, 4]).repeat(3, 1)[None, :, None])
    found = explain(net, torch.ones(1, 3, 1, 3), 0, "occlusion", window=1, stride=1)
    torch.testing.assert_close(found, 1.5 * torch.tensor([[[1.0, 2, 4]]]))
    tall = linear_net(torch.tensor([1.0, 2, 4]).repeat(3, 2, 1)[None])
    found = explain(tall, torch.ones(1, 3, 2, 3), 0, "occlusion", window=2, stride=1)
    expected = 3 * torch.tensor([3, (3 + 6) / 2, 6])
    torch.testing.assert_close(found[0], expected.repeat(2, 1))


def test_the_last_squares_reach_the_edge(linear_net):
    net = linear_net(torch.ones(1, 3, 5, 5))
    found = explain(net, torch.ones(1, 3, 5, 5), 0, "occlusion", window=2, stride=2)
    assert (found > 0).all()


def test_occlusion_like_captum(branch, pixels):
    reference = captum.attr.Occlusion(branch)
    expected = reference.attribute(pixels(2), (3, 8, 8), (3, 4, 4), baselines=0.5, target=[1, 2])
    found = explain(branch, pixels(2), [1, 2], "occlusion", window=8, stride=4)
    torch.testing.assert_close(found, expected[:, 0], rtol=1e-4, atol=1e-5)


def test_rise_weighs_masks_by_what_is_left():
    """Where the probability is what a mask m leaves of one pixel, that pixel gets 2 · mean(m²)."""
    image = torch.ones(1, 3, 14, 14)
    found = explain(Centre().eval(), image, 0, "rise", samples=500, seed=4)[0]
    cells, shifts = draw_masks(500, torch.Generator().manual_seed(4))
    masks = smooth_masks(cells, shifts, torch.Size((14, 14)))
    expected = 2 * (masks[:, 3, 3, None, None] * masks).mean(0)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert found.argmax() == 3 * 14 + 3
    assert found[3, 3] > 1.2 * found[10, 10]


def test_rise_of_a_network_that_does_not_look_is_even():
    constant = nn.Sequential(nn.Flatten(), nn.Linear(12 * 12 * 3, 2)).eval()
    constant[1].weight.data.zero_()
    constant[1].bias.data.copy_(torch.tensor([0.0, 1.0]))
    found = explain(constant, torch.rand(1, 3, 12, 12), 1, "rise", samples=2000)
    expected = torch.full((1, 12, 12), torch.tensor([0.0, 1.0]).softmax(0)[1])
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0)


@pytest.mark.parametrize("size", [(1, 1), (4, 9), (7, 7), (50, 31), (96, 96)])
def test_masks_are_smooth_shifted_and_half_open(size):
    cells, shifts = draw_masks(400, torch.Generator().manual_seed(0))
    masks = smooth_masks(cells, shifts, torch.Size(size))
    assert masks.shape == (400, *size)
    assert masks.min() >= 0
    assert masks.max() <= 1
    assert abs(float(masks.mean()) - 0.5) < 0.05


def test_score_cam_by_hand(pooled_net):
    """Channels a and b; the image seen through a scores 3 · mean(a · a'), with a' in [0, 1]."""
    net = pooled_net(torch.tensor([[1.0, 0, 0], [0, 1, 0]]), torch.tensor([[3.0, -2.0]]))
    a, b = torch.tensor([[1.0, 0.0], [0.5, 0.25]]), torch.tensor([[0.0, 0.5], [0.25, 0.0]])
    image = torch.stack([a, b, torch.zeros(2, 2)])[None]
    found = explain(net, image, 0, "score-cam", layer="0")
    seen = [3 * (a * m).mean() - 2 * (b * m).mean() for m in (a, 2 * b)]
    weight = torch.stack(seen).softmax(0)
    torch.testing.assert_close(found[0], weight[0] * a + weight[1] * b)


def test_score_cam_of_channels_that_are_the_same_everywhere(pooled_net):
    net = pooled_net(torch.tensor([[1.0, 0, 0], [0, 1, 0]]), torch.tensor([[3.0, -2.0]]))
    image = torch.full((1, 3, 4, 4), 0.5)
    found = explain(net, image, 0, "score-cam", layer="0")
    torch.testing.assert_close(found, torch.full_like(found, 0.5))  # both hide all, and weigh ½


# -- batches, progress and stopping ---------------------------------------------------------------


@SLOW
def test_progress_is_told_and_ends_with_all(branch, pixels, method, options):
    told = []
    explain(branch, pixels(2), [0, 1], method, progress=lambda *x: told.append(x), **options)
    assert len(told) >= 2
    shares = [done / total for done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == shares[-2] == 1
    assert len({total for _, total in told[:-1]}) == 1


@SLOW
def test_progress_may_stop_the_call(branch, pixels, method, options, hooks_of):
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    with pytest.raises(Stop):
        explain(branch, pixels(1), 0, method, progress=stop, **options)
    assert not hooks_of(branch)


@SLOW
def test_no_more_images_at_once_than_there_is_room_for(
    branch, pixels, method, options, monkeypatch
):
    together = explain(branch, pixels(2), [0, 1], method, **options)
    monkeypatch.setattr("advprop_core.attribution.question._MOST_IMAGES", 5)
    sizes = []
    forward = type(branch).forward

    def watched(self, x):
        sizes.append(len(x))
        return forward(self, x)

    monkeypatch.setattr(type(branch), "forward", watched)
    apart = explain(branch, pixels(2), [0, 1], method, **options)
    assert max(sizes) <= 5
    torch.testing.assert_close(together, apart, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 33}, "window must be at most 32, the image's side, got 33"),
        ({"window": 4, "stride": 5}, "stride must be at most the window, 4, got 5"),
    ],
)
def test_squares_that_leave_gaps_are_refused(branch, pixels, options, message):
    with pytest.raises(ValueError, match=message):
        explain(branch, pixels(1), 0, "occlusion", **options)


def test_rise_has_its_own_generator(branch, pixels):
    before = torch.get_rng_state()
    first, again, other = (
        explain(branch, pixels(1), 0, "rise", samples=20, seed=seed) for seed in (5, 5, 6)
    )
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
