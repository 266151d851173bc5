"""`advprop export --blend`: a network between two branches."""

from pathlib import Path

import pytest
import torch

from advprop_core.models import checkpoints, timm_networks
from advprop_core.types import ModelInfo
from tests.core.training.tiny import draw_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def dual_file(tmp_path_factory, photos, randomise) -> Path:
    names = tuple(sorted(path.name for path in (photos / "train").iterdir()))
    halves = (0.5, 0.5, 0.5)
    branches = {"main": "trained", "aux": "trained"}
    info = ModelInfo("test_resnet", names, names, 32, halves, halves, branches)
    torch.manual_seed(0)
    model = timm_networks.create(info)
    randomise(model)
    path = tmp_path_factory.mktemp("model") / "dual.safetensors"
    checkpoints.save(path, model.freeze(), info)
    return path


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
