"""`advprop evaluate`: accuracies over a folder of photos, and what it leaves out or refuses."""

import json
from pathlib import Path

import pytest

from advprop_core import checkpoints
from tests.core.commands.tiny import IDS, NAMES, draw_photo


def test_evaluate_writes_the_agreed_form(advprop, model, val, tmp_path) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--attack", "pgd")
    words = (*words, "--epsilon", "0,2/255", "--steps", 2, "--json", tmp_path / "r.json")
    answer = advprop(*words)
    content = json.loads((tmp_path / "r.json").read_text())
    assert set(content) == {"data", "n", "seed", "results"}
    assert content["n"] == 9
    rows = content["results"]
    keys = {"model", "branch", "condition", "n", "top1", "top5", "loss", "interval"}
    assert all(set(row) == keys for row in rows)
    assert [row["branch"] for row in rows] == ["main", "aux"] * 3
    kinds = [(row["condition"]["kind"], row["condition"].get("epsilon")) for row in rows[::2]]
    assert kinds == [("clean", None), ("attack", 0.0), ("attack", 2 / 255)]
    for row in rows[2:]:
        assert row["condition"]["attack_branch"] == row["branch"]  # white box
    for clean, nothing in zip(rows[:2], rows[2:4], strict=True):
        assert nothing["loss"] == pytest.approx(clean["loss"], rel=1e-5)
        assert nothing["top1"] == clean["top1"]
    assert rows[4]["loss"] > rows[0]["loss"]
    assert 0 <= rows[0]["interval"][0] <= rows[0]["top1"] <= rows[0]["interval"][1] <= 1
    assert "PGD-2, L∞ ≤ 2/255" in answer.out


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
    assert "one.safetensors: branch must be one of main, got 'aux'" in answer.err
    attacked = ("--attack", "fgsm", "--attack-branch", "main", "--json", "-")
    rows = json.loads(advprop(*words, *attacked).out)["results"]
    assert {row["condition"].get("attack_branch") for row in rows} == {None, "main"}


def test_evaluate_names_what_it_left_out(advprop, model, val) -> None:
    (val / "church" / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    (val / "zebra").mkdir()
    draw_photo(val / "zebra" / "1.png")
    answer = advprop("evaluate", "--model", model, "--data", val)
    assert answer.code == 0
    assert "left out" in answer.out
    assert "broken.jpg" in answer.out
    assert "zebra" in answer.out
    assert "9 images" in answer.out
    assert advprop("evaluate", "--model", model, "--data", val, "--strict").code == 2


def test_evaluate_refuses_attack_options_without_an_attack(advprop, model, val) -> None:
    answer = advprop("evaluate", "--model", model, "--data", val, "--epsilon", "2/255")
    assert answer.code == 2
    assert "--attack pgd" in answer.err


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
