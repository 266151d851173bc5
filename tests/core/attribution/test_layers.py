import pytest
import timm
import torch
from torch import nn
from torch.nn import functional as F

from advprop_core.attribution.errors import UnknownLayer
from advprop_core.attribution.layers import (
    default_layer,
    find_layer,
    finer_layer,
    layer_tree,
    spatial_layers,
    spatial_stages,
    stages,
)
from advprop_core.attribution.maps import explain
from advprop_core.models.dual_bn import PixelNetwork
from advprop_core.models.folding import fold


def walk(nodes):
    for node in nodes:
        yield node
        yield from walk(node.children)


def test_unknown_layer_has_near_matches(branch):
    with pytest.raises(UnknownLayer, match=r"no layer 'layer9'.*Did you mean .*layer"):
        find_layer(branch, "layer9")
    with pytest.raises(UnknownLayer):
        find_layer(branch, "")


def test_a_layer_that_is_never_run_is_refused(pixels):
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, x):
            return self.used(x).mean((2, 3))

    module = PixelNetwork(Unused(), (0.5,) * 3, (0.5,) * 3).eval()
    assert spatial_layers(module, pixels(1)) == ("used",)
    with pytest.raises(UnknownLayer, match="'idle' gives no map"):
        explain(module, pixels(1), 0, "grad-cam", layer="idle")
    assert default_layer(module, pixels(1)) == "used"


def test_spatial_layers_come_in_execution_order(make_tiny, pixels):
    module = make_tiny().eval()
    assert spatial_layers(module, pixels(1)) == ("0", "1", "2", "3", "4", "5")
    assert spatial_layers(module, pixels(1, 3)) == ("0", "1", "2", "3", "4", "5")
    assert spatial_layers(module, pixels(1, 2)) == ("0", "1", "2")


def test_default_layer_has_five_cells_where_one_has(branch, pixels):
    assert stages(branch) == ("act1", "layer1", "layer2", "layer3", "layer4")
    # The network divides by 32: at 96 px its last stage has 3×3 cells, the one before 6×6.
    assert default_layer(branch, pixels(1, 96)) == "layer3"
    assert default_layer(branch, pixels(1, 160)) == "layer4"
    assert default_layer(branch, pixels(1, 8)) == "act1"


def test_the_finer_layer_is_the_stage_before(branch, pixels, linear_net, weights):
    assert finer_layer(branch, pixels(1, 96)) == "layer2"
    assert finer_layer(branch, pixels(1, 160)) == "layer3"
    assert finer_layer(branch, pixels(1, 8)) is None  # the default has the most cells
    assert finer_layer(linear_net(weights), torch.rand(1, 3, 4, 4)) is None


def test_a_folded_branch_has_the_same_stages(branch, pixels):
    folded = fold(branch, pixels(1, 64))
    assert stages(folded) == stages(branch)
    assert default_layer(folded, pixels(1, 96)) == default_layer(branch, pixels(1, 96))
    assert spatial_stages(folded, pixels(1, 64)) == spatial_stages(branch, pixels(1, 64))


def test_a_network_without_maps_has_no_default_layer(linear_net, weights):
    net, image = linear_net(weights), torch.rand(1, 3, 4, 4)
    with pytest.raises(UnknownLayer, match="gradient method"):
        default_layer(net, image)
    assert layer_tree(net, image) == ()


class Tokens(nn.Module):
    """A stage that gives a list of tokens, and one that keeps its channels last."""

    feature_info = ({"module": "last"}, {"module": "tokens"})

    def __init__(self):
        super().__init__()
        self.stem, self.last, self.tokens = nn.Conv2d(3, 9, 4, 4), nn.Identity(), nn.Identity()

    def forward(self, x):
        last = self.last(self.stem(x).permute(0, 2, 3, 1))
        return self.tokens(last.flatten(1, 2)).mean(1)


