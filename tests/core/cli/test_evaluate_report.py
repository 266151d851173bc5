"""`advprop evaluate --report`: what is kept, taken up again and refused."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from advprop_core.evaluation import inputs, store
from advprop_core.files import CannotWrite


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
    advprop, model, val, tmp_path, monkeypatch
) -> None:
    def refuse(path, content):
        raise CannotWrite(path, OSError(errno.ENOSPC, "No space left on device"), len(content))

    monkeypatch.setattr(store, "write_whole", refuse)
    answer = advprop("evaluate", "--model", model, "--data", val, "--report", tmp_path / "report")
    assert answer.code == 0
    assert answer.out.count("not kept for a later run") == 1
    assert "free at least 1 MB" in answer.out
    content = json.loads((tmp_path / "report" / "results.json").read_text())
    assert {row["n"] for row in content["results"]} == {9}


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_process_may_be_ended_at_any_moment(ending, advprop, model, val, tmp_path) -> None:
    words = ["evaluate", "--model", model, "--data", val, "--corruptions", "all"]
    attack = ["--attack", "pgd", "--epsilon", "2/255"]
    command = [sys.executable, "-m", "advprop_core.cli", *map(str, [*words, *attack])]
    folder = tmp_path / "ended"
    child = subprocess.Popen(
        [*command, "--report", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # Tests that a shell runs in the background inherit that SIGINT is ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while len(list(folder.glob("cells/*.safetensors"))) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(ending)
    printed, _ = child.communicate(timeout=60)
    assert child.returncode != 0
    assert ("interrupted" in printed) == (ending == signal.SIGINT)
    assert not (folder / "results.json").exists()
    saved = len(list(folder.glob("cells/*.safetensors")))
    answer = advprop(*words, *attack, "--report", folder)
    assert f"{saved} finished figures were taken from" in answer.out
    advprop(*words, *attack, "--report", tmp_path / "whole")
    contents = [json.loads((f / "results.json").read_text()) for f in (folder, tmp_path / "whole")]
    assert contents[0]["results"] == contents[1]["results"]
    assert contents[0]["mean_corruption_error"] == contents[1]["mean_corruption_error"]


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
