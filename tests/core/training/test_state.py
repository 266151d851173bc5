"""The file a run is taken up from, on a disk that is full, and the log beside it."""

import json
from dataclasses import replace

import pytest
import torch

from advprop_core.evaluation.processes import Processes
from advprop_core.files import CannotWrite
from advprop_core.training import state
from advprop_core.training.recipe import Attacker
from advprop_core.training.state import Progress
from tests.core.training.tiny import tiny_recipe

TENSORS = {"model": {"weight": torch.arange(4000.0)}, "optimizer": {"state": {}}}
PROGRESS = Progress(7, {"main/clean": [3.5, 0.75, 2]}, unfrozen=1, best=0.5, waited=2)
ALONE = Processes()


def identity(recipe=None, data="somewhere/photos", digest="abc", processes=1):
    return state.identity(recipe or tiny_recipe(), data, digest, processes)


IDENTITY = identity()


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "state.pt"
    state.save(path, TENSORS, PROGRESS, IDENTITY)
    saved = state.read(path, ALONE)
    assert torch.equal(saved.tensors["model"]["weight"], TENSORS["model"]["weight"])
    assert set(saved.tensors) == set(TENSORS)
    assert (saved.progress, saved.identity) == (PROGRESS, IDENTITY)
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_state_before(tmp_path, fill_disk):
    path = tmp_path / "state.pt"
    state.save(path, TENSORS, PROGRESS, IDENTITY)
    before = path.read_bytes()
    fill_disk()
    with pytest.raises(
        CannotWrite, match=r"state\.pt could .* \(No space left .* free at least 1 MB"
    ):
        state.save(path, TENSORS, Progress(8, {}), IDENTITY)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_at_the_first_save(tmp_path, fill_disk):
    fill_disk()
    with pytest.raises(CannotWrite, match="free at least 1 MB in"):
        state.save(tmp_path / "state.pt", TENSORS, PROGRESS, IDENTITY)
    assert not list(tmp_path.iterdir())


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "gone").touch()
    with pytest.raises(CannotWrite, match="could not be written"):
        state.save(tmp_path / "gone" / "state.pt", TENSORS, PROGRESS, IDENTITY)


def test_what_differs_is_named(tmp_path):
    path = tmp_path / "state.pt"
    state.save(path, TENSORS, PROGRESS, IDENTITY)
    saved = state.read(path, ALONE)
    other = tiny_recipe(seed=4, attack=Attacker(epsilon=1 / 255))
    with pytest.raises(ValueError, match=r"another recipe: attack .*, seed 4 \(it had 0\)"):
        saved.require(identity(other))
    with pytest.raises(ValueError, match="other data: it was trained on photos"):
        saved.require(identity(digest="abd"))
    with pytest.raises(ValueError, match=r"number of processes: 2 \(it had 1\): use the same"):
        saved.require(identity(processes=2))
    saved.require(identity(data="elsewhere/photos"))
    older = json.loads(saved.identity)
    del older["processes"]
    replace(saved, identity=json.dumps(older)).require(identity(processes=2))


@pytest.mark.parametrize("length", [0, 1000, 10_000, None])
def test_a_damaged_state_says_so(tmp_path, length):
    path = tmp_path / "state.pt"
    state.save(path, TENSORS | {"ema": {"w": torch.zeros(100_000)}}, PROGRESS, IDENTITY)
    if length is None:
        torch.save({"model": {}}, path)
    else:
        path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"state\.pt is damaged .*: remove it to start afresh"):
        state.read(path, ALONE)


def test_no_state_is_none(tmp_path):
    assert state.read(tmp_path / "state.pt", ALONE) is None
