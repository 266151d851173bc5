"""Bad photos, models and options end with one sentence; a defect of ours keeps its traceback."""

import importlib

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from advprop_core.cli import main


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("text.jpg", "text.jpg: This file is not an image"),
        ("zero.jpg", "zero.jpg: The file is empty"),
        ("none.jpg", "none.jpg does not exist"),
        ("empty", "is a folder"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "compare"])
def test_bad_photo(file, message, command, advprop, model, bad_files, tmp_path) -> None:
    words = () if command == "predict" else ("--out", tmp_path)
    advprop(command, bad_files / file, "--model", model, *words).refuses(message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{bad}/none.safetensors", "no file"),
        ("{bad}/cut.safetensors", "truncated"),
        ("{bad}/text.safetensors", "not a checkpoint"),
        ("{bad}/code.pth", "pickled code"),
        ("{bad}/code.pkl", "pickle"),
        ("{bad}/foreign.safetensors", "--arch"),
        ("resnet81", "no bundled model"),
    ],
)
def test_bad_model(name, message, advprop, photo, bad_files) -> None:
    advprop("predict", photo, "--model", name.format(bad=bad_files)).refuses(message)


def test_file_of_another_architecture(advprop, model, photo, tmp_path) -> None:
    file = tmp_path / "plain.safetensors"
    save_file({"conv1.weight": torch.zeros(3)}, file)
    answer = advprop("predict", photo, "--model", file, "--arch", "resnet10t")
    answer.refuses("does not fit resnet10t")
    answer = advprop("predict", photo, "--model", model, "--arch", "resnet10t")
    answer.refuses("says its architecture itself")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--epsilon", "four"), "--epsilon must be a fraction such as 4/255"),
        (("--epsilon=-1/255",), "epsilon must be at least 0"),
        (("--epsilon", "4"), "did you mean 4/255?"),
        (("--epsilon", "1/0"), "--epsilon must be a fraction"),
        (("--step-size", "fast"), "--step-size must be a fraction"),
        (("--steps", "0"), "steps must be at least 1"),
        (("--seed=-1",), "seed must be"),
        (("--attack", "magic"), "--attack must be one of pgd, fgsm, i-fgsm"),
        (("--attack", "fgsm", "--steps", "3"), "fgsm is one step"),
        (("--norm", "l1"), "--norm must be one of linf, l2"),
        (("--target-class", "6"), "--target-class must lie in [0, 5]"),
        (("--target-class=-1",), "--target-class must lie in [0, 5]"),
        (("--target-class", "golf bell"), "golf ball"),
        (("--target-class", "crane"), "several classes are named 'crane'"),
        (("--true-class", "zebra"), "--true-class must be a name, an id or an index"),
        (("--class-index", "6"), "--class-index must lie in [0, 5]"),
        (("--branch", "auxx"), "no branch 'auxx'. Did you mean aux?"),
        (("--attack-branch", "aux2"), "no branch 'aux2'. Did you mean aux?"),
        (("--layer", "layer9"), "no layer 'layer9'"),
        (("--method", "magic"), "--method must be one of grad-cam"),
        (("--method", "saliency", "--layer", "layer1"), "layer"),
        (("--json", "{out}"), "--json must be a file"),
    ],
)
def test_bad_option(words, message, advprop, model, photo, tmp_path) -> None:
    words = tuple(word.format(out=tmp_path) for word in words)
    answer = advprop("compare", photo, "--model", model, "--out", tmp_path / "o", *words)
    answer.refuses(message)


def test_out_that_is_a_file(advprop, model, photo) -> None:
    words = ("attack", photo, "--model", model, "--out")
    advprop(*words, photo).refuses("--out must be a folder")
    advprop(*words, photo / "deeper").refuses("--out must be a folder")
    words = ("export", "--model", model, "--branch", "main", "--out", photo.parent)
    advprop(*words).refuses("--out must be a .safetensors or .pth file")


def test_a_defect_keeps_its_traceback(advprop, model, photo, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("ours")

    monkeypatch.setattr(importlib.import_module("advprop_core.predict"), "predict", broken)
    with pytest.raises(AssertionError, match="ours"):
        main.main(["predict", str(photo), "--model", str(model)])


def test_traceback_on_request(photo, monkeypatch) -> None:
    monkeypatch.setenv("ADVPROP_TRACEBACK", "1")
    with pytest.raises(ValueError, match="no bundled model"):
        main.main(["predict", str(photo), "--model", "resnet81"])


def test_missing_file_of_the_system_is_told_by_name(advprop, model, photo, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "arrays.npz")

    monkeypatch.setattr(np, "savez_compressed", full)
    answer = advprop("attack", photo, "--model", model, "--out", photo.parent / "o")
    assert answer.err.splitlines()[-1] == "Error: arrays.npz: No space left on device"
