"""`advprop convert`: a foreign file in this project's layout, with every branch."""

import argparse

import pytest
import torch

from advprop_core.models import checkpoints, timm_networks
from advprop_core.models.settings import ModelSettings
from advprop_core.predict import logits_of
from advprop_core.types import ModelInfo


@pytest.fixture
def foreign(tmp_path, randomise):
    """(auxiliaries) to the file of timm's training script, of a network whose branches differ."""

    def write(auxiliaries: int):
        names, halves = tuple("abcdef"), (0.5, 0.5, 0.5)
        branches = dict.fromkeys(("main", "aux", "aux2")[: 1 + auxiliaries], "trained")
        info = ModelInfo("test_resnet", names, names, 32, halves, halves, branches)
        torch.manual_seed(0)
        model = timm_networks.create(info)
        randomise(model)
        options = argparse.Namespace(model="test_resnet", img_size=32)
        path = tmp_path / "model_best.pth.tar"
        content = {"epoch": 3, "state_dict": model.state_dict(), "args": options}
        torch.save(content, path)
        return path

    return write


@pytest.mark.parametrize("auxiliaries", [0, 1, 2])
def test_every_branch_gives_the_same_answers_before_and_after(
    advprop, foreign, tmp_path, auxiliaries
):
    file, out = foreign(auxiliaries), tmp_path / "mine.safetensors"
    answer = advprop("convert", file, "--out", out, "--classes", "a,b,c,d,e,f", "--std", "1,1,1")
    assert answer.code == 0, answer.err
    said = ModelSettings(std=(1, 1, 1), classes=tuple("abcdef"))
    before, after = checkpoints.load(file, said), checkpoints.load(out)
    assert after.info == before.info
    assert len(after.info.branches) == max(2, 1 + auxiliaries)
    pixels = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    answers = [
        torch.stack([logits_of(one.model.branch(name), pixels) for name in before.info.branches])
        for one in (before, after)
    ]
    assert torch.equal(*answers)
    assert (auxiliaries == 0) == torch.equal(answers[0][0], answers[0][1])


def test_it_says_what_was_read_given_guessed_and_ignored(advprop, foreign, tmp_path):
    answer = advprop("convert", foreign(1), "--out", tmp_path / "mine.safetensors", "--size", 48)
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert "architecture test_resnet read" in lines
    assert "size 48 given" in lines
    assert any(line.endswith("guessed (--mean says it)") for line in lines)
    assert "branches main (trained) and aux (trained)" in lines
    assert "Ignored in model_best.pth.tar: epoch." in lines


def test_it_writes_over_nothing_and_converts_no_file_of_its_own(advprop, foreign, tmp_path):
    file, out = foreign(1), tmp_path / "mine.safetensors"
    assert advprop("convert", file, "--out", out).code == 0
    written = out.read_bytes()
    for words, reason in (
        ((file, "--out", out), "already exists"),
        ((out, "--out", tmp_path / "again.safetensors"), "in this project's layout already"),
        ((tmp_path / "none.pth", "--out", tmp_path / "x.safetensors"), "there is no file"),
        ((file, "--out", tmp_path / "x.pth"), "must be a .safetensors file"),
        ((file, "--out", tmp_path / "x.safetensors", "--classes", "a,b"), "2 names are given"),
    ):
        answer = advprop("convert", *words)
        assert answer.code == 2
        assert reason in answer.err
    assert out.read_bytes() == written
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name, file.name]
