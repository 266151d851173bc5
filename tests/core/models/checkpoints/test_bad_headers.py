"""Headers that lie, or ask for what a file may not: refused before anything is built."""

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from advprop_core.models import header, timm_networks
from advprop_core.models.checkpoints import load
from advprop_core.models.settings import ModelSettings
from tests.core.models.checkpoints.files import refusal, with_header


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
        ({"mean": [0.5]}, r"mean[1] is missing"),
        ({"std": [0.5, 0.0, 0.5]}, "std must be positive"),
        ({"branches": ["main", "aux"]}, "damaged header"),
        ({"branches": {"main": "trained"}}, "1 branches, but holds 6 and 2"),
        ({"branches": {"main": "trained", "adv": "trained"}}, "branches must be"),
        (
            {"branches": {"main": "trained", "aux": 1}},
            "'calibrated' or 'copied'",
        ),
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
    with pytest.raises(timm_networks.UnknownArchitecture, match="source of weights"):
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
    monkeypatch.undo()
    save_file({"fc.weight": torch.zeros(10**9, 0)}, path)
    assert "does not fit" in refusal(path, "resnet18")
    state = load_file(saved)
    save_file({**state, "bn1.aux_bn.999999999999.weight": torch.zeros(1)}, path)
    assert "bn1.aux_bn.999999999999.weight" in load(path, ModelSettings("test_resnet")).notes[-1]
    save_file({**state, "bn1.aux_bn.900.weight": torch.zeros(1)}, path)
    assert "does not fit" in refusal(path, "test_resnet")


def test_a_trained_branch_may_not_be_missing(saved, tmp_path, make_info):
    state = load_file(saved)
    del state["bn1.aux_bn.0.weight"]
    save_file(state, tmp_path / "x", {header.KEY: header.write(make_info())})
    assert "bn1.aux_bn.0.weight" in refusal(tmp_path / "x")
