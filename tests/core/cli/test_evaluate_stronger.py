"""`advprop evaluate --attack autoattack` and `--smallest-epsilon`."""

import json

import pytest

from advprop_core.attacks import named
from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.models import checkpoints
from tests.core.cli.tiny import IDS, NAMES


@pytest.fixture
def words(model, val):
    return ("evaluate", "--model", model, "--data", val, "--branch", "main")


def test_autoattack_is_measured_named_and_kept(advprop, words, tmp_path, monkeypatch):
    def short(norm, epsilon, seed):
        return AutoAttackConfig(norm, epsilon, steps=2, targets=1, queries=3, seed=seed)

    monkeypatch.setattr(named, "AutoAttackConfig", short)
    words = (*words, "--attack", "autoattack,pgd", "--steps", 2, "--epsilon", "4/255")
    words = (*words, "--report", tmp_path / "report")
    name = "AutoAttack (2 steps, 1 targets, 3 queries)"
    assert f"{name}, L∞ ε = 4/255" in advprop(*words).out
    content = json.loads((tmp_path / "report" / "results.json").read_text())
    clean, attacked, pgd = content["results"]
    assert attacked["condition"] == {
        "kind": "attack", "attack": name, "norm": "linf", "epsilon": 4 / 255, "steps": 2,
        "targets": 1, "queries": 3, "attack_branch": "main",
    }  # fmt: skip
    assert pgd["condition"]["attack"] == "PGD-2"
    assert attacked["top1"] <= clean["top1"]
    assert name in (tmp_path / "report" / "report.html").read_text()
    assert "3 finished figures were taken from" in advprop(*words).out
    monkeypatch.setattr(named, "AutoAttackConfig", lambda *a, **k: short(*a, seed=9))
    assert "2 finished figures were taken from" in advprop(*words).out


def test_smallest_epsilon_in_table_json_and_report(advprop, words, tmp_path):
    words = (*words, "--smallest-epsilon", "16/255", "--steps", 2, "--report", tmp_path / "report")
    said = advprop(*words).out
    assert "Smallest ε that fools the branch, up to 16/255" in said
    assert "PGD-2, L∞" in said
    content = json.loads((tmp_path / "report" / "results.json").read_text())
    (found,) = content["smallest_epsilon"]["results"]
    assert (found["branch"], found["n"], found["limit"]) == ("main", 9, 16 / 255)
    (clean,) = content["results"]
    assert found["wrong"] == pytest.approx(1 - clean["top1"])
    assert found["epsilons"].count(0) == round(9 * found["wrong"])
    page = (tmp_path / "report" / "report.html").read_text()
    assert "How small a perturbation is enough?" in page
    assert "2 finished figures were taken from" in advprop(*words).out
    again = json.loads((tmp_path / "report" / "results.json").read_text())
    assert again["smallest_epsilon"] == content["smallest_epsilon"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--attack", "autoattack", "--steps", 5), "leave out --steps and --step-size"),
        (("--attack", "autoatack"), "--attack must be one of pgd, fgsm, i-fgsm, autoattack"),
        (("--smallest-epsilon", "0"), "--smallest-epsilon must be above 0"),
        (
            ("--smallest-epsilon", "2"),
            "--smallest-epsilon is on a scale where pixels lie between 0 and 1",
        ),
        (("--smallest-epsilon", "much"), "--smallest-epsilon must be a fraction such as 4/255"),
    ],
)
def test_bad_options(options, message, advprop, words):
    advprop(*words, *options).refuses(message)


def test_autoattack_on_few_classes_is_refused_before_the_work(
    advprop, make_dual, make_info, val, tmp_path
):
    few = make_info(class_ids=IDS[:3], class_names=NAMES[:3], branches={"main": "trained"})
    checkpoints.save(tmp_path / "few.safetensors", make_dual(classes=3, auxiliaries=0), few)
    words = ("evaluate", "--model", tmp_path / "few.safetensors", "--data", val)
    answer = advprop(*words, "--attack", "autoattack")
    assert answer.code == 2
    assert "AutoAttack needs at least 4 classes" in answer.err
    assert "few.safetensors has 3: attack it with PGD" in answer.err
