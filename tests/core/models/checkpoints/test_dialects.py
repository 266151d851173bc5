"""Files that timm and others write, and those written for them."""

import argparse
import json

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file
from timm.layers import convert_splitbn_model

from advprop_core.errors import InputError
from advprop_core.models.checkpoints import export, load, save
from advprop_core.models.settings import ModelSettings
from advprop_core.predict import logits_of
from tests.core.models.checkpoints.files import refusal, write_safetensors


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
        "arch": "resnet",  # the name of the class, where the script is given no options
        "state_dict": split_state(split_dual),
        "optimizer": {"state": {}, "param_groups": []},
        "args": argparse.Namespace(model="resnet18", lr=0.1, split_bn=True),
        "version": 2,
        "metric": 12.5,
    }
    path = tmp_path / "model_best.pth.tar"
    torch.save(content, path)
    checkpoint = load(path)
    assert checkpoint.info.architecture == "resnet18"
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "trained"}
    assert checkpoint.info.num_classes == 6
    assert_same_outputs_at_imagenet(checkpoint, split_dual, pixels)


def test_an_auxiliary_branch_that_is_main_is_said_to_be_a_copy(tmp_path, split_dual):
    """As when split BatchNorm was switched on and never trained."""
    state = split_state(split_dual)
    same = {
        key: state[key.replace(".aux_bn.0.", ".")] if ".aux_bn.0." in key else value
        for key, value in state.items()
    }
    torch.save({"arch": "resnet18", "state_dict": same}, tmp_path / "untrained.pth")
    checkpoint = load(tmp_path / "untrained.pth")
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "copied"}


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
    checkpoint = load(path, ModelSettings("resnet18"))
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "trained"}
    assert_same_outputs_at_imagenet(checkpoint, split_dual, pixels)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old pickle"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module.", "model."])
def test_plain_state_dict(tmp_path, split_dual, pixels, prefix, old):
    state = prefixed(split_dual.branch("main").network.state_dict(), prefix)
    path = tmp_path / "plain.pth"
    torch.save(state, path, _use_new_zipfile_serialization=not old)
    checkpoint = load(path, ModelSettings("resnet18"))
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "copied"}
    for name in ("main", "aux"):
        branch = checkpoint.model.branch(name)
        expected = logits_of(split_dual.branch("main").network, branch.normalize(pixels()))
        assert torch.equal(logits_of(branch, pixels()), expected)


def test_plain_safetensors(tmp_path, split_dual):
    path = tmp_path / "plain.safetensors"
    write_safetensors(split_dual.branch("main").network.state_dict(), path)
    checkpoint = load(path, ModelSettings("resnet18"))
    assert dict(checkpoint.info.branches) == {"main": "trained", "aux": "copied"}
    assert checkpoint.info.name == "plain"


def test_averaged_weights_are_preferred(tmp_path, split_dual):
    state = split_dual.branch("main").network.state_dict()
    averaged = {key: value + 1 for key, value in state.items()}
    path = tmp_path / "ema.pth"
    torch.save({"state_dict": state, "state_dict_ema": averaged}, path)
    loaded = load(path, ModelSettings("resnet18")).model.state_dict()
    assert torch.equal(loaded["fc.bias"], state["fc.bias"] + 1)


def test_statistics_counters_may_be_missing(tmp_path, split_dual):
    state = split_dual.branch("main").network.state_dict()
    torch.save({k: v for k, v in state.items() if "num_batches" not in k}, tmp_path / "x.pth")
    assert load(tmp_path / "x.pth", ModelSettings("resnet18")).model.branch_names == ("main", "aux")


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


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_an_exported_branch_comes_back_as_it_was(saved, pixels, tmp_path, ending):
    checkpoint, path = load(saved), tmp_path / f"exported{ending}"
    export(checkpoint, "aux", path)
    again = load(path)
    assert again.notes == ()
    assert dict(again.info.branches) == {"main": "trained"}
    for field in ("input_size", "mean", "std", "class_ids", "class_names", "architecture"):
        assert getattr(again.info, field) == getattr(checkpoint.info, field)
    answers = [
        logits_of(m, pixels()) for m in (again.model.branch("main"), checkpoint.model.branch("aux"))
    ]
    assert torch.equal(*answers)
    with pytest.raises(InputError, match="says its size itself"):
        load(path, ModelSettings(size=64))


