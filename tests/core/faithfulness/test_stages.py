import pytest
import timm
import torch
from torch import nn

from advprop_core.faithfulness.stages import cascade_stages, layers_by_stage, randomise


def test_stages_of_a_residual_network_are_its_children(dual):
    assert cascade_stages(dual.branch("main")) == (
        *("conv1", "layer1", "layer2", "layer3", "layer4", "fc"),  # bn1 goes with conv1
    )


@pytest.mark.parametrize(
    ("architecture", "first", "last"),
    [
        ("test_efficientnet", ("conv_stem", "blocks.0"), "classifier"),
        ("test_convnext", ("stem", "stages.0"), "head"),
        ("test_vit", ("patch_embed", "blocks.0"), "head"),
    ],
)
def test_a_wrapping_around_nearly_everything_is_opened(architecture, first, last):
    network = timm.create_model(architecture)
    stages = cascade_stages(network)
    assert stages[:2] == first
    assert stages[-1] == last
    owners = [layer for layers in layers_by_stage(network, stages).values() for layer in layers]
    owned = [id(tensor) for layer in owners for tensor in layer.parameters(recurse=False)]
    assert sorted(owned) == sorted(id(tensor) for tensor in network.parameters())


def test_a_network_of_one_layer_is_one_stage():
    linear = nn.Linear(3, 2)
    assert cascade_stages(linear) == ("",)
    assert layers_by_stage(linear, ("",)) == {"": (linear,)}


def test_layers_outside_all_stages_go_with_the_one_before(make_tiny):
    net = make_tiny()  # 0 convolution, 1 norm, 3 convolution, 4 norm, 8 linear
    assert cascade_stages(net) == ("0", "3", "8")
    found = layers_by_stage(net, ("3", "8"))
    assert found == {"3": (net[0], net[1], net[3], net[4]), "8": (net[8],)}


def test_norm_layers_neither_shift_nor_scale(make_tiny):
    net = make_tiny()
    with torch.no_grad():
        for tensor in (*net[1].parameters(), net[1].running_mean, net[1].running_var):
            tensor.uniform_(2, 3)
    randomise([net[1]], torch.Generator())
    x = torch.rand(2, 8, 4, 4)
    torch.testing.assert_close(net[1].eval()(x), x, rtol=1e-4, atol=1e-4)


def test_weights_are_normal_by_their_fan_in_and_biases_zero():
    layer = nn.Conv2d(16, 64, 5)
    randomise([layer], torch.Generator().manual_seed(0))
    assert layer.weight.mean().item() == pytest.approx(0, abs=1e-3)
    assert layer.weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert not layer.bias.any()


def test_what_is_neither_keeps_its_scale():
    layer = nn.Module()
    layer.gamma = nn.Parameter(torch.arange(50.0))
    layer.position = nn.Parameter(5 * torch.randn(1, 40, 50))
    randomise([layer], torch.Generator().manual_seed(0))
    assert layer.gamma.tolist() != list(range(50))
    assert sorted(layer.gamma.tolist()) == list(range(50))
    assert layer.position.std().item() == pytest.approx(5, rel=0.1)
