"""`advprop models`, `advprop export` and `advprop calibrate`."""

import json
import shutil
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

from advprop_core.datasets.named import load_images
from advprop_core.models import checkpoints, timm_networks
from advprop_core.models.bundle import open_model
from advprop_core.models.header import read_info
from advprop_core.types import ModelInfo
from tests.core.training.tiny import draw_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def make_file(tmp_path_factory, photos, randomise):
    """(branches) to a network of the photos' classes, whose branches differ."""

    def make(*branches: str) -> Path:
        names = tuple(sorted(path.name for path in (photos / "train").iterdir()))
        halves = (0.5, 0.5, 0.5)
        origins = dict.fromkeys(branches, "trained")
        info = ModelInfo("test_resnet", names, names, 32, halves, halves, origins)
        torch.manual_seed(0)
        model = timm_networks.create(info)
        randomise(model)
        path = tmp_path_factory.mktemp("model") / "network.safetensors"
        checkpoints.save(path, model.freeze(), info)
        return path

    return make


@pytest.fixture(scope="module")
def dual_file(make_file) -> Path:
    return make_file("main", "aux")


@pytest.fixture(scope="module")
def plain(make_file) -> Path:
    return make_file("main")


# --- models ----------------------------------------------------------------------------------


def test_models_lists_cards(advprop, bundled) -> None:
    answer = advprop("models")
    for text in (
        "toy-advprop",
        "shapes",
        "test_resnet",
        "70.1 %",
        "40.2 %",
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


# --- export ----------------------------------------------------------------------------------


def test_export_loads_strictly_into_timm(advprop, model, tmp_path) -> None:
    file = tmp_path / "plain.safetensors"
    words = ("export", "--model", model, "--branch", "aux", "--out", file)
    answer = advprop(*words)
    advprop(*words).refuses("already exists: give another --out")
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


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """TextureShapes in folders that are named by class."""
    info = open_model("shapes-vanilla").info
    images = load_images("shapes", info.input_size, classes=info.classes, limit=60)
    folder = tmp_path_factory.mktemp("scenes")
    for index, (pixels, label) in enumerate(zip(images.pixels, images.labels, strict=True)):
        path = folder / info.class_ids[label] / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(path)
    return folder


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_an_exported_network_is_as_accurate_as_the_original(
    advprop, scenes, tmp_path, ending
) -> None:
    def accuracy(model) -> float:
        words = ("--model", model, "--branch", "main", "--data", scenes, "--json", "-")
        answer = advprop("evaluate", *words)
        assert answer.code == 0, answer.err
        (row,) = json.loads(answer.out)["results"]
        assert row["n"] == 60
        return row["top1"]

    out = tmp_path / f"exported{ending}"
    words = ("--model", "shapes-vanilla", "--branch", "main", "--out", out)
    assert advprop("export", *words).code == 0
    original = accuracy("shapes-vanilla")
    assert original > 0.9
    assert accuracy(out) == original


# --- blends ----------------------------------------------------------------------------------


def test_a_blend_is_written_with_statistics_of_the_images(advprop, photos, dual_file, tmp_path):
    out = tmp_path / "half.safetensors"
    words = ("--model", dual_file, "--blend", "main:aux:0.25", "--data", photos, "--out", out)
    answer = advprop("export", *words)
    assert answer.code == 0, answer.err
    assert "blend main:aux:0.25" in answer.out
    assert "statistics estimated again on" in answer.err
    dual = checkpoints.load(dual_file).model
    main, aux = (dual.branch(name).network.state_dict() for name in ("main", "aux"))
    plain = checkpoints.load(out).model.branch("main").network
    blended = plain.state_dict()
    torch.testing.assert_close(
        blended["bn1.weight"], 0.75 * main["bn1.weight"] + 0.25 * aux["bn1.weight"]
    )
    naive = 0.75 * main["bn1.running_var"] + 0.25 * aux["bn1.running_var"]
    assert not torch.allclose(blended["bn1.running_var"], naive, rtol=0.1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--blend", "main:aux:1.5", "--data", "shapes"], "a place from 0 to 1"),
        (["--blend", "main:aux:half", "--data", "shapes"], "a place from 0 to 1"),
        (["--blend", "main:aux", "--data", "shapes"], "a place from 0 to 1"),
        (["--blend", "main:main:0.5", "--data", "shapes"], "two branches"),
        (["--blend", "main:aus:0.5", "--data", "shapes"], "Did you mean aux?"),
        (["--blend", "main:aux:0.5"], "with --data DIR"),
        (["--blend", "main:aux:0.5", "--branch", "aux", "--data", "shapes"], "--branch NAME, or"),
        ([], "--branch NAME, or"),
        (["--branch", "aux", "--data", "shapes"], "with --data DIR"),
    ],
)
def test_what_is_no_blend_is_said(advprop, dual_file, tmp_path, words, message):
    out = tmp_path / "x.safetensors"
    answer = advprop("export", "--model", dual_file, "--out", out, *words)
    assert answer.code == 2
    assert message in answer.err
    assert not out.exists()


# --- calibrate -------------------------------------------------------------------------------


def test_writes_a_branch_that_says_what_it_is(advprop, photos, plain, tmp_path) -> None:
    out = tmp_path / "calibrated.safetensors"
    words = ("--data", photos / "train", "--out", out, "--epsilon", "8/255", "--steps", 1)
    answer = advprop("calibrate", "--model", plain, *words)
    assert answer.code == 0, answer.err
    assert f"wrote {out}, branch aux (statistics only, from " in answer.out
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
    advprop(*words, "--out", out).refuses("already exists: give another --out")
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
