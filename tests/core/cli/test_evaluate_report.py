"""`advprop evaluate --report`: what is kept, taken up again and refused."""

import csv
import json
import os
import signal
from contextlib import redirect_stderr, redirect_stdout
from itertools import count
from pathlib import Path

import pytest
import torch

from advprop_core.cli.main import main
from advprop_core.evaluation import inputs
from tests.core.training.children import exit_codes


def test_a_report_is_taken_up_again(advprop, model, val, tmp_path, monkeypatch) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--report", tmp_path / "report")
    advprop(*words, "--corruptions", "fog")
    files = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert files == ["cells", "report.html", "results.csv", "results.json"]
    short = json.loads((tmp_path / "report" / "results.json").read_text())["results"]
    made = []

    def spy(pixels, config, *, seeds):
        made.append(config.kind)
        return corrupt(pixels, config, seeds=seeds)

    corrupt = inputs.corrupt
    monkeypatch.setattr(inputs, "corrupt", spy)
    answer = advprop(*words, "--corruptions", "fog,snow", "--severity", "1,2,3,4,5")
    assert made == ["snow"] * 5
    assert "12 finished figures were taken from" in answer.out
    long = json.loads((tmp_path / "report" / "results.json").read_text())
    assert [row for row in long["results"] if row in short] == short
    with (tmp_path / "report" / "results.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(long["results"]) == 22
    assert long["command"].startswith("advprop evaluate --model")


def test_a_full_disk_costs_only_what_is_kept_for_later(
    advprop, model, val, tmp_path, fill_disk
) -> None:
    fill_disk("cells")
    answer = advprop("evaluate", "--model", model, "--data", val, "--report", tmp_path / "report")
    assert answer.code == 0
    assert answer.out.count("not kept for a later run") == 1
    assert "free at least 1 MB" in answer.out
    content = json.loads((tmp_path / "report" / "results.json").read_text())
    assert {row["n"] for row in content["results"]} == {9}


def evaluate_and_end(words: list[str], ending: signal.Signals, printed: Path) -> None:
    """Run the command until this process ends itself, with eight figures kept for later."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # that of a command in a terminal
    replace, cells = Path.replace, count(1)

    def replace_or_end(source: Path, target: Path) -> Path:
        if target.parent.name == "cells" and next(cells) > 8:
            os.kill(os.getpid(), ending)
        return replace(source, target)

    Path.replace = replace_or_end  # type: ignore[method-assign]
    with printed.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        main(words)


def test_a_process_may_be_ended_at_any_moment(advprop, model, val, tmp_path) -> None:
    words = ["evaluate", "--model", model, "--data", val, "--attack", "pgd", "--epsilon", "2/255"]
    words += ["--corruptions", "fog,contrast,brightness"]
    advprop(*words, "--report", tmp_path / "whole")
    whole = json.loads((tmp_path / "whole" / "results.json").read_text())
    for ending in (signal.SIGINT, signal.SIGKILL):
        folder, printed = tmp_path / ending.name, tmp_path / f"{ending.name}.txt"
        (code,) = exit_codes(
            evaluate_and_end, ([*map(str, words), "--report", str(folder)], ending, printed)
        )
        assert code != 0
        assert ("interrupted" in printed.read_text()) == (ending == signal.SIGINT)
        assert not (folder / "results.json").exists()
        saved = len(list(folder.glob("cells/*.safetensors")))
        assert saved == 8
        answer = advprop(*words, "--report", folder)
        assert f"{saved} finished figures were taken from" in answer.out
        content = json.loads((folder / "results.json").read_text())
        assert content["results"] == whole["results"]
        assert content["mean_corruption_error"] == whole["mean_corruption_error"]


def test_bad_report_folders(advprop, model, val, tmp_path) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--report")
    (tmp_path / "file").touch()
    advprop(*words, tmp_path / "file").refuses("--report must be a folder")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "results.json").write_text('{"format": 0, "results": []}')
    advprop(*words, tmp_path / "old").refuses("format 0, this version reads format 1")
    advprop(*words, tmp_path / "file" / "sub").refuses("--report must be a folder")


def test_a_json_file_that_cannot_be_written_is_noticed_before_the_work(
    advprop, model, val, tmp_path, monkeypatch
) -> None:
    (tmp_path / "file").touch()
    words = ("evaluate", "--model", model, "--data", val, "--json", tmp_path / "file" / "r.json")
    monkeypatch.setattr(inputs, "pixels_of", lambda *_, **__: pytest.fail("worked"))
    advprop(*words).refuses("--json cannot be written to")
