"""`advprop evaluate`: accuracies over a folder of photos, and what it leaves out or refuses."""

import csv
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from advprop_core.evaluation import inputs, store
from advprop_core.files import CannotWrite
from advprop_core.models import checkpoints
from advprop_core.pictures.probes import PROBES
from tests.core.cli.tiny import IDS, NAMES, draw_photo


def test_evaluate_writes_the_agreed_form(advprop, model, val, tmp_path) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--attack", "pgd")
    words = (*words, "--epsilon", "1e-12,2/255", "--steps", 2, "--json", tmp_path / "r.json")
    answer = advprop(*words)
    content = json.loads((tmp_path / "r.json").read_text())
    keys = {"format", "data", "n", "seed", "command", "models", "results", "warnings"}
    assert set(content) == keys
    assert content["n"] == 9
    rows = content["results"]
    keys = {
        *("model", "branch", "condition", "n", "top1", "top5", "loss", "interval"),
        *("top5_interval", "loss_interval", "calibration"),
    }
    assert all(set(row) == keys for row in rows)
    assert [row["branch"] for row in rows] == ["main", "aux"] * 3
    kinds = [(row["condition"]["kind"], row["condition"].get("epsilon")) for row in rows[::2]]
    assert kinds == [("clean", None), ("attack", 1e-12), ("attack", 2 / 255)]
    for row in rows[2:]:
        assert row["condition"]["attack_branch"] == row["branch"]  # white box
    for clean, nothing in zip(rows[:2], rows[2:4], strict=True):
        assert nothing["loss"] == pytest.approx(clean["loss"], rel=1e-5)
        assert nothing["top1"] == clean["top1"]
    assert rows[4]["loss"] > rows[0]["loss"]
    assert 0 <= rows[0]["interval"][0] <= rows[0]["top1"] <= rows[0]["interval"][1] <= 1
    assert "PGD-2, L∞ ε = 2/255" in answer.out


def test_evaluate_several_models_through_one_branch(
    advprop, model, make_dual, make_info, val, tmp_path
) -> None:
    one = tmp_path / "one.safetensors"
    info = make_info(class_ids=IDS, class_names=NAMES, branches={"main": "trained"})
    checkpoints.save(one, make_dual(auxiliaries=0), info)
    words = ("evaluate", "--model", f"{model},{one}", "--data", val, "--limit", 6)
    content = json.loads(advprop(*words, "--json", "-").out)
    cells = [(Path(row["model"]).stem, row["branch"]) for row in content["results"]]
    assert cells == [("tiny", "main"), ("tiny", "aux"), ("one", "main")]
    assert content["n"] == 6
    answer = advprop(*words, "--branch", "aux")
    assert answer.code == 2
    assert "one.safetensors: The network has no branch 'aux'" in answer.err
    attacked = ("--attack", "fgsm", "--attack-branch", "main", "--json", "-")
    rows = json.loads(advprop(*words, *attacked).out)["results"]
    assert {row["condition"].get("attack_branch") for row in rows} == {None, "main"}
    each = ("--attack", "fgsm", "--attack-branch", "each", "--json", "-")
    rows = json.loads(advprop(*words, *each).out)["results"]
    pairs = [(row["condition"].get("attack_branch"), row["branch"]) for row in rows]
    first = [("main", "main"), ("aux", "main"), ("main", "aux"), ("aux", "aux")]
    assert pairs == [(None, "main"), (None, "aux"), *first, (None, "main"), ("main", "main")]


def test_a_copy_of_main_is_no_branch_to_measure(
    advprop, val, tmp_path, make_dual, make_info
) -> None:
    path = tmp_path / "plain.safetensors"
    origins = {"main": "trained", "aux": "copied"}
    info = make_info(class_ids=IDS, class_names=NAMES, input_size=64, branches=origins)
    checkpoints.save(path, make_dual(), info)
    words = ("evaluate", "--model", path, "--data", val, "--attack", "fgsm")
    answer = advprop(*words, "--attack-branch", "each", "--json", tmp_path / "r.json")
    assert "trained with one set of norm layers, so only main is evaluated" in answer.out
    rows = json.loads((tmp_path / "r.json").read_text())["results"]
    assert [one["branch"] for one in rows] == ["main", "main"]
    for option in ("--branch", "--attack-branch"):
        advprop(*words, option, "aux").refuses("aux is a copy of main")