def test_a_description_of_another_file_is_noticed(saved, dual, tmp_path):
    path = tmp_path / "exported.pth"
    export(load(saved), "aux", path)
    torch.save(dual.branch("main").network.state_dict(), path)
    assert "exported.pth.json does not describe this exported.pth" in refusal(path)
    side = tmp_path / "exported.pth.json"
    description = json.loads(side.read_text())
    del description["sha256"]  # as older versions wrote it
    side.write_text(json.dumps(description))
    assert load(path).info.input_size == description["input_size"]


def test_an_exported_branch_has_metrics_of_itself_alone(tmp_path, dual, make_info):
    def metric(branch, attack_branch):
        condition = {"kind": "attack", "attack_branch": attack_branch}
        return {"branch": branch, "condition": condition, "top1": 0.5}

    pairs = [("main", None), ("aux", None), ("aux", "aux"), ("aux", "main"), ("main", "aux")]
    metrics = tuple(metric(*pair) for pair in pairs)
    save(tmp_path / "x", dual, make_info(metrics=metrics))
    export(load(tmp_path / "x"), "aux", tmp_path / "y.pth")
    exported = load(tmp_path / "y.pth").info.metrics
    assert exported == (metric("main", None), metric("main", "main"))


def test_export_of_an_unknown_branch(saved, tmp_path):
    with pytest.raises(ValueError, match="network has no branch"):
        export(load(saved), "aux2", tmp_path / "x.pth")
    assert not [*tmp_path.glob("x.pth*")]


# -- what is around the weights --------------------------------------------------------------------

MEAN, STD = torch.full((3,), 0.25), torch.full((3,), 0.125)


def containers(state):
    """The same weights as other people's scripts keep them."""
    averaged = {"n_averaged": torch.tensor(5), **prefixed(state, "module.")}
    normalised = {"0.mean": MEAN, "0.std": STD, **prefixed(state, "1.")}
    twice = {
        **prefixed(state, "module.model."),
        **prefixed(state, "module.attacker.model."),
        "module.normalizer.new_mean": MEAN.view(3, 1, 1),
        "module.normalizer.new_std": STD.view(3, 1, 1),
    }
    return {
        "averaged model beside the other": {"model": state, "model_ema": averaged, "epoch": 3},
        "under another name": {"model_state_dict": state, "optimizer_state_dict": {}, "loss": 0.3},
        "in a list": [prefixed(state, "module."), {"lr": 0.1}],
        "in a pair in a mapping": {"ensemble": (state, {"epoch": 3})},
        "deep inside": {"run": {"best": {"net": prefixed(state, "backbone.")}}, "lr": 0.1},
        "a normalising layer": normalised,
        "an attacker's copy": {"model": twice, "epoch": 3},
        "operation counters": {
            **state,
            "total_ops": torch.zeros(1),
            "total_params": torch.zeros(1),
        },
        "numpy scalars": {"epoch": np.int64(3), "best": np.float64(76.3), "state_dict": state},
        "a trainer": {"state_dict": prefixed(state, "net."), "hyper_parameters": {"lr": 0.1}},
    }


@pytest.mark.parametrize("kind", containers({}))
def test_weights_are_found_wherever_they_are(kind, tmp_path, make_dual, pixels):
    network = make_dual("test_resnet").branch("main").network
    torch.save(containers(network.state_dict())[kind], tmp_path / "x.pth")
    checkpoint = load(tmp_path / "x.pth", ModelSettings("test_resnet"))
    normalised = kind in ("a normalising layer", "an attacker's copy")
    mean, std = (0.25, 0.125) if normalised else (checkpoint.info.mean[0], checkpoint.info.std[0])
    assert checkpoint.info.mean[0] == mean
    expected = logits_of(network, pixels(3, 160))
    pixel_input = pixels(3, 160) * torch.tensor(checkpoint.info.std).view(3, 1, 1)
    pixel_input += torch.tensor(checkpoint.info.mean).view(3, 1, 1)
    assert checkpoint.info.std[0] == std
    torch.testing.assert_close(
        logits_of(checkpoint.model.branch("main"), pixel_input), expected, rtol=1e-4, atol=1e-5
    )


def test_what_was_ignored_and_guessed_is_said(tmp_path, make_dual):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    file = {"model": state, "ema": state, "epoch": 3}
    torch.save(file, tmp_path / "x.pth")
    guessed, averaged, ignored = load(tmp_path / "x.pth", ModelSettings("test_resnet")).notes
    assert "size 160 (--size)" in guessed
    assert "classes class 0 to class 5 (--classes)" in guessed
    assert "averaged (EMA) weights" in averaged
    assert "from 'ema.'" in averaged
    assert ignored == "Ignored in x.pth: model, epoch."
    names = tuple("abcdef")
    said = ModelSettings("test_resnet", 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), names)
    checkpoint = load(tmp_path / "x.pth", said)
    assert checkpoint.info.class_names == names
    assert checkpoint.info.input_size == 32
    assert not any("Guessed" in note for note in checkpoint.notes)


