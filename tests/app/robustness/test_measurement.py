"""What the page asks for, from what is chosen."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.models import bundle
from advprop_core.pictures.probes import PROBES
from advprop_core.types import AttackConfig
from app.robustness.measurement import (
    RunRequest,
    command,
    data_for,
    no_data,
    request_of,
)
from app.robustness.view import RobustnessView

VIEW = RobustnessView(
    tested=("one",), data="shapes", images=20, attacks=("pgd",), radii="1/255, 2/255"
)


def test_attacks_of_a_view():
    request = request_of(replace(VIEW, attacks=("pgd", "fgsm"), attack_steps=7))
    assert request.attacks == (
        AttackConfig.pgd(1 / 255, steps=7),
        AttackConfig.pgd(2 / 255, steps=7),
        AttackConfig.fgsm(1 / 255),
        AttackConfig.fgsm(2 / 255),
    )
    assert request.corruptions == ()


def test_autoattack_has_steps_of_its_own():
    request = request_of(replace(VIEW, attacks=("pgd", "autoattack"), attack_steps=7))
    assert request.attacks[2:] == (
        AutoAttackConfig("linf", 1 / 255),
        AutoAttackConfig("linf", 2 / 255),
    )
    alone = replace(VIEW, attacks=("autoattack",))
    assert request_of(alone) == request_of(replace(alone, attack_steps=50))
    assert "--steps" not in command(request_of(alone), {"one": Path("/x/y/z.s")})


def test_restarts_are_of_pgd():
    request = request_of(replace(VIEW, attacks=("pgd", "fgsm"), restarts=3))
    assert request.restarts == 3
    assert "--restarts 3" in command(request, {"one": Path("/x/y/z.s")})
    alone = replace(VIEW, attacks=("i-fgsm",))
    assert request_of(replace(alone, restarts=3)) == request_of(alone)


def test_radii_of_l2_are_no_255ths():
    request = request_of(replace(VIEW, attacks=("i-fgsm",), ball="l2", radii="0.5, 2"))
    assert request.attacks[1] == AttackConfig.pgd(2.0, norm="l2", random_start=False)


def test_what_decides_nothing_does_not_tell_runs_apart():
    alone = replace(VIEW, attacks=("fgsm",))
    assert request_of(alone) == request_of(replace(alone, attack_steps=50, seed=3))
    without = replace(VIEW, attacks=())
    assert request_of(without) == request_of(replace(without, radii="nonsense", ball="l2"))


def test_all_corruptions_at_some_severities():
    request = request_of(replace(VIEW, corrupted=True, severities=("5", "1")))
    assert len(request.corruptions) == 30
    assert {one.severity for one in request.corruptions} == {1, 5}
    assert request_of(VIEW).severities == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1 to 12 radii"),
        (",".join(f"{n}/255" for n in range(1, 14)), "got 13"),
        ("1/255, x", "got 'x'"),
        ("1.5", "epsilon"),
    ],
)
def test_radii_that_cannot_be_used_are_named(text, message):
    with pytest.raises(ValueError, match=message):
        request_of(replace(VIEW, radii=text))


def test_probes_and_the_search_of_a_view():
    request = request_of(replace(VIEW, probed=True, searched=True, attack_steps=7))
    assert len(request.probes) == sum(map(len, PROBES.values()))
    assert request.search == AttackConfig.pgd(16 / 255, steps=7)
    assert (request_of(VIEW).probes, request_of(VIEW).search) == ((), None)
    for kinds in ((), ("fgsm",)):  # then the steps are those of no attack of the page
        alone = request_of(replace(VIEW, attacks=kinds, searched=True, attack_steps=7))
        assert alone.search == AttackConfig.pgd(16 / 255, steps=10)
    long = replace(VIEW, ball="l2", radii="1", searched=True)
    assert request_of(long).search == AttackConfig.pgd(4.0, norm="l2", steps=10)


def test_attacks_through_each_branch_are_another_run():
    assert request_of(replace(VIEW, through_each=True)).through_each
    assert request_of(replace(VIEW, sanity=True)).sanity
    without = replace(VIEW, attacks=())
    assert request_of(replace(without, through_each=True, sanity=True)) == request_of(without)


def test_no_network_and_no_severity_are_said():
    with pytest.raises(ValueError, match="No network is chosen"):
        request_of(replace(VIEW, tested=()))
    with pytest.raises(ValueError, match="No severity"):
        request_of(replace(VIEW, corrupted=True, severities=()))


def test_images_that_networks_know(tiny_info_of, monkeypatch, tmp_path):
    monkeypatch.delenv("ADVPROP_IMAGES", raising=False)
    shapes = tiny_info_of()
    photos = replace(shapes, class_ids=("n01", "n02"), class_names=("tench", "church"))
    assert list(data_for({"a": shapes})) == ["shapes", "shapes-conflict"]
    assert data_for({"b": photos}) == {}
    assert "advprop app --images" in no_data({"b": photos})
    (tmp_path / "Church").mkdir()
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    assert list(data_for({"b": photos})) == ["folder"]
    assert data_for({"a": shapes, "b": photos}) == {}
    assert "different classes" in no_data({"a": shapes, "b": photos})
    sentence = no_data({"a": shapes})
    assert "`Church`" in sentence
    assert "can tell apart: `star`, `heart`," in sentence
    assert "and 4 more. The folder" in sentence


def test_the_command_names_an_opened_network_by_its_file_alone():
    name = "mine~0123456789abcdef"
    text = command(RunRequest((name,), "shapes", 20), {name: Path("/tmp/x/mine/mine.safetensors")})
    assert "--model mine.safetensors --data" in text


def test_the_command_is_one_that_evaluate_takes(monkeypatch, tmp_path):
    files = {"shapes-advprop": bundle.bundled_models()["shapes-advprop"], "mine": Path("/x/y/z.s")}
    request = RunRequest(
        ("shapes-advprop", "mine"), "shapes", 20, ("pgd", "fgsm"), "l2", (0.5, 1 / 255), 7,
        severities=(1, 3),
    )  # fmt: skip
    text = command(request, files)
    assert text == (
        "advprop evaluate --model shapes-advprop,y/z.s --data shapes --attack pgd,fgsm "
        "--epsilon 0.5,1/255 --norm l2 --steps 7 --corruptions all --severity 1,3 --limit 20"
    )
    more = replace(
        request, through_each=True, sanity=True, severities=(), probed=True, limit=16 / 255
    )
    assert command(more, files).endswith(
        "--steps 7 --attack-branch each --sanity --probe all --smallest-epsilon 16/255 --limit 20"
    )
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path / "my photos"))
    plain = command(RunRequest(("mine",), "folder", 20, ("fgsm",), radii=(2 / 255,)), files)
    assert plain == (
        "advprop evaluate --model y/z.s --data 'my photos' --attack fgsm --epsilon 2/255 --limit 20"
    )


def test_the_command_says_what_a_foreign_file_does_not(monkeypatch, tmp_path):
    (tmp_path / "net.pth").write_bytes(b"no header of this project")
    settings = {"architecture": "resnet18", "size": 64, "mean": [0.5] * 3, "classes": ["a b", "c"]}
    monkeypatch.setenv("ADVPROP_MODEL_SETTINGS", json.dumps(settings))
    text = command(RunRequest(("net",), "folder", 20), {"net": tmp_path / "net.pth"})
    assert " --arch resnet18 --size 64 --mean 0.5,0.5,0.5 --classes 'a b,c' " in text
