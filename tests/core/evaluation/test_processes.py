"""Several processes give the answers of one; they are real ones here, on the CPU."""

import json

import pytest
import torch
from safetensors.torch import load_file

from advprop_core.cli.main import main
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.evaluation.processes import Processes
from advprop_core.models import checkpoints
from tests.core.launch import call_command, free_port, tell_shares
from tests.core.training.children import exit_codes

WORDS = ["--data", "shapes", "--limit", "140"]
WORDS += ["--attack", "pgd", "--steps", "1", "--epsilon", "2/255", "--probe", "grey"]
WORDS += ["--smallest-epsilon", "1/255"]


def test_one_alone_does_everything():
    alone = Processes()
    assert alone.is_first
    assert alone.device == torch.device("cpu")
    assert alone.share([1, 2, 3]) == alone.gather([1, 2, 3]) == [1, 2, 3]
    assert alone.from_first("mine") == "mine"


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_part_is_dealt_once_and_comes_back_in_order(count, monkeypatch):
    parts = list(range(5))
    shares = [Processes(rank, count).share(parts) for rank in range(count)]
    assert sorted(part for share in shares for part in share) == parts

    def everyone(places, own):
        places[:] = shares

    monkeypatch.setattr(torch.distributed, "all_gather_object", everyone)
    assert Processes(0, count).gather(shares[0]) == parts


def test_what_each_met_by_chance_is_gathered_whole(monkeypatch):
    def everyone(places, results):
        places[:] = [results, ["a", "b"]]

    monkeypatch.setattr(torch.distributed, "all_gather_object", everyone)
    assert Processes(0, 2).gather([]) == ["a", "b"]


def test_two_join_without_a_gpu(tmp_path):
    port = free_port()
    assert exit_codes(tell_shares, *((rank, port, tmp_path) for rank in (0, 1))) == [0, 0]
    for rank in (0, 1):
        told = json.loads((tmp_path / f"{rank}.json").read_text())
        assert told == [rank, 2, ["a by 0", "b by 1", "c by 0"], "said by 0", "cpu"]


def test_two_answer_as_one_does(tmp_path, make_dual, make_info):
    """140 images are three batches: two for one process, one for the other."""
    model = tmp_path / "shapes.safetensors"
    checkpoints.save(model, make_dual(classes=10), make_info(class_ids=SHAPES, class_names=SHAPES))
    together, alone = tmp_path / "together", tmp_path / "alone"
    port = free_port()
    jobs = []
    for rank, folder in ((0, together), (1, together), (None, alone)):
        words = ["evaluate", "--model", str(model), *WORDS, "--report", str(folder)]
        jobs.append((rank, port, words, tmp_path / f"{rank}.txt"))
    assert exit_codes(call_command, *jobs) == [0, 0, 0]
    printed = [(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)]
    assert printed[0].count("wrote ") == 3  # report, CSV and JSON
    assert printed[1] == ""
    found, expected = (
        json.loads((folder / "results.json").read_text()) for folder in (together, alone)
    )
    del found["command"], expected["command"]
    assert found == expected
    cells = {path.name for path in (alone / "cells").iterdir()}
    assert {path.name for path in (together / "cells").iterdir()} == cells
    for name in cells:
        one, other = load_file(together / "cells" / name), load_file(alone / "cells" / name)
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_several_do_not_fetch_a_data_set_at_once(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    words = ["evaluate", "--model", "shapes-advprop", "--data", f"cifar10:{tmp_path}"]
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--download"])
    assert "--download is for one process" in capsys.readouterr().err
