"""Names of branches, what a model is made from, and that branches part in every family."""

import pytest
import timm
import torch
from timm.layers import convert_sync_batchnorm
from timm.layers.norm_act import SyncBatchNormAct
from torch import nn

from advprop_core.models.dual_bn import DualBNModel, auxiliary_name, norm_layers
from advprop_core.models.folding import fold
from advprop_core.predict import logits_of
from tests.core.models.dual_bn.sharing import HALVES, assert_shared

FAMILIES = {  # architecture: (norm layers, of them foldable)
    "resnet18": (20, 20),
    "resnext26ts": (31, 31),  # fused BatchNorm and activation
    "densenet121": (121, 59),
    "efficientnet_b0": (49, 49),
    "mobilenetv2_035": (52, 52),
    "mobilenetv3_small_050": (34, 34),
    "regnetx_002": (44, 44),
}
NASNET = "nasnetalarge"  # the only one timm has, made small below


def build(architecture):
    torch.manual_seed(0)
    if architecture == NASNET:
        from timm.models.nasnet import NASNetALarge

        return NASNetALarge(num_classes=5, stem_size=8, num_features=192, channel_multiplier=2)
    return timm.create_model(architecture, num_classes=5)


def test_auxiliary_names():
    assert [auxiliary_name(index) for index in range(3)] == ["aux", "aux2", "aux3"]


def test_unknown_branch_is_named_with_a_near_match(dual):
    with pytest.raises(ValueError, match=r"no branch 'aus'. Did you mean aux\?"):
        dual.branch("aus")
    with pytest.raises(ValueError, match="network has no branch"):
        dual({"clean": torch.rand(1, 3, 32, 32)})


def test_network_without_batchnorm_is_refused():
    with pytest.raises(ValueError, match="Sequential has no BatchNorm"):
        DualBNModel(nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4)), HALVES, HALVES)
    assert DualBNModel(nn.Linear(1, 1), HALVES, HALVES, auxiliaries=0).branch_names == ("main",)


def test_arguments_are_validated(make_tiny):
    with pytest.raises(ValueError, match="auxiliaries must be at least 0, got -1"):
        DualBNModel(make_tiny(), HALVES, HALVES, auxiliaries=-1)
    with pytest.raises(ValueError, match="std must be positive"):
        DualBNModel(make_tiny(), HALVES, (0.5, 0.0, 0.5))


def test_mean_and_std_are_applied():
    model = DualBNModel(nn.Identity(), (0.1, 0.2, 0.3), (0.5, 0.25, 1.0), auxiliaries=0)
    out = model.branch("main")(torch.full((1, 3, 1, 1), 0.6))
    assert out.flatten().tolist() == pytest.approx([1.0, 1.6, 0.3])


@pytest.mark.parametrize("architecture", [*FAMILIES, NASNET])
def test_twins_fold_and_part_in_every_family(architecture, randomise, pixels):
    """Equal at the start, apart when only aux changes, and equal to what folding makes of them."""
    model = DualBNModel(build(architecture), HALVES, HALVES).freeze()
    image = pixels(2, 96 if architecture == NASNET else 64)
    main, aux = model.branch("main"), model.branch("aux")
    before = logits_of(main, image)
    assert torch.equal(before, logits_of(aux, image))
    randomise(aux)
    assert torch.equal(before, logits_of(main, image))
    after = logits_of(aux, image)
    assert not torch.allclose(before, after, rtol=1e-3, atol=1e-5)

    state = {key: value.clone() for key, value in model.state_dict().items()}
    folded = fold(aux, image[:1])
    torch.testing.assert_close(logits_of(folded, image), after, rtol=1e-4, atol=1e-4)
    if architecture in FAMILIES:
        total, foldable = FAMILIES[architecture]
        assert len(norm_layers(aux)) == total
        assert len(norm_layers(folded)) == total - foldable
    assert not any(p.requires_grad for p in folded.parameters())
    assert not any(part.training for part in folded.modules())
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert torch.equal(logits_of(aux, image), after)


def test_sync_batchnorm_keeps_the_activation_of_fused_layers(make_dual):
    model = make_dual("regnetx_002")
    converted = convert_sync_batchnorm(model)
    for name in model.branch_names:
        layers = norm_layers(converted.branch(name))
        assert len(layers) == 44
        assert all(isinstance(layer, SyncBatchNormAct) for layer in layers.values())
        assert any(isinstance(layer.act, nn.ReLU) for layer in layers.values())
    assert_shared(converted)
