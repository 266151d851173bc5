"""A model, photos and a data set for the commands, and files that they refuse."""

import hashlib
import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from advprop_core.cli import app as app_command
from advprop_core.models import bundle, checkpoints
from tests.core.cli.tiny import IDS, NAMES, draw_photo


@pytest.fixture(scope="session")
def model(tmp_path_factory, make_dual, make_info) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    info = make_info(class_ids=IDS, class_names=NAMES, input_size=64, name="tiny")
    checkpoints.save(path, make_dual(), info)
    return path


@pytest.fixture(scope="session")
def bad_files(tmp_path_factory, model) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    whole = model.read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "text.safetensors").write_text("this is no checkpoint at all")
    torch.save({"model": os.system}, folder / "code.pth")
    (folder / "code.pkl").write_bytes(pickle.dumps({"model": os.system}))
    save_file({"fc.weight": torch.zeros(2, 3)}, folder / "foreign.safetensors")
    (folder / "empty").mkdir()
    (folder / "strangers" / "zebra").mkdir(parents=True)
    draw_photo(folder / "strangers" / "zebra" / "1.png")
    (folder / "text.jpg").write_text("this is no image")
    (folder / "zero.jpg").write_bytes(b"")
    return folder


@pytest.fixture(scope="session")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    draw_photo(path)
    return path


@pytest.fixture
def val(tmp_path: Path) -> Path:
    for index, name in enumerate(("church", "Gas_Pump", "n5")):
        (tmp_path / "val" / name).mkdir(parents=True)
        for number in range(3):
            draw_photo(tmp_path / "val" / name / f"{number}.png", seed=10 * index + number)
    return tmp_path / "val"


@pytest.fixture
def bundled(tmp_path, monkeypatch, make_dual, make_info) -> Path:
    """A bundle with one model, a card with metrics, and a script."""
    folder = tmp_path / "bundle" / "assets" / "models"
    metrics = (
        {"branch": "aux", "condition": {"kind": "clean"}, "top1": 0.701},
        {
            "branch": "aux",
            "condition": {
                "kind": "attack",
                "attack": "PGD-10",
                "norm": "linf",
                "epsilon": 2 / 255,
                "attack_branch": "aux",
            },
            "top1": 0.402,
        },
    )
    info = make_info(name="toy", recipe={"data": "shapes", "seed": 3}, metrics=metrics)
    folder.mkdir(parents=True)
    checkpoints.save(folder / "toy.safetensors", make_dual(), info)
    digest = hashlib.sha256((folder / "toy.safetensors").read_bytes()).hexdigest()
    manifest = {"toy-advprop": {"file": "toy.safetensors", "sha256": digest}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "bundle" / "streamlit_server.py").touch()
    for module in (bundle, app_command):
        monkeypatch.setattr(module, "bundle_dir", lambda: tmp_path / "bundle")
    return tmp_path / "bundle"
