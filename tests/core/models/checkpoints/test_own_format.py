"""What this project writes it reads back, whole and exactly."""

import json
import struct

import pytest
import timm
import torch
from safetensors.torch import load_file

from advprop_core.files import CannotWrite
from advprop_core.models import header
from advprop_core.models.checkpoints import load, save
from advprop_core.models.dual_bn import norm_layers
from advprop_core.predict import logits_of


def assert_same_outputs(model, other, pixels, **tolerance):
    for name in other.branch_names:
        ours, theirs = (logits_of(each.branch(name), pixels()) for each in (model, other))
        torch.testing.assert_close(ours, theirs, **tolerance)


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


def test_a_full_disk_leaves_the_file_before(saved, dual, make_info, fill_disk):
    before = saved.read_bytes()
    fill_disk()
    with pytest.raises(CannotWrite, match=r"\(No space left on device\): free at least \d MB in"):
        save(saved, dual, make_info())
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
