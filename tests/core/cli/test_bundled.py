"""What comes with the project: `advprop app`, `advprop models` and `advprop export`."""

import json
import os
import sys

import pytest
import timm
import torch
from safetensors.torch import load_file

from advprop_core.models import checkpoints, timm_networks
from advprop_core.types import ModelInfo

# --- export ----------------------------------------------------------------------------------


def test_export_loads_strictly_into_timm(advprop, model, tmp_path) -> None:
    file = tmp_path / "plain.safetensors"
    words = ("export", "--model", model, "--branch", "aux", "--out", file)
    answer = advprop(*words)
    advprop(*words).refuses("is there already: give another --out")
    network = timm.create_model("test_resnet", num_classes=6)
    network.load_state_dict(load_file(file), strict=True)
    branch = checkpoints.load(model).model.branch("aux")
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.eval()(branch.normalize(pixels)), branch(pixels))
    assert "mean (0.5, 0.5, 0.5)" in answer.out


def test_export_says_what_the_network_was_built_with(advprop, tmp_path) -> None:
    names, halves, file = ("a", "b"), (0.5, 0.5, 0.5), tmp_path / "own.safetensors"
    info = ModelInfo("test_resnet", names, names, 32, halves, halves, {"main": "trained"},
                     arguments={"global_pool": "max"})  # fmt: skip
    checkpoints.save(file, timm_networks.create(info).freeze(), info)
    words = ("export", "--model", file, "--branch", "main", "--out")
    answer = advprop(*words, tmp_path / "plain.safetensors")
    assert "timm.create_model('test_resnet', num_classes=2, global_pool='max')" in answer.out
    assert "must be a .safetensors or .pth file" in advprop(*words, tmp_path / "plain.onnx").err


# --- models and app --------------------------------------------------------------------------


def test_models_lists_cards(advprop, bundled) -> None:
    answer = advprop("models")
    for text in (
        "toy-advprop",
        "shapes",
        "test_resnet",
        "70.1%",
        "40.2%",
        "PGD-10, L∞ ε = 2/255",
    ):
        assert text in answer.out
    lines = answer.out.splitlines()
    assert ["main" in line for line in lines[1:3]] == [True, False]  # main first
    assert "not measured" in lines[1]
    (card,) = json.loads(advprop("models", "--json", "-").out)["models"]
    assert card["recipe"]["seed"] == 3
    assert list(card["branches"]) == ["main", "aux"]
    assert card["metrics"][0]["top1"] == 0.701


def test_bundled_name_works_everywhere(advprop, bundled, photo) -> None:
    assert advprop("predict", photo, "--model", "toy-advprop").code == 0


@pytest.fixture
def started(monkeypatch) -> list[tuple[list[str], dict[str, str], str]]:
    calls: list[tuple[list[str], dict[str, str], str]] = []
    place = ["?"]
    monkeypatch.setattr(os, "chdir", lambda folder: place.append(str(folder)))
    monkeypatch.setattr(os, "execve", lambda _, words, env: calls.append((words, env, place[-1])))
    for name in ("CI", "DISPLAY", "WAYLAND_DISPLAY", "ADVPROP_MODELS", "ADVPROP_IMAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return calls


def test_app_starts_streamlit_for_this_machine_only(advprop, bundled, started) -> None:
    assert advprop("app").code == 0
    ((words, environment, place),) = started
    assert words[1:5] == ["-m", "streamlit", "run", str(bundled / "streamlit_app.py")]
    options = " ".join(words[5:])
    assert "--server.address 127.0.0.1" in options
    assert "--browser.gatherUsageStats false" in options
    assert "--server.headless true" in options
    assert "--server.port" not in options
    assert place == str(bundled)
    assert "ADVPROP_MODELS" not in environment


def test_app_hands_over_models_and_photos(
    advprop, bundled, started, model, photo, monkeypatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    words = ("app", "--model", model, "--images", photo.parent, "--port", 8600, "--public")
    answer = advprop(*words)
    ((command, environment, _),) = started
    assert json.loads(environment["ADVPROP_MODELS"]) == [str(model.resolve())]
    assert environment["ADVPROP_IMAGES"] == str(photo.parent.resolve())
    options = " ".join(command[5:])
    assert "--server.address 0.0.0.0" in options
    assert "--server.port 8600" in options
    assert "headless" not in options
    assert "Anyone who can reach this machine" in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "{bad}/none.safetensors"), "no file"),
        (("--model", "{bad}/cut.safetensors"), "truncated"),
        (("--model", "{bad}/text.safetensors"), "not a safetensors checkpoint"),
        (("--model", "{bad}/code.pth"), "not a safetensors checkpoint"),
        (("--model", "{bad}/foreign.safetensors"), "header"),
        (("--images", "{bad}/none"), "no folder"),
        (("--images", "{bad}/empty"), "holds no image"),
        (("--port", "0"), "--port"),
    ],
)
def test_app_refuses_before_the_start(words, message, advprop, bundled, started, bad_files) -> None:
    answer = advprop("app", *(word.format(bad=bad_files) for word in words))
    assert answer.code == 2
    assert message in answer.err
    assert not started
