"""Branches share all but their norm layers' tensors, whatever the model is put through."""

import copy
import io

import pytest
import timm
import torch
from timm.layers import convert_sync_batchnorm

from advprop_core.models.dual_bn import DualBNModel, norm_layers
from tests.core.models.dual_bn.sharing import HALVES, assert_shared


@pytest.mark.parametrize("auxiliaries", [1, 3])
def test_construction_shares_all_but_norm_tensors(make_dual, auxiliaries):
    model = make_dual(auxiliaries=auxiliaries)
    assert model.branch_names == ("main", "aux", "aux2", "aux3")[: auxiliaries + 1]
    assert_shared(model)


def pickled(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def reloaded(model):
    model.load_state_dict({key: value + 1 for key, value in model.state_dict().items()})
    return model


@pytest.mark.parametrize(
    "change",
    [
        copy.deepcopy,
        pickled,
        reloaded,
        lambda model: model.double(),
        lambda model: model.half(),
        lambda model: model.to(torch.bfloat16),
        lambda model: model.to(memory_format=torch.channels_last),
        lambda model: model.to("meta"),
        lambda model: model.to("meta").to_empty(device="cpu"),
        lambda model: model.freeze(),
        lambda model: model.train(),
        lambda model: model.share_memory(),
        lambda model: convert_sync_batchnorm(model),
    ],
    ids=[
        "deepcopy",
        "pickle",
        "load_state_dict",
        "double",
        "half",
        "bfloat16",
        "channels_last",
        "meta",
        "to_empty",
        "freeze",
        "train",
        "share_memory",
        "sync",
    ],
)
@pytest.mark.parametrize("architecture", ["test_resnet", "regnetx_002"])
def test_sharing_survives(make_dual, change, architecture):
    model = make_dual(architecture, auxiliaries=2)
    keys = list(model.state_dict())
    changed = change(model)
    assert_shared(changed)
    assert list(changed.state_dict()) == keys


def test_gradients_survive_a_conversion_shared(make_dual, pixels):
    model = make_dual().requires_grad_(True)
    sum(out.sum() for out in model({"main": pixels(), "aux": pixels()}).values()).backward()
    before = model.branch("main").network.get_classifier().weight.grad.clone()
    model.double()
    grads = [model.branch(n).network.get_classifier().weight.grad for n in model.branch_names]
    assert grads[0] is grads[1]
    torch.testing.assert_close(grads[0], before.double())


def test_assign_is_refused(dual):
    with pytest.raises(ValueError, match="assign=True"):
        dual.load_state_dict(dual.state_dict(), assign=True)
    assert_shared(dual)


def test_optimizer_sees_each_parameter_once(dual):
    main = sum(p.numel() for p in dual.branch("main").parameters())
    norm = sum(
        p.numel()
        for layer in norm_layers(dual.branch("main")).values()
        for p in layer.parameters(recurse=False)
    )
    assert sum(p.numel() for p in dual.parameters()) == main + norm


@pytest.mark.parametrize(("architecture", "share"), [("resnet18", 0.0009), ("regnetx_002", 0.02)])
def test_overhead_is_small(architecture, share):
    network = timm.create_model(architecture)
    alone = sum(p.numel() for p in network.parameters())
    both = sum(p.numel() for p in DualBNModel(network, HALVES, HALVES).parameters())
    assert 0 < both / alone - 1 < share
