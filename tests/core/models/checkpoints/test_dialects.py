"""Files that timm and others write, and those written for them."""

import argparse

import pytest
import timm
import torch
from safetensors.torch import load_file
from timm.layers import convert_splitbn_model

from advprop_core.models.checkpoints import export, load
from advprop_core.predict import logits_of
from tests.core.models.checkpoints.files import write_safetensors


def split_state(dual):
    """What timm's own split model, holding the same values, saves."""
    network = timm.create_model("resnet18", num_classes=6)
    split = convert_splitbn_model(network, num_splits=2)
    split.load_state_dict(dual.state_dict(), strict=True)
    return split.state_dict()


def prefixed(state, prefix):
    return {prefix + key: value for key, value in state.items()}


@pytest.fixture
def split_dual(make_dual):
    return make_dual("resnet18")


def test_timm_split_bn_training_checkpoint(tmp_path, split_dual, pixels):
    content = {
        "epoch": 3,
        "arch": "resnet18",
        "state_dict": split_state(split_dual),
        "optimizer": {"state": {}, "param_groups": []},
        "args": argparse.Namespace(model="resnet18", lr=0.1, split_bn=True),
        "version": 2,
        "metric": 12.5,
    }
    path = tmp_path / "model_best.pth.tar"
    torch.save(content, path)
    checkpoint = load(path, architecture="resnet18")
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "trained"}
    assert checkpoint.info.num_classes == 6
    assert_same_outputs_at_imagenet(checkpoint, split_dual, pixels)


def assert_same_outputs_at_imagenet(checkpoint, model, pixels):
    """An import assumes timm's mean and std for the architecture; the test models have 0.5."""
    assert checkpoint.info.mean == (0.485, 0.456, 0.406)
    for name in checkpoint.model.branch_names:
        branch = checkpoint.model.branch(name)
        source = model.branch(name if name in model.branch_names else "main").network
        normalised = branch.normalize(pixels())
        assert torch.equal(logits_of(branch, pixels()), logits_of(source, normalised))


def test_mix_batchnorm_without_an_index(tmp_path, split_dual, pixels):
    state = {
        key.replace(".aux_bn.0.", ".aux_bn."): value
        for key, value in split_state(split_dual).items()
    }
    assert "bn1.aux_bn.weight" in state
    path = tmp_path / "fast_advprop.pth"
    torch.save({"state_dict": prefixed(state, "module.")}, path)
    checkpoint = load(path, architecture="resnet18")
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "trained"}
    assert_same_outputs_at_imagenet(checkpoint, split_dual, pixels)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old pickle"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module.", "model."])
def test_plain_state_dict(tmp_path, split_dual, pixels, prefix, old):
    state = prefixed(split_dual.branch("main").network.state_dict(), prefix)
    path = tmp_path / "plain.pth"
    torch.save(state, path, _use_new_zipfile_serialization=not old)
    checkpoint = load(path, architecture="resnet18")
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "copied"}
    for name in ("main", "aux"):
        branch = checkpoint.model.branch(name)
        expected = logits_of(split_dual.branch("main").network, branch.normalize(pixels()))
        assert torch.equal(logits_of(branch, pixels()), expected)


def test_plain_safetensors(tmp_path, split_dual):
    path = tmp_path / "plain.safetensors"
    write_safetensors(split_dual.branch("main").network.state_dict(), path)
    checkpoint = load(path, architecture="resnet18")
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "copied"}
    assert checkpoint.info.name == "plain"


def test_averaged_weights_are_preferred(tmp_path, split_dual):
    state = split_dual.branch("main").network.state_dict()
    averaged = {key: value + 1 for key, value in state.items()}
    path = tmp_path / "ema.pth"
    torch.save({"state_dict": state, "state_dict_ema": averaged}, path)
    loaded = load(path, architecture="resnet18").model.state_dict()
    assert torch.equal(loaded["fc.bias"], state["fc.bias"] + 1)


def test_statistics_counters_may_be_missing(tmp_path, split_dual):
    state = split_dual.branch("main").network.state_dict()
    torch.save({k: v for k, v in state.items() if "num_batches" not in k}, tmp_path / "x.pth")
    assert load(tmp_path / "x.pth", architecture="resnet18").model.branch_names == ("main", "aux")


@pytest.mark.parametrize("branch", ["main", "aux"])
def test_export_loads_strictly_into_timm_and_gives_the_same(saved, pixels, tmp_path, branch):
    checkpoint = load(saved)
    path = tmp_path / "exported.safetensors"
    export(checkpoint, branch, path)
    network = timm.create_model("test_resnet", num_classes=6).eval()
    network.load_state_dict(load_file(path), strict=True)
    ours = checkpoint.model.branch(branch)
    expected = logits_of(ours, pixels())
    assert torch.equal(logits_of(network, ours.normalize(pixels())), expected)
    again = load(path, architecture="test_resnet")
    assert torch.equal(again.model.state_dict()["fc.bias"], ours.network.state_dict()["fc.bias"])


def test_export_of_an_unknown_branch(saved, tmp_path):
    with pytest.raises(ValueError, match="network has no branch"):
        export(load(saved), "aux2", tmp_path / "x")
    assert not (tmp_path / "x").exists()
