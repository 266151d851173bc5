"""`advprop calibrate`: an auxiliary branch for a network with one BatchNorm."""

import shutil
from pathlib import Path

import pytest
import torch

from advprop_core.models import checkpoints, timm_networks
from advprop_core.models.header import read_info
from advprop_core.types import ModelInfo
from tests.core.training.tiny import draw_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory, photos) -> Path:
    """A network with one branch and the photos' classes."""
    names = tuple(sorted(path.name for path in (photos / "train").iterdir()))
    halves = (0.5, 0.5, 0.5)
    info = ModelInfo("test_resnet", names, names, 32, halves, halves, {"main": "trained"})
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "plain.safetensors"
    checkpoints.save(path, timm_networks.create(info).freeze(), info)
    return path


def test_writes_a_branch_that_says_what_it_is(advprop, photos, plain, tmp_path) -> None:
    out = tmp_path / "calibrated.safetensors"
    words = ("--data", photos / "train", "--out", out, "--epsilon", "8/255", "--steps", 1)
    answer = advprop("calibrate", "--model", plain, *words)
    assert answer.code == 0, answer.err
    assert f"wrote {out}, branch aux (calibrated on " in answer.out
    info = read_info(out)
    assert dict(info.branches) == {"main": "trained", "aux": "calibrated"}
    assert info.recipe["command"].startswith("advprop calibrate --model ")
    assert info.recipe["calibration"]["attack"]["epsilon"] == 8 / 255
    was, now = (checkpoints.load(path).model.state_dict() for path in (plain, out))
    assert all(torch.equal(value, now[key]) for key, value in was.items() if key in now)


def test_refuses_a_network_with_a_trained_branch(advprop, tmp_path) -> None:
    out = tmp_path / "x.safetensors"
    words = ("--model", "shapes-advprop", "--data", "shapes", "--limit", 4, "--out", out)
    advprop("calibrate", *words).refuses("trained auxiliary branch")
    assert not out.exists()


def test_says_what_it_leaves_out_and_refuses_what_is_useless(
    advprop, photos, plain, tmp_path
) -> None:
    data, out = tmp_path / "data", tmp_path / "out.safetensors"
    shutil.copytree(photos / "train", data)
    (data / "unheard_of").mkdir()
    for folder in ("unheard_of", next((photos / "train").iterdir()).name):
        (data / folder / "zz.png").write_bytes(b"no image")
    words = ("calibrate", "--model", plain, "--data", data, "--steps", 1)
    answer = advprop(*words, "--out", out)
    assert answer.code == 0, answer.err
    assert "1 file that cannot be read, such as zz.png" in answer.err
    assert "does not know: unheard_of" in answer.err
    advprop(*words, "--out", out).refuses("is there already: give another --out")
    other = ("--out", tmp_path / "other.safetensors")
    assert "limit must be at least 1, got 0" in advprop(*words, *other, "--limit", 0).err
    assert "images of one class only" in advprop(*words, *other, "--limit", 1).err
    (tmp_path / "file").write_text("in the way")
    answer = advprop(*words, "--out", tmp_path / "file" / "out.safetensors")
    assert "--out cannot be written" in answer.err


@pytest.mark.parametrize("name", ["x.pth", "folder"])
def test_refuses_a_file_that_is_no_checkpoint(advprop, plain, photos, tmp_path, name) -> None:
    (tmp_path / "folder").mkdir()
    words = ("--model", plain, "--data", photos / "train", "--out", tmp_path / name)
    advprop("calibrate", *words).refuses("--out must be a .safetensors file")
