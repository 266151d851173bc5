"""Maps of single channels at a norm layer."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advprop_core.anatomy.excitement import excitement
from advprop_core.anatomy.mixing import blend
from advprop_core.models.dual_bn import DualBNModel, PixelNetwork, norm_layers

NONE, ONES = (0.0,) * 3, (1.0,) * 3


class Inplace(nn.Module):
    """The layer sees the pixels themselves; what follows overwrites its input and output."""

    def __init__(self, **arguments):
        super().__init__()
        self.norm = nn.BatchNorm2d(3, **{"eps": 0.0, **arguments})

    def forward(self, x):
        x = x + 0
        y = self.norm(x).relu_()
        x.zero_()
        return (x + y).mean((2, 3))


def test_literal_and_untouched_by_work_in_place():
    model = PixelNetwork(Inplace(), NONE, ONES).eval()
    model.network.norm.running_mean.fill_(0.5)
    model.network.norm.running_var.fill_(0.25)
    pixels = torch.stack([torch.full((2, 2), value) for value in (0.0, 0.5, 1.0)])[None]
    seen = excitement(model, pixels, "norm", [2, 0])
    assert (seen.layer, seen.channels) == ("norm", (2, 0))
    assert torch.equal(seen.outputs, torch.stack([torch.ones(2, 2), -torch.ones(2, 2)]))


def test_a_layer_without_statistics_uses_the_images_own():
    model = PixelNetwork(Inplace(track_running_stats=False, eps=1e-5), NONE, ONES).eval()
    pixels = torch.tensor([0.0, 1.0]).expand(1, 3, 2, 2)
    seen = excitement(model, pixels, "norm", [1])
    expected = torch.tensor([-1.0, 1.0]).expand(1, 2, 2)
    torch.testing.assert_close(seen.outputs, expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("architecture", "layer"),
    [("test_resnet", "layer2.0.bn1"), ("regnetx_002", "s1.b1.conv2.bn")],
)
def test_maps_are_those_of_the_layer_at_the_size_of_pixels(make_dual, pixels, architecture, layer):
    """Also in a fused layer, whose activation follows on what is shown."""
    aux, image = make_dual(architecture).branch("aux"), pixels(1, 64)
    seen = excitement(aux, image, layer, [3, 1])
    given = []
    norm = norm_layers(copy.deepcopy(aux).network)[layer]
    view = copy.deepcopy(aux)
    hooked = norm_layers(view.network)[layer]
    hooked.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0].clone()))
    view(image)
    if hasattr(norm, "act"):
        norm.act = norm.drop = nn.Identity()
    maps = norm(given[0])[:, [3, 1]]
    expected = F.interpolate(maps, (64, 64), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(seen.outputs, expected)
    assert (seen.outputs < 0).any()


def test_branches_differ_and_blends_are_branches_at_their_ends(make_dual, pixels):
    model, image = make_dual(), pixels(1)
    main, aux, end = (
        excitement(module, image, "layer3.0.bn1", range(4))
        for module in (model.branch("main"), model.branch("aux"), blend(model, 1, 1))
    )
    assert not torch.allclose(main.outputs, aux.outputs)
    assert torch.equal(aux.outputs, end.outputs)


def test_nothing_is_left_on_the_model(dual, pixels):
    excitement(dual.branch("main"), pixels(1), "bn1", [0])
    assert not any(part._forward_pre_hooks or part._forward_hooks for part in dual.modules())


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.idle = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.norm(x.mean((2, 3)))


def test_refusals(dual, make_tiny, pixels):
    main = dual.branch("main")
    with pytest.raises(ValueError, match="no norm layer 'layer2.0.bn3'. Did you mean layer3.0.bn3"):
        excitement(main, pixels(1), "layer2.0.bn3", [0])
    with pytest.raises(ValueError, match="eval mode"):
        excitement(make_tiny(), pixels(1), "1", [0])
    flat = DualBNModel(Flat(), NONE, ONES).freeze().branch("main")
    with pytest.raises(ValueError, match=r"'norm' gives no maps .*: its input has shape \(1, 3\)"):
        excitement(flat, pixels(1), "norm", [0])
    with pytest.raises(ValueError, match="'idle' gives no maps .*: it never runs"):
        excitement(flat, pixels(1), "idle", [0])
