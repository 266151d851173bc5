import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.models import bundle, checkpoints, timm_networks
from advprop_core.models.header import CheckpointError
from advprop_core.pictures.decoding import decode
from advprop_core.types import ModelInfo
from app.shell import cache
from app.shell.jobs import Job, Watcher

REPO = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("tiny")


def test_it_is_the_only_place_that_caches_and_every_cache_is_bounded():
    for path in (REPO / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("cache_data", "cache_resource"):
                assert path.name == "cache.py", path
    tree = ast.parse((REPO / "app" / "shell" / "cache.py").read_text())
    decorators = [d for f in tree.body if isinstance(f, ast.FunctionDef) for d in f.decorator_list]
    assert len(decorators) >= 7
    for decorator in decorators:
        assert isinstance(decorator, ast.Call)
        assert "max_entries" in [keyword.arg for keyword in decorator.keywords]


def test_listing_models_and_drawing_a_scene_loads_no_torch(tiny_models):
    code = (
        "import sys; from app.shell import cache; cache.known_models(); "
        "cache.preview('scene:0', 64); "
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "ADVPROP_MODELS": json.dumps([str(tiny_models["tiny-advprop"])])}
    run = subprocess.run([sys.executable, "-c", code], cwd=REPO, env=environment, check=False)
    assert run.returncode == 0


def test_the_persons_own_models_come_first_and_win(offer, monkeypatch, tiny_models, tmp_path):
    checkpoint = tmp_path / "run7" / "model.safetensors"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(tiny_models["tiny-vanilla"].read_bytes())
    monkeypatch.setattr(
        bundle, "bundled_models", lambda: {"a": Path("a"), "tiny-advprop": Path("b")}
    )
    offer(checkpoint, tiny_models["tiny-advprop"])
    assert cache.model_files() == {
        "run7": checkpoint,
        "tiny-advprop": tiny_models["tiny-advprop"],
        "a": Path("a"),
    }
    assert list(cache.known_models()) == ["run7", "tiny-advprop"]


def test_files_of_one_name_are_told_apart_by_their_folders(offer, tmp_path):
    files = [
        tmp_path / place
        for place in ("a/run/model.safetensors", "b/run/model.safetensors", "b/net.safetensors")
    ]
    offer(*files, files[0])
    assert list(cache.model_files().items())[:3] == [
        ("a/run", files[0]), ("b/run", files[1]), ("net", files[2])
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_is_no_choice(offer, tiny_models, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\0" * 100)
    offer(broken, tmp_path / "missing.safetensors", tiny_models["tiny-vanilla"])
    assert list(cache.known_models()) == ["tiny-vanilla"]
    with pytest.raises(CheckpointError, match=r"broken\.safetensors"):
        cache.model_info("broken")


def test_a_foreign_file_is_what_the_person_says_it_is(offer, monkeypatch, tiny_models, tmp_path):
    checkpoint = checkpoints.load(tiny_models["tiny-vanilla"])
    plain = tmp_path / "plain.safetensors"
    save_file(checkpoint.model.branch("main").network.state_dict(), plain)
    settings = {
        "architecture": checkpoint.info.architecture,
        "size": 40,
        "mean": [0.1] * 3,
        "std": [0.5] * 3,
    }
    monkeypatch.setenv("ADVPROP_MODEL_SETTINGS", json.dumps(settings))
    offer(plain, tiny_models["tiny-vanilla"])
    assert list(cache.known_models()) == ["plain", "tiny-vanilla"]
    info = cache.model_info("plain")
    assert (info.input_size, info.mean) == (40, (0.1, 0.1, 0.1))
    assert cache.load_lens("plain").info == info
    assert cache.load_lens("tiny-vanilla").info.mean == checkpoint.info.mean


def test_a_lens_is_frozen_loaded_once_and_names_its_layers():
    lens = cache.load_lens("tiny-advprop")
    assert cache.load_lens("tiny-advprop") is lens
    assert list(lens.branches) == ["main", "aux"]
    assert not any(branch.training for branch in lens.branches.values())
    assert not any(p.requires_grad for b in lens.branches.values() for p in b.parameters())
    assert lens.default_layer in lens.layers
    pixels = cache.pixels("scene:0", 64)
    outputs = [branch(pixels) for branch in lens.branches.values()]
    assert not torch.allclose(*outputs, atol=1e-3)


def test_pixels_are_a_copy_for_each_who_asks():
    first = cache.pixels("scene:0", 64)
    assert first.shape == (1, 3, 64, 64)
    first.zero_()
    assert cache.pixels("scene:0", 64).max() > 0


def test_a_preview_is_what_the_network_sees_enlarged():
    assert decode(cache.preview("photo:coffee", 64)).size == (448, 448)
    assert decode(cache.preview("scene:0", 600)).size == (600, 600)


def test_the_persons_folder_is_listed(monkeypatch, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    assert cache.own_photos().names == ("a.png",)


def test_a_file_that_is_written_anew_ends_the_work_of_its_network_alone(
    offer, tiny_models, tmp_path
):
    mine = tmp_path / "mine.safetensors"
    shutil.copy(tiny_models["tiny-advprop"], mine)
    offer(mine, tiny_models["tiny-vanilla"])
    cache.known_models()
    keys = [((cache.network_of(name),), "request") for name in ("mine", "tiny-vanilla")]
    jobs = [
        cache.pool().submit(Watcher(name), Job(key, lambda _: 1))
        for name, key in zip("ab", keys, strict=True)
    ]
    lens = cache.load_lens("tiny-vanilla")
    os.utime(mine, ns=(1, 1))
    cache.known_models()
    assert [cache.pool().find(key) for key in keys] == [None, jobs[1]]
    assert cache.network_of("mine") != keys[0][0][0]
    assert cache.load_lens("tiny-vanilla") is lens


def test_a_network_without_a_map_of_places_can_be_opened(offer, tmp_path):
    halves = (0.5,) * 3
    info = ModelInfo("test_vit", SHAPES, SHAPES, 160, halves, halves, {"main": "trained"})
    checkpoints.save(tmp_path / "vit.safetensors", timm_networks.create(info).freeze(), info)
    offer(tmp_path / "vit.safetensors")
    lens = cache.load_lens("vit")
    assert (lens.default_layer, dict(lens.layers)) == ("", {})
