"""Names, order and stages of norm layers."""

import pytest
import timm
import torch
from torch import nn

from advprop_core.anatomy.layers import execution_order, pair, resolve, stages_of_layers
from advprop_core.models.dual_bn import DualBNModel

HALVES = (0.5, 0.5, 0.5)


class Backwards(nn.Module):
    """Defines its layers in another order than it runs them in, one twice and one never."""

    def __init__(self):
        super().__init__()
        self.idle = nn.BatchNorm2d(3)
        self.late = nn.BatchNorm2d(3)
        self.early = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.early(self.late(self.early(x))).mean((2, 3))


def test_execution_order_is_that_of_the_forward_pass():
    model = DualBNModel(Backwards(), HALVES, HALVES).freeze()
    assert model.norm_layer_names() == ("idle", "late", "early")
    assert execution_order(model, torch.zeros(1, 3, 64, 64)) == ("early", "late")


def test_execution_order_of_a_model_in_training_mode_moves_no_statistics(make_dual):
    model = make_dual().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert execution_order(model, torch.zeros(1, 3, 64, 64)) == model.norm_layer_names()
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(part.training for part in model.modules())


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        (
            "test_resnet",  # its stages begin with an activation
            {"bn1": "act1", "layer1.0.bn1": "layer1", "layer4.0.downsample.2": "layer4"},
        ),
        ("regnetx_002", {"stem.bn": "stem", "s1.b1.conv1.bn": "s1", "s4.b7.conv3.bn": "s4"}),
        ("test_efficientnet", {"bn1": "blocks.0", "blocks.1.0.bn2": "blocks.1", "bn2": "head"}),
    ],
)
def test_stages_are_timms_and_what_leads_to_them(make_dual, architecture, expected):
    stages = stages_of_layers(make_dual(architecture))
    assert {layer: stages[layer] for layer in expected} == expected


def test_stages_of_a_network_without_a_list_are_its_children(make_tiny):
    model = DualBNModel(nn.ModuleDict({"body": make_tiny()}), HALVES, HALVES)
    assert stages_of_layers(model) == {"body.1": "body", "body.4": "body"}


def test_skipped_stages_of_a_list_belong_to_the_next_one():
    network = timm.create_model("efficientnet_b0", num_classes=2)  # lists blocks.2 and blocks.4
    assert stages_of_layers(DualBNModel(network, HALVES, HALVES))["blocks.3.0.bn1"] == "blocks.4"


def test_names_of_layers_and_stages_resolve_in_module_order(make_dual):
    model = make_dual("regnetx_002")
    assert resolve(model, None) == model.norm_layer_names()
    assert resolve(model, []) == ()
    last = [name for name in model.norm_layer_names() if name.startswith("s1.")]
    assert resolve(model, ["s1", "stem.bn", "s1.b1.conv1.bn"]) == ("stem.bn", *last)


def test_a_name_that_is_both_means_the_layer():
    network = timm.create_model("densenet121", num_classes=2)
    model = DualBNModel(network, HALVES, HALVES)
    assert stages_of_layers(model)["features.transition3.norm"] == "features.norm5"
    assert resolve(model, ["features.norm5"]) == ("features.norm5",)


def test_unknown_names_come_with_near_matches(make_dual):
    model = make_dual()
    with pytest.raises(ValueError, match=r"no norm layer or stage 'layer1.0.bn'. .*layer1.0.bn1"):
        resolve(model, ["layer1.0.bn"])
    with pytest.raises(ValueError, match=r"no norm layer or stage 'xyz'. Choose from conv1.1"):
        resolve(model, ["xyz"])


def test_two_branches_are_needed(make_dual):
    with pytest.raises(ValueError, match="one branch, main, .* with `advprop calibrate`"):
        pair(make_dual(auxiliaries=0), "main", "aux")
    with pytest.raises(ValueError, match="Did you mean aux"):
        pair(make_dual(), "main", "axu")
    model = make_dual(auxiliaries=2)
    assert pair(model, "aux2", "main") == (model.branch("aux2"), model.branch("main"))
