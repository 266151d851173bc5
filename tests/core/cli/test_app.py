"""`advprop app`: what it hands to Streamlit, and what it refuses before."""

import json
import os
import sys

import pytest
from safetensors.torch import save_file

from advprop_core.models import checkpoints


@pytest.fixture
def started(monkeypatch) -> list[tuple[list[str], dict[str, str], str]]:
    calls: list[tuple[list[str], dict[str, str], str]] = []
    working_folder = ["?"]
    monkeypatch.setattr(os, "chdir", lambda folder: working_folder.append(str(folder)))
    monkeypatch.setattr(
        os, "execve", lambda _, words, env: calls.append((words, env, working_folder[-1]))
    )
    for name in (
        *("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"),
        *("ADVPROP_MODELS", "ADVPROP_IMAGES", "ADVPROP_MODEL_SETTINGS"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return calls


def test_app_starts_streamlit_for_this_machine_only(advprop, bundled, started) -> None:
    assert advprop("app").code == 0
    ((words, environment, working_folder),) = started
    assert words[1:5] == ["-m", "streamlit", "run", str(bundled / "streamlit_server.py")]
    options = " ".join(words[5:])
    assert "--server.address 127.0.0.1" in options
    assert "--browser.gatherUsageStats false" in options
    assert "--server.port" not in options
    assert "--server.maxUploadSize 1000" in options
    assert working_folder == str(bundled)
    assert {"ADVPROP_MODELS", "ADVPROP_PUBLIC"}.isdisjoint(environment)
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert environment["GOMP_SPINCOUNT"] == "1000"


def test_app_hands_over_models_and_photos(advprop, bundled, started, model, photo) -> None:
    words = ("app", "--model", model, "--images", photo.parent, "--port", 8600, "--public")
    answer = advprop(*words)
    ((command, environment, _),) = started
    assert json.loads(environment["ADVPROP_MODELS"]) == [str(model.resolve())]
    assert environment["ADVPROP_IMAGES"] == str(photo.parent.resolve())
    options = " ".join(command[5:])
    assert "--server.address 0.0.0.0" in options
    assert "--server.port 8600" in options
    assert "Anyone who can reach this machine" in answer.err
    assert "cannot open network files" in answer.err
    assert "--server.maxUploadSize 20" in options
    assert "allowedHosts" not in options  # it knows its own addresses
    assert environment["ADVPROP_PUBLIC"] == "1"


def test_behind_a_proxy_the_app_listens_to_this_machine_and_answers_to_its_names(
    advprop, started, monkeypatch
) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "127.0.0.1")
    assert advprop("app", "--public", "--host", "lens.example.org,10.0.0.7").code == 0
    ((command, environment, _),) = started
    options = " ".join(command[5:])
    assert "--server.address" not in options
    assert "--server.allowedHosts lens.example.org --server.allowedHosts 10.0.0.7" in options
    assert environment["STREAMLIT_SERVER_ADDRESS"] == "127.0.0.1"


def test_app_hands_over_what_foreign_files_do_not_say(
    advprop, bundled, started, model, tmp_path
) -> None:
    plain = tmp_path / "plain.safetensors"
    save_file(checkpoints.load(model).model.branch("main").network.state_dict(), plain)
    settings = ("--arch", "test_resnet", "--size", 64, "--mean", "0.1,0.2,0.3", "--std", "1,1,1")
    answer = advprop("app", "--model", f"{plain},{model}", *settings, "--classes", "a,b,c,d,e,f")
    assert answer.code == 0, answer.err
    ((_, environment, _),) = started
    assert json.loads(environment["ADVPROP_MODEL_SETTINGS"]) == {
        "architecture": "test_resnet",
        "size": 64,
        "mean": [0.1, 0.2, 0.3],
        "std": [1, 1, 1],
        "classes": [*"abcdef"],
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "{bad}/none.safetensors"), "no file"),
        (("--model", "{bad}/cut.safetensors"), "truncated"),
        (("--model", "{bad}/text.safetensors"), "is truncated or is not a checkpoint"),
        (("--model", "{bad}/code.pth"), "pickled code"),
        (("--model", "{bad}/foreign.safetensors"), "does not say its architecture"),
        (("--model", "{bad}/foreign.safetensors", "--arch", "resnet18"), "does not fit resnet18"),
        (("--arch", "resnet18"), "are for model files of other programs"),
        (("--model", "toy-advprop", "--size", 32), "are for model files of other programs"),
        (("--images", "{bad}/none"), "no folder"),
        (("--images", "{bad}/empty"), "holds no image"),
        (("--port", "0"), "--port"),
    ],
)
def test_app_refuses_before_the_start(words, message, advprop, bundled, started, bad_files) -> None:
    answer = advprop("app", *(str(word).format(bad=bad_files) for word in words))
    assert answer.code == 2
    assert message in answer.err
    assert not started