def test_stages_that_give_no_map_are_no_default(pixels):
    module = PixelNetwork(Tokens(), (0.5,) * 3, (0.5,) * 3).eval()
    image = pixels(1, 48)
    assert stages(module) == ("last", "tokens")
    assert spatial_layers(module, image) == ("stem",)
    with pytest.raises(UnknownLayer, match=r"no stage with a spatial map.* that has one: stem"):
        default_layer(module, image)
    with pytest.raises(UnknownLayer, match=r"'last' gives no map.*such as stem"):
        explain(module, image, 0, "grad-cam", layer="last")


def test_the_tree_of_a_residual_network(branch, pixels):
    tree = layer_tree(branch, pixels(1, 96))
    names = [node.name for node in tree]
    assert names[-4:] == ["layer1", "layer2", "layer3", "layer4"]
    assert set(stages(branch)) <= set(names)
    third = tree[names.index("layer3")]
    assert third.size == (6, 6)
    assert [node.name for node in third.children] == ["layer3.0"]
    inside = [node.name for node in third.children[0].children]
    assert inside[:2] == ["layer3.0.conv1", "layer3.0.bn1"]
    assert all(node.size >= (2, 2) for node in walk(tree))
    assert {node.name for node in walk(tree)} == set(spatial_layers(branch, pixels(1, 96)))


def test_a_list_that_is_never_called_is_left_out_of_the_tree(pixels):
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1, stride=2)])

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return x.mean((2, 3))

    first, second = layer_tree(Listed().eval(), pixels(1))
    assert (first.name, first.size) == ("blocks.0", (32, 32))
    assert (second.name, second.size) == ("blocks.1", (16, 16))


def test_training_mode_is_refused_and_moves_nothing(make_dual, pixels):
    model = make_dual().train()
    branch = model.branch("main")
    state = {key: value.clone() for key, value in model.state_dict().items()}
    for look in (spatial_layers, default_layer, layer_tree):
        with pytest.raises(ValueError, match="eval mode"):
            look(branch, pixels(1))
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())


# -- stages that give several maps ----------------------------------------------------------------


class TwoPaths(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.coarse, self.fine = nn.Conv2d(4, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)

    def forward(self, x):
        return [self.coarse(x), self.fine(x)]


class Parallel(nn.Module):
    """Two resolutions side by side, as in HRNet: stages give lists of maps."""

    def __init__(self, *listed: str) -> None:
        super().__init__()
        self.feature_info = [{"module": name} for name in listed]
        self.stem, self.stage = nn.Conv2d(3, 4, 3, 2, 1), TwoPaths()
        self.join, self.last = nn.Conv2d(4, 6, 1), nn.Conv2d(6, 6, 3, 4)

    def forward(self, x):
        coarse, fine = self.stage(self.stem(x))
        joined = self.join(F.interpolate(coarse, fine.shape[2:]) + fine)
        return self.last(joined).mean((2, 3))


def test_the_last_map_stands_in_where_every_stage_gives_several(pixels):
    module = Parallel("stage").eval()
    assert default_layer(module, pixels(1)) == "last"
    for method in ("grad-cam", "layer-cam", "hires-cam", "eigen-cam", "score-cam"):
        shown = explain(module, pixels(2), 1, method)
        torch.testing.assert_close(shown, explain(module, pixels(2), 1, method, layer="last"))


def test_the_last_layer_inside_stands_in_for_a_stage_among_others(pixels):
    module = Parallel("stem", "stage").eval()
    assert default_layer(module, pixels(1, 32)) == "stage.fine"
    with pytest.raises(UnknownLayer, match="'stage' gives no map"):
        explain(module, pixels(1), 0, "grad-cam", layer="stage")


@pytest.mark.parametrize(
    ("name", "side", "layer"),
    [
        ("hrnet_w18_small", 64, "final_layer"),
        ("selecsls42", 96, "features.5.conv6"),
        ("dla34", 96, "level4"),
    ],
)
def test_networks_whose_stages_give_lists(name, side, layer, pixels):
    network = timm.create_model(name, num_classes=3).eval()
    assert default_layer(network, pixels(1, side)) == layer
    assert explain(network, pixels(1, side), 0, "grad-cam").shape == (1, side, side)