def test_what_timms_script_says_is_read(tmp_path, make_dual):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    options = argparse.Namespace(model="test_resnet", img_size=64, mean=[0.5] * 3, std=[0.25] * 3)
    torch.save({"arch": "test_resnet", "state_dict": state, "args": options}, tmp_path / "x.pth")
    info = load(tmp_path / "x.pth").info
    assert (info.architecture, info.input_size) == ("test_resnet", 64)
    assert (info.mean, info.std) == ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def test_names_that_are_wnids_become_readable(tmp_path, make_dual):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    wnids = ("n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916")
    torch.save(state, tmp_path / "x.pth")
    info = load(tmp_path / "x.pth", ModelSettings("test_resnet", classes=wnids)).info
    assert (info.class_ids, info.class_names[0]) == (wnids, "tench")
    mixed = (*wnids[:5], "a parachute")
    info = load(tmp_path / "x.pth", ModelSettings("test_resnet", classes=mixed)).info
    assert info.class_names == mixed


def test_what_was_read_is_not_said_to_be_ignored(tmp_path, make_dual):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    levels = {"mean": [127.5] * 3, "std": [63.75] * 3}  # from 0 to 255
    sizes = {"train_crop_size": 96, "val_crop_size": 128}
    options = argparse.Namespace(model="test_resnet", pretrained_cfg=levels, **sizes)
    file = {"model": state, "args": options, "epoch": 3}
    torch.save({**file, "classes": list("abcdef")}, tmp_path / "x.pth")
    checkpoint = load(tmp_path / "x.pth")
    assert checkpoint.info.input_size == 128
    assert (checkpoint.info.mean, checkpoint.info.std) == ((0.5,) * 3, (0.25,) * 3)
    assert checkpoint.notes == ("Ignored in x.pth: epoch.",)


@pytest.mark.parametrize(
    "description",
    [
        {"class_to_idx": {name: 5 - index for index, name in enumerate("fedcba")}},
        {"class_names": tuple("abcdef")},
        {"config": {"id2label": dict(enumerate("abcdef"))}},
        {"id2label": {str(index): name for index, name in enumerate("abcdef")}},
        {"classes": ["of another layer"], "class_names": list("abcdef")},
    ],
    ids=["class_to_idx", "class_names", "id2label", "id2label of JSON", "other classes"],
)
def test_class_names_are_read(tmp_path, make_dual, description):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    torch.save({"model": state, "arch": "test_resnet", **description}, tmp_path / "x.pth")
    assert load(tmp_path / "x.pth").info.class_names == tuple("abcdef")


@pytest.mark.parametrize(
    "class_to_idx", [{"a": 0, "b": 1}, dict.fromkeys("abcdef", 0), {c: c for c in "abcdef"}]
)
def test_class_names_that_do_not_fit_are_ignored(tmp_path, make_dual, class_to_idx):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    file = {"model": state, "arch": "test_resnet", "class_to_idx": class_to_idx}
    torch.save(file, tmp_path / "x.pth")
    checkpoint = load(tmp_path / "x.pth")
    assert checkpoint.info.class_names[0] == "class 0"
    assert checkpoint.notes[-1] == "Ignored in x.pth: class_to_idx."


def test_a_file_that_nearly_fits_says_what_it_lacks(tmp_path, make_dual):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    for missing, message in (
        ("fc.", "it has no fc.weight, fc.bias"),
        ("layer1.", "it has no layer1.0"),
    ):
        kept = {key: value for key, value in state.items() if not key.startswith(missing)}
        torch.save({"net": kept}, tmp_path / "x.pth")
        assert message in refusal(tmp_path / "x.pth", "test_resnet")


def test_a_normalising_layer_that_counts_in_levels(tmp_path, make_dual):
    state = make_dual("test_resnet").branch("main").network.state_dict()
    levels = {"0.mean": torch.tensor([127.5] * 3), "0.std": torch.tensor([63.75] * 3)}
    torch.save({**levels, **prefixed(state, "1.")}, tmp_path / "x.pth")
    info = load(tmp_path / "x.pth", ModelSettings("test_resnet")).info
    assert (info.mean, info.std) == ((0.5,) * 3, (0.25,) * 3)
