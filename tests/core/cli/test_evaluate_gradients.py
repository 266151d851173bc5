"""`advprop evaluate`: restarts, and what tells a robust branch from a masked gradient."""

import json


def test_sanity_adds_noise_and_pgd_without_a_bound(advprop, model, val) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--branch", "main", "--json", "-")
    words = (*words, "--attack", "pgd", "--epsilon", "1/255", "--steps", 2, "--sanity")
    rows = json.loads(advprop(*words).out)["results"]
    shown = [(row["condition"].get("attack"), row["condition"].get("epsilon")) for row in rows]
    assert shown == [(None, None), ("PGD-2", 1 / 255), ("noise", 1 / 255), ("PGD-20", 1.0)]


def test_checks_of_gradients_are_of_each_branch_through_itself(advprop, model, val) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--json", "-", "--attack", "pgd")
    words = (*words, "--epsilon", "1/255", "--steps", 2, "--sanity", "--attack-branch", "each")
    rows = [row["condition"] | row for row in json.loads(advprop(*words).out)["results"]]
    met = [(row["branch"], row["attack_branch"], row["attack"]) for row in rows[2:]]
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
    message = (
        "No sign of a masked gradient: noise fools no more images than attacks of the same radius, "
        "and"
    )
    assert message not in advprop(*words, *attacks, "--report", tmp_path).out
    answer = advprop(*words, *attacks, "--sanity", "--report", tmp_path)
    assert f"{message} with no limit on ε, at most 0 % of images are still right." in answer.out
    assert message in (tmp_path / "report.html").read_text()


def test_a_sign_of_a_masked_gradient_is_said_everywhere(advprop, tmp_path) -> None:
    words = ("evaluate", "--model", "shapes-vanilla", "--data", "shapes", "--limit", 28)
    # Steps that lead nowhere: what one large step finds, ten of these do not.
    attacks = ("--attack", "fgsm,pgd", "--epsilon", "8/255", "--step-size", "1e-6")
    answer = advprop(*words, *attacks, "--report", tmp_path)
    message = "the stronger PGD-10, L∞ ε = 8/255"
    assert "check this: shapes-vanilla, main: FGSM, L∞ ε = 8/255 leaves" in answer.err + answer.out
    (warning,) = json.loads((tmp_path / "results.json").read_text())["warnings"]
    assert warning["sign"] == "one step beats many"
    assert message in warning["text"]
    assert message in (tmp_path / "report.html").read_text()