def test_evaluate_names_what_it_left_out(advprop, model, val) -> None:
    (val / "church" / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    (val / "zebra").mkdir()
    draw_photo(val / "zebra" / "1.png")
    file = val / "found.json"
    answer = advprop("evaluate", "--model", model, "--data", val, "--json", file)
    assert answer.code == 0
    assert f"left out {val / 'church' / 'broken.jpg'}" in answer.out
    note = (
        "was not tested on 1 file that cannot be read, such as broken.jpg; classes that it "
        "does not know: zebra"
    )
    assert note in answer.out
    assert [one.partition(" ")[2] for one in json.loads(file.read_text())["notes"]] == [note]
    assert "9 images" in answer.out
    assert advprop("evaluate", "--model", model, "--data", val, "--strict").code == 2


def test_small_photos_are_told_of(advprop, model, val) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--limit", 6, "--json", "-")
    assert "notes" not in json.loads(advprop(*words).out)
    corrupted = json.loads(advprop(*words, "--corruptions", "fog", "--severity", 1).out)
    assert corrupted["notes"] == [
        "6 of 6 photos are smaller than 224 pixels and were enlarged before they were corrupted: "
        "ImageNet-C's severities are for larger ones"
    ]
    Image.new("RGB", (90, 60)).save(val / "church" / "0.png")
    said = json.loads(advprop(*words).out)["notes"]
    assert said == ["1 of 6 photos are smaller than 64 pixels and were enlarged"]


def test_models_that_know_other_classes_are_asked_about_other_images(
    advprop, model, val, tmp_path, make_dual, make_info
) -> None:
    two = tmp_path / "two.safetensors"
    info = make_info(class_ids=IDS[:3], class_names=NAMES[:3], input_size=64)
    checkpoints.save(two, make_dual(classes=3), info)
    words = ("evaluate", "--model", f"{model},{two}", "--data", val)
    content = json.loads(advprop(*words, "--report", tmp_path / "out", "--json", "-").out)
    assert {row["n"] for row in content["results"]} == {9, 6}
    assert any("different images" in note and ": 6)" in note for note in content["notes"])
    page = (tmp_path / "out" / "report.html").read_text()
    assert "n = 6 to 9 images, seed 0" in page
    assert "so they are not ranked" in page


def test_evaluate_refuses_attack_options_without_an_attack(advprop, model, val) -> None:
    answer = advprop("evaluate", "--model", model, "--data", val, "--epsilon", "2/255")
    assert answer.code == 2
    assert "--attack pgd" in answer.err


def test_corruptions_and_several_attacks(advprop, model, val, tmp_path) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--json", tmp_path / "r.json")
    attacks = ("--attack", "pgd,fgsm", "--attack", "i-fgsm", "--epsilon", "1/255", "--steps", 2)
    corruptions = ("--corruptions", "fog,gaussian_noise", "--severity", "1,5", "--seed", 4)
    answer = advprop(*words, *attacks, *corruptions, "--branch", "aux")
    content = json.loads((tmp_path / "r.json").read_text())
    conditions = [row["condition"] for row in content["results"]]
    assert [one.get("attack") for one in conditions] == [
        *(None, "PGD-2", "FGSM", "I-FGSM-2"),
        *[None] * 4,
    ]
    assert [(c["corruption"], c["severity"]) for c in conditions[4:]] == [
        ("fog", 1),
        ("fog", 5),
        ("gaussian_noise", 1),
        ("gaussian_noise", 5),
    ]
    (error,) = content["mean_corruption_error"]["results"]
    mean = sum(1 - row["top1"] for row in content["results"][4:]) / 4
    assert error["error"] == pytest.approx(mean)
    assert "mean corruption error, generated here" in answer.out
    before = content["results"]
    advprop(*words, *attacks, *corruptions)
    both = json.loads((tmp_path / "r.json").read_text())["results"]
    assert [row for row in both if row["branch"] == "aux"] == before


def test_all_corruptions_are_fifteen(advprop, model, val) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--branch", "main", "--json", "-")
    content = json.loads(advprop(*words, "--corruptions", "all", "--severity", 3).out)
    assert len(content["results"]) == 1 + 15
    assert len(content["mean_corruption_error"]["results"][0]["corruptions"]) == 15


def test_probes_at_their_usual_strengths_and_at_named_ones(advprop, model, val) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--limit", 6)
    answer = advprop(*words, "--probe", "grey,low-pass", "--probe", "patch-shuffle=4,grey")
    assert re.search(r"low-pass, 16 cycles per image +\d", answer.out)
    assert re.search(r"4 × 4 patches shuffled +\d", answer.out)
    content = json.loads(
        advprop(*words, "--probe", "all,low-pass=6", "--branch", "aux", "--json", "-").out
    )
    shown = [(c["probe"], c["strength"]) for c in (r["condition"] for r in content["results"][1:])]
    usual = [(kind, strength) for kind in PROBES for strength in PROBES[kind]]
    assert shown == [*usual, ("low-pass", 6.0)]
    assert "shape_bias" not in content  # photos have no texture of their own


def test_conflict_scenes_show_the_shape_bias(advprop, tmp_path) -> None:
    words = ("evaluate", "--model", "shapes-vanilla,shapes-advprop", "--limit", 20)
    result = tmp_path / "r.json"
    answer = advprop(*words, "--data", "shapes-conflict", "--json", result)
    assert "shapes-advprop: Shape bias" in answer.out
    content = json.loads(result.read_text())
    found = content["shape_bias"]["results"]
    assert [(one["model"], one["branch"]) for one in found] == [
        ("shapes-vanilla", "main"), ("shapes-advprop", "main"), ("shapes-advprop", "aux"),
    ]  # fmt: skip
    for one, clean in zip(found, content["results"], strict=True):
        assert one["shape"] == clean["top1"]
        assert one["shape"] + one["texture"] + one["neither"] == pytest.approx(1)
    answer = advprop(*words, "--data", "shapes", "--json", "-")
    assert "shape_bias" not in json.loads(answer.out)


def test_sanity_adds_noise_and_pgd_without_a_bound(advprop, model, val) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--branch", "main", "--json", "-")
    words = (*words, "--attack", "pgd", "--epsilon", "1/255", "--steps", 2, "--sanity")
    rows = json.loads(advprop(*words).out)["results"]
    shown = [(row["condition"].get("attack"), row["condition"].get("epsilon")) for row in rows]
    assert shown == [(None, None), ("PGD-2", 1 / 255), ("noise", 1 / 255), ("PGD-20", 1.0)]


def test_checks_of_gradients_are_of_each_branch_through_itself(advprop, model, val) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--json", "-", "--attack", "pgd")
    words = (*words, "--epsilon", "1/255", "--steps", 2, "--sanity", "--attack-branch", "each")
    found = [row["condition"] | row for row in json.loads(advprop(*words).out)["results"]]
    met = [(row["branch"], row["attack_branch"], row["attack"]) for row in found[2:]]
    assert sorted(who for *who, attack in met if attack == "PGD-2") == [
        ["aux", "aux"], ["aux", "main"], ["main", "aux"], ["main", "main"]
    ]  # fmt: skip
    for check in ("noise", "PGD-20"):
        assert [who for *who, attack in met if attack == check] == [["main"] * 2, ["aux"] * 2]


def test_restarts_are_of_pgd_and_never_leave_more(advprop, model, val, tmp_path) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--branch", "main", "--json")
    attacks = ("--attack", "pgd,fgsm", "--epsilon", "1/255", "--steps", 2)
    once = json.loads(advprop(*words, "-", *attacks).out)["results"]
    file = tmp_path / "often.json"
    answer = advprop(*words, file, *attacks, "--restarts", 3, "--sanity")
    assert "PGD-2, 3 restarts, L∞ ε = 1/255" in answer.out
    often = json.loads(file.read_text())["results"]
    names = [row["condition"].get("attack") for row in often]
    assert names == [None, "PGD-2, 3 restarts", "FGSM", "noise", "PGD-20"]
    restarts = [row["condition"].get("restarts") for row in often]
    assert restarts == [None, 3, None, None, 1]
    assert often[1]["top1"] <= once[1]["top1"]
    assert often[2] == once[2]
    assert once[1]["condition"]["restarts"] == 1
    advprop(*words, "-", "--attack", "fgsm", "--restarts", 2).refuses("--restarts is for pgd")
    advprop(*words, "-", *attacks, "--restarts", 0).refuses("restarts must be at least 1, got 0")


def test_gradients_without_a_sign_are_said_to_be_checked(advprop, tmp_path) -> None:
    words = ("evaluate", "--model", "shapes-vanilla", "--data", "shapes", "--limit", 28)
    attacks = ("--attack", "pgd", "--epsilon", "8/255")
    said = "No sign of a masked gradient: noise does no more harm than attacks of its radius, and"
    assert said not in advprop(*words, *attacks, "--report", tmp_path).out
    answer = advprop(*words, *attacks, "--sanity", "--report", tmp_path)
    assert f"{said} with no limit on ε, at most 0 % are still right." in answer.out
    assert said in (tmp_path / "report.html").read_text()


def test_a_sign_of_a_masked_gradient_is_said_everywhere(advprop, tmp_path) -> None:
    words = ("evaluate", "--model", "shapes-vanilla", "--data", "shapes", "--limit", 28)
    # Steps that lead nowhere: what one large step finds, ten of these do not.
    attacks = ("--attack", "fgsm,pgd", "--epsilon", "8/255", "--step-size", "1e-6")
    answer = advprop(*words, *attacks, "--report", tmp_path)
    said = "the stronger PGD-10, L∞ ε = 8/255"
    assert "look twice: shapes-vanilla, main: FGSM, L∞ ε = 8/255 leaves" in answer.err + answer.out
    (one,) = json.loads((tmp_path / "results.json").read_text())["warnings"]
    assert one["sign"] == "one step beats many"
    assert said in one["text"]
    assert said in (tmp_path / "report.html").read_text()


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
    said, _ = child.communicate(timeout=60)
    assert child.returncode != 0
    assert ("interrupted" in said) == (ending == signal.SIGINT)
    assert not (folder / "results.json").exists()
    kept = len(list(folder.glob("cells/*.safetensors")))
    answer = advprop(*words, *attack, "--report", folder)
    assert f"{kept} finished figures were taken from" in answer.out
    advprop(*words, *attack, "--report", tmp_path / "whole")
    contents = [json.loads((f / "results.json").read_text()) for f in (folder, tmp_path / "whole")]
    assert contents[0]["results"] == contents[1]["results"]
    assert contents[0]["mean_corruption_error"] == contents[1]["mean_corruption_error"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--corruptions", "gausian_noise"), "Did you mean gaussian_noise"),
        (("--corruptions", "fog", "--severity", "6"), "--severity must be a whole number"),
        (("--corruptions", "fog", "--severity", "mild"), "--severity must be a whole number"),
        (("--severity", "3"), "--corruptions all"),
        (("--attack", "pgd", "--epsilon", "0,1/255"), "--epsilon must be above 0, got 0"),
        (("--attack", "pgd", "--epsilon=-1/255"), "--epsilon must be above 0, got -1/255"),
        (("--attack", "pgd", "--epsilon", "0.2,1/5"), "each radius once, got 0.2 and 1/5"),
        (("--attack", "pgd", "--epsilon", "1/255", "--epsilon", "1/255"), "each radius once"),
        (("--attack", "pgd,magic"), "--attack must be one of"),
        (("--sanity",), "need an attack"),
        (("--probe", "gray"), "--probe takes all, or kinds .* Did you mean grey"),
        (("--probe", "low-pass=much"), "strength must be a number, got 'low-pass=much'"),
        (("--probe", "grey=1"), "must be left out for grey"),
        (("--probe", "edges=0"), "cut-off in cycles per image, above 0, such as 8, got 0"),
        (("--probe", "patch-shuffle=65"), "got 65 patches for 64 pixels"),
        (("--limit", "1"), "one class only, gas pump: .* raise the limit"),
    ],
)
def test_bad_options(words, message, advprop, model, val) -> None:
    answer = advprop("evaluate", "--model", model, "--data", val, *words)
    assert answer.code == 2
    assert re.search(message, answer.err)
    assert len(answer.err.splitlines()) == 1


def test_a_split_with_one_class(advprop, model, val) -> None:
    for name in ("Gas_Pump", "n5"):
        shutil.rmtree(val / name)
    answer = advprop("evaluate", "--model", model, "--data", val)
    answer.refuses(f"{model} would see images of one class only, church")


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


def test_help_has_examples(advprop) -> None:
    said = advprop("evaluate", "--help").out
    assert "--corruptions all --severity 1,3,5" in said
    assert "mCE" in said


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("none", "there is no folder"),
        ("empty", "holds no image"),
        ("strangers", "zebra"),
    ],
)
def test_bad_data(folder, message, advprop, model, bad_files) -> None:
    answer = advprop("evaluate", "--model", model, "--data", bad_files / folder)
    answer.refuses(message)
    if folder == "strangers":
        assert "church" in answer.err  # both sides
