"""The file a run is taken up from, on a disk that is full, and the log beside it."""

import json
from pathlib import Path

import pytest
import torch

from advprop_core.training import state
from advprop_core.training.recipe import Attacker
from advprop_core.training.state import CannotSave, Progress
from tests.core.training.tiny import tiny_recipe

TENSORS = {"model": {"weight": torch.arange(4000.0)}, "optimizer": {"state": {}}}
PROGRESS = Progress(7, {"main/clean": [3.5, 0.75, 2]}, unfrozen=1, best=0.5, waited=2)
IDENTITY = state.identity(tiny_recipe(), "somewhere/photos", "abc")
needs_full_disk = pytest.mark.skipif(
    not Path("/dev/full").is_char_device(), reason="needs Linux's /dev/full"
)


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "state.pt"
    state.save(path, TENSORS, PROGRESS, IDENTITY)
    content, progress = state.load(path, IDENTITY)
    assert torch.equal(content["model"]["weight"], TENSORS["model"]["weight"])
    assert progress == PROGRESS
    assert list(tmp_path.iterdir()) == [path]


@needs_full_disk
def test_a_full_disk_keeps_the_state_before(tmp_path):
    path, temporary = tmp_path / "state.pt", tmp_path / "state.tmp"
    state.save(path, TENSORS, PROGRESS, IDENTITY)
    before = path.read_bytes()
    temporary.symlink_to("/dev/full")
    with pytest.raises(CannotSave, match=r"No space left on device.*; the one before it is kept"):
        state.save(path, TENSORS, Progress(8, {}), IDENTITY)
    assert path.read_bytes() == before
    assert not temporary.is_symlink()


@needs_full_disk
def test_a_full_disk_at_the_first_save(tmp_path):
    (tmp_path / "state.tmp").symlink_to("/dev/full")
    with pytest.raises(CannotSave, match=r"there is none before it: make room .* --resume"):
        state.save(tmp_path / "state.pt", TENSORS, PROGRESS, IDENTITY)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(CannotSave, match="could not be written"):
        state.save(tmp_path / "gone" / "state.pt", TENSORS, PROGRESS, IDENTITY)


def test_what_differs_is_named(tmp_path):
    path = tmp_path / "state.pt"
    state.save(path, TENSORS, PROGRESS, IDENTITY)
    other = tiny_recipe(seed=4, attack=Attacker(epsilon=1 / 255))
    with pytest.raises(ValueError, match=r"another recipe: attack .*, seed 4 \(it had 0\)"):
        state.load(path, state.identity(other, "photos", "abc"))
    with pytest.raises(ValueError, match="other data: it was trained on photos"):
        state.load(path, state.identity(tiny_recipe(), "photos", "abd"))
    state.load(path, state.identity(tiny_recipe(), "elsewhere/photos", "abc"))


def lines(*steps):
    return [json.dumps({"kind": "step", "step": step}) for step in steps]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (lines(1, 2, 3), lines(1, 2)),  # steps that are done again
        ([*lines(1, 2), '{"kind": "st'], lines(1, 2)),  # cut off by the kill
        ([*lines(1), '{"kind": "st', *lines(2)], lines(1)),
        (lines(1, 2), lines(1, 2)),
        ([], []),
    ],
)
def test_the_log_is_cut_to_the_state(tmp_path, text, kept):
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(text))
    state.cut_log(path, 2)
    assert path.read_text() == "".join(f"{line}\n" for line in kept)
    assert list(tmp_path.iterdir()) == [path]


def test_no_log_is_no_problem(tmp_path):
    state.cut_log(tmp_path / "metrics.jsonl", 2)
    assert not list(tmp_path.iterdir())
