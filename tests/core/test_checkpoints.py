import argparse
import json
import math
import pickle
import struct
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.layers import convert_splitbn_model

from advprop_core import checkpoints, header, models
from advprop_core.checkpoints import CheckpointError, export, load, save
from advprop_core.dual_bn import norm_layers
from advprop_core.predict import logits_of


class Malicious:
    """Unpickled without care, it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def saved(tmp_path, dual, make_info):
    path = tmp_path / "model.safetensors"
    save(path, dual, make_info())
    return path


def assert_same_outputs(model, other, pixels, **tolerance):
    for name in other.branch_names:
        ours, theirs = (logits_of(each.branch(name), pixels()) for each in (model, other))
        torch.testing.assert_close(ours, theirs, **tolerance)


def with_header(source, path, **changes):
    """The same tensors under a changed header; a value of None drops its key."""
    text = header.write(changes.pop("info"))
    content = {**json.loads(text), **changes}
    content = {key: value for key, value in content.items() if value is not None}
    save_file(load_file(source), path, {header.KEY: json.dumps(content)})
    return path


# -- this project's format ----------------------------------------------------------------------


def test_round_trip_is_exact(saved, dual, make_info, pixels):
    checkpoint = load(saved)
    assert checkpoint.info == make_info()
    assert_same_outputs(checkpoint.model, dual, pixels, rtol=0, atol=0)
    assert not any(part.training for part in checkpoint.model.modules())
    assert not any(parameter.requires_grad for parameter in checkpoint.model.parameters())


def test_round_trip_of_several_auxiliaries(tmp_path, make_dual, make_info, pixels):
    model = make_dual(auxiliaries=2)
    origins = {"main": "trained", "aux": "calibrated", "aux2": "copied"}
    info = make_info(
        branches=origins,
        name="x",
        arguments={"drop_rate": 0.1},
        recipe={"epochs": 3, "attack": {"epsilon": 0.1}},
        metrics=({"branch": "main", "top1": 0.5},),
    )
    save(tmp_path / "x", model, info)
    checkpoint = load(tmp_path / "x")
    assert checkpoint.info == info
    assert list(checkpoint.info.branches) == ["main", "aux", "aux2"]
    assert_same_outputs(checkpoint.model, model, pixels, rtol=0, atol=0)


def test_half_keeps_norm_tensors_in_full(tmp_path, dual, make_info, pixels):
    path = tmp_path / "half.safetensors"
    save(path, dual, make_info(), half=True)
    norms = set(norm_layers(dual.branch("main").network))
    tensors = load_file(path)
    assert len(tensors) == len(dual.state_dict())
    for key, tensor in tensors.items():
        norm = key.replace(".aux_bn.0", "").rpartition(".")[0] in norms
        expected = dual.state_dict()[key].dtype if norm else torch.float16
        assert tensor.dtype == expected, key
    model = load(path).model
    assert all(t.dtype == torch.float32 for t in model.state_dict().values() if t.ndim)
    assert_same_outputs(model, dual, pixels, rtol=2e-2, atol=2e-2)
    assert next(iter(dual.parameters())).dtype == torch.float32


def test_channels_last_models_are_saved(tmp_path, dual, make_info, pixels):
    save(tmp_path / "x", dual.to(memory_format=torch.channels_last), make_info())
    assert_same_outputs(load(tmp_path / "x").model, dual, pixels)


def test_file_has_header_and_layout(saved, dual):
    with saved.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        content = json.loads(file.read(length))
    own = json.loads(content["__metadata__"][header.KEY])
    assert own["format"] == 1
    assert own["architecture"] == "test_resnet"
    assert set(content) - {"__metadata__"} == set(dual.state_dict())
    assert "bn1.aux_bn.0.weight" in content


def test_dropping_auxiliary_keys_leaves_a_plain_timm_state_dict(saved):
    state = {key: value for key, value in load_file(saved).items() if ".aux_bn." not in key}
    timm.create_model("test_resnet", num_classes=6).load_state_dict(state, strict=True)


def test_read_info(saved, make_info):
    assert header.read_info(saved) == make_info()


@pytest.mark.parametrize("low", [b"\x80", b"PK"])
def test_a_header_length_that_looks_like_a_pickle(tmp_path, dual, make_info, low):
    """One file in 32 begins with the byte of a pickle: the length of its header."""
    path = tmp_path / "x.safetensors"
    save(path, dual, make_info())
    (length,) = struct.unpack("<Q", path.read_bytes()[:8])
    wanted = int.from_bytes(low, "little")
    padding = (wanted - length) % 256 ** len(low)
    save(path, dual, make_info(name="x" * padding))
    assert path.read_bytes()[: len(low)] == low
    assert len(load(path).info.name) == padding


def test_writing_is_whole_or_not_at_all(saved, dual, make_info, monkeypatch):
    before = saved.read_bytes()

    def fail(_tensors, target, _metadata):
        Path(target).write_bytes(b"half a file")
        raise OSError("disk full")

    monkeypatch.setattr(checkpoints, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save(saved, dual, make_info())
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


# -- other dialects -----------------------------------------------------------------------------


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


def write_safetensors(state, path):
    save_file({key: value.contiguous() for key, value in state.items()}, path)


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
    with pytest.raises(ValueError, match="branch must be one of main, aux"):
        export(load(saved), "aux2", tmp_path / "x")
    assert not (tmp_path / "x").exists()


# -- bad files ------------------------------------------------------------------------------------


def refusal(path, architecture=None):
    with pytest.raises(CheckpointError) as caught:
        load(path, architecture=architecture)
    return str(caught.value)


def test_truncated_at_any_length(saved, tmp_path):
    content = saved.read_bytes()
    path = tmp_path / "cut.safetensors"
    for length in [0, 1, 2, 7, 8, 9, 100, *range(1000, len(content), len(content) // 40)]:
        path.write_bytes(content[:length])
        assert "cut.safetensors is truncated" in refusal(path)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old pickle"])
def test_truncated_pickles(tmp_path, old):
    whole, path = tmp_path / "whole.pth", tmp_path / "cut.pth"
    state = {"state_dict": {"fc.weight": torch.rand(9, 9)}, "args": argparse.Namespace(lr=1)}
    torch.save(state, whole, _use_new_zipfile_serialization=not old)
    content = whole.read_bytes()
    for length in range(1, len(content) - 1, 13):
        path.write_bytes(content[:length])
        assert "cut.pth" in refusal(path, "resnet18")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old pickle"])
def test_pickles_with_flipped_bytes(tmp_path, old):
    path = tmp_path / "x.pth"
    torch.save({"a.weight": torch.rand(9, 9)}, path, _use_new_zipfile_serialization=not old)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        assert "x.pth" in refusal(path, "resnet18")


@pytest.mark.parametrize(
    "content",
    [b"", b"PLEASE READ ME " * 9, b"{}" * 50, b"\x89PNG\r\n\x1a\n" * 9, b"\x80\x02" * 50],
    ids=["empty", "text", "json", "image", "junk"],
)
def test_other_files(tmp_path, content):
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    assert "other.bin" in refusal(path)


def test_no_file_and_a_folder(tmp_path):
    assert "There is no file" in refusal(tmp_path / "none.safetensors")
    assert str(tmp_path) in refusal(tmp_path)


@pytest.mark.parametrize("how", ["zip", "old", "bare"])
def test_pickled_code_is_not_run(tmp_path, how):
    touched, path = tmp_path / "touched", tmp_path / "evil.pth"
    content = {"state_dict": {"fc.weight": torch.zeros(2, 2)}, "args": Malicious(touched)}
    if how == "bare":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    message = refusal(path, "resnet18")
    assert "never run" in message
    assert "\n" not in message
    assert not touched.exists()
    torch.load(path, weights_only=False) if how == "zip" else pickle.loads(pickle.dumps(content))
    assert touched.exists()  # the test would notice


def test_whole_pickled_model_is_refused_by_name(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "x.pth")
    assert "torch.nn.modules.linear.Linear" in refusal(tmp_path / "x.pth", "resnet18")


def test_namespace_is_allowed_for_the_call_only(tmp_path):
    torch.save({"args": argparse.Namespace(x=1)}, tmp_path / "x.pth")
    assert "no tensors" in refusal(tmp_path / "x.pth", "resnet18")
    assert argparse.Namespace not in torch.serialization.get_safe_globals()


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(2), {"epoch": 3}])
def test_pickles_without_a_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    assert "holds no" in refusal(tmp_path / "x.pth", "resnet18")


def test_a_tensor_blown_up_by_its_strides_allocates_nothing(tmp_path):
    torch.save({"fc.weight": torch.zeros(1).expand(10**9, 512)}, tmp_path / "x.pth")
    assert (tmp_path / "x.pth").stat().st_size < 5000
    assert "does not fit" in refusal(tmp_path / "x.pth", "resnet18")


def test_foreign_layout_needs_an_architecture(tmp_path, dual):
    path = tmp_path / "x.safetensors"
    write_safetensors(dual.branch("main").network.state_dict(), path)
    assert "--arch" in refusal(path)
    with pytest.raises(models.UnknownArchitecture, match="near matches: .*resnet18"):
        load(path, architecture="resnet19")
    with pytest.raises(models.UnknownArchitecture, match="source"):
        load(path, architecture="local-dir:/tmp")


def test_another_architecture_is_refused(saved, tmp_path, dual, make_info):
    path = tmp_path / "x.safetensors"
    write_safetensors(dual.branch("main").network.state_dict(), path)
    assert "does not fit resnet18" in refusal(path, "resnet18")
    assert "no classifier.weight" in refusal(path, "densenet121")
    with_header(saved, path, info=make_info(), architecture="resnet18")
    assert "does not fit resnet18" in refusal(path)
    with_header(saved, path, info=make_info(), architecture="resnet19")
    with pytest.raises(models.UnknownArchitecture, match="resnet18"):
        load(path)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite(tmp_path, dual, make_info, bad):
    with torch.no_grad():
        dual.branch("aux").network.bn1.running_var[2] = bad
    save(tmp_path / "x", dual, make_info())
    assert "not finite, first in bn1.aux_bn.0.running_var" in refusal(tmp_path / "x")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format 2"),
        ({"format": None}, "damaged header"),
        ({"surprise": 1}, "damaged header"),
        ({"architecture": None}, "damaged header"),
        ({"architecture": ["resnet18"]}, "damaged header"),
        ({"mean": 3}, "damaged header"),
        ({"mean": ["a", "b", "c"]}, "damaged header"),
        ({"mean": [0.5]}, "mean must hold 3"),
        ({"std": [0.5, 0.0, 0.5]}, "std must be positive"),
        ({"branches": ["main", "aux"]}, "damaged header"),
        ({"branches": {"main": "trained"}}, "1 branches, but holds 6 and 2"),
        ({"branches": {"main": "trained", "adv": "trained"}}, "branches must be"),
        ({"branches": {"main": "trained", "aux": 1}}, "trained, calibrated, copied"),
        ({"class_names": ["a"]}, "equally long"),
        ({"class_ids": list("abcdefg"), "class_names": list("abcdefg")}, "7 classes"),
        ({"arguments": {"pretrained": True}}, "arguments may hold"),
        ({"arguments": {"checkpoint_path": "/tmp/evil.pth"}}, "arguments may hold"),
        ({"arguments": {"act_layer": "no such"}}, "cannot be built"),
        ({"arguments": {"norm_layer": "layernorm2d"}}, "no BatchNorm|does not fit"),
        ({"arguments": 3}, "damaged header"),
    ],
)
def test_damaged_and_malicious_headers(saved, tmp_path, make_info, changes, words, monkeypatch):
    real = timm.create_model

    def create_model(name, **arguments):
        assert not {"pretrained", "checkpoint_path"} & set(arguments)
        return real(name, **arguments)

    monkeypatch.setattr(timm, "create_model", create_model)
    path = with_header(saved, tmp_path / "bad.safetensors", info=make_info(), **changes)
    message = refusal(path)
    assert "bad.safetensors" in message
    assert any(word in message for word in words.split("|")), message


@pytest.mark.parametrize("text", ["", "{", "3", '"x"', "[1]", "null", "[" * 100_000])
def test_header_that_is_no_object(saved, tmp_path, text):
    save_file(load_file(saved), tmp_path / "bad.safetensors", {header.KEY: text})
    assert "bad.safetensors" in refusal(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("architecture", ["hf-hub:someone/evil", "local-dir:/tmp/evil"])
def test_header_cannot_make_timm_fetch(saved, tmp_path, make_info, architecture, monkeypatch):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("timm was called"))
    path = with_header(saved, tmp_path / "x", info=make_info(), architecture=architecture)
    with pytest.raises(models.UnknownArchitecture, match="source of weights"):
        load(path)


def test_huge_class_and_branch_counts_build_nothing(saved, tmp_path, make_info, monkeypatch):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("timm was called"))
    names = [str(i) for i in range(200_000)]
    path = tmp_path / "x"
    with_header(saved, path, info=make_info(), class_ids=names, class_names=names)
    assert "200000 classes" in refusal(path)
    many = {"main": "trained", "aux": "copied"} | {f"aux{i}": "copied" for i in range(2, 5000)}
    with_header(saved, path, info=make_info(), branches=many)
    assert "5000 branches" in refusal(path)
    save_file({"fc.weight": torch.zeros(10**9, 0)}, path)
    assert "does not fit" in refusal(path, "resnet18")
    monkeypatch.undo()
    state = load_file(saved)
    save_file({**state, "bn1.aux_bn.999999999999.weight": torch.zeros(1)}, path)
    assert "does not fit" in refusal(path, "test_resnet")
    save_file({**state, "bn1.aux_bn.900.weight": torch.zeros(1)}, path)
    assert "does not fit" in refusal(path, "test_resnet")


def test_a_trained_branch_may_not_be_missing(saved, tmp_path, make_info):
    state = load_file(saved)
    del state["bn1.aux_bn.0.weight"]
    save_file(state, tmp_path / "x", {header.KEY: header.write(make_info())})
    assert "bn1.aux_bn.0.weight" in refusal(tmp_path / "x")
