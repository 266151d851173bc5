"""Two processes that train together, on the CPU."""

import json

import pytest
import torch

from advprop_core.models import checkpoints
from tests.core.launch import free_port, on_two_processes
from tests.core.training.children import exit_codes
from tests.core.training.tiny import WHOLE
from tests.core.training.together import work


@pytest.fixture(scope="module")
def found(photos, tmp_path_factory):
    """What both processes found, and what one found alone; everything in one launch."""
    folder = tmp_path_factory.mktemp("together")
    port = free_port()
    ranks = (0, 1, None)
    assert exit_codes(work, *((rank, port, folder, photos) for rank in ranks)) == [0, 0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in ranks], folder


def assert_equal(one, other):
    assert set(one) == set(other)
    assert not [key for key in one if not torch.equal(one[key], other[key])]


def test_each_is_one_of_two(found):
    (first, second, _), _ = found
    assert (first["world"], second["world"]) == ((0, 2), (1, 2))


@pytest.mark.parametrize("objective", WHOLE)
def test_different_photos_give_equal_gradients(found, objective):
    first, second, _ = (one.get("step", {}).get(objective) for one in found[0])
    seen = set(first["targets"].tolist()), set(second["targets"].tolist())
    assert [len(photos) for photos in seen] == [4, 4]
    assert not seen[0] & seen[1]
    assert_equal(first["gradients"], second["gradients"])
    assert_equal(first["weights"], second["weights"])


@pytest.mark.parametrize("objective", WHOLE)
def test_two_processes_lose_what_one_loses_with_the_same_photos(found, objective):
    """Step by step, where neither statistics nor draws depend on the process."""
    first, second, alone = (one["quiet"][objective] for one in found[0])
    for step in range(3):
        assert first["losses"][step] == second["losses"][step]
        assert first["losses"][step] == pytest.approx(alone["losses"][step], rel=1e-4, abs=1e-6)
    assert alone["losses"][2] != alone["losses"][0]
    assert_equal(first["weights"], second["weights"])
    for key, value in alone["weights"].items():
        torch.testing.assert_close(first["weights"][key], value, rtol=1e-3, atol=1e-4, msg=key)


def test_branches_called_past_forward_drift_apart(found):
    """Why every forward pass that trains goes through `forward`, however tempting a branch is."""
    (first, second, _), _ = found
    shared = "branches.main.network.conv1.0.weight"
    assert not torch.equal(first["apart"][shared], second["apart"][shared])


def test_every_image_is_dealt_exactly_once(found):
    (first, second, _), _ = found
    dealt = [one["dealt"] for one in (first, second)]
    numbers = torch.cat([one["targets"] for one in dealt])
    assert sorted(numbers.tolist()) == list(range(8))
    assert [len(one["targets"]) for one in dealt] == [4, 4]
    assert {n // 4 for n in dealt[0]["targets"].tolist()} == {0, 1}  # some from each process
    for one in dealt:
        expected = one["targets"].view(-1, 1, 1, 1) + one["ramp"]
        assert torch.equal(one["pixels"], expected)


def test_a_stage_that_thaws_is_trained_in_step(found):
    (first, second, _), _ = found
    one, other = first["thawed"], second["thawed"]
    assert_equal(one["weights"], other["weights"])
    assert one["moved"] == other["moved"]
    moved = {key.split("network.")[1].split(".")[0] for key in one["moved"]}
    assert moved == {"layer4", "fc"}


def test_a_break_changes_nothing(found):
    (first, _, _), _ = found
    assert_equal(first["resumed"]["whole"], first["resumed"]["resumed"])


def test_a_whole_run_is_written_by_the_first_process_alone(found):
    (first, second, _), folder = found
    assert first["error"] == second["error"] == ""
    written = {path.name for path in (folder / "run-0").iterdir()}
    assert written == {"metrics.jsonl", "model.md", "model.safetensors", "recipe.toml", "state.pt"}
    assert not (folder / "run-1").exists()


@pytest.mark.slow
def test_the_command_under_torchrun(photos, tmp_path):
    out = tmp_path / "run"
    words = ["train", "--data", photos, "--out", out, "--arch", "test_resnet"]
    done = on_two_processes(*words, "--size", 32, "--epochs", 1, "--batch-size", 4)
    assert done.stdout.count("epoch 1/1: main clean loss") == 1
    assert done.stdout.count("wrote ") == 1
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 3]
    assert checkpoints.load(out / "model.safetensors").info.name == "run"
