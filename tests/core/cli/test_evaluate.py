"""`advprop evaluate`: accuracies over a folder of photos, and what it leaves out or refuses."""

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

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
        *("top5_interval", "loss_interval", "calibration", "right", "images"),
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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--corruptions", "gausian_noise"), "Did you mean gaussian_noise"),
        (("--corruptions", "fog", "--severity", "6"), "--severity must be one of 1, 2, 3, 4, 5"),
        (("--corruptions", "fog", "--severity", "mild"), "--severity must be one of 1, 2, 3, 4, 5"),
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
        (("--limit", "1"), "show one class, gas pump: .* raise the limit"),
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
    answer.refuses(f"all images for {model} show one class, church")


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
