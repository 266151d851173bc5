"""`advprop train`: what a run writes, and what ends it."""

import shlex
from pathlib import Path

import pytest

from advprop_core.models import checkpoints
from advprop_core.training import run
from tests.core.training.tiny import draw_photos


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("photos"))


TINY = ("--arch", "test_resnet", "--size", 32, "--epochs", 1, "--batch-size", 4)


def test_a_run_records_its_command_and_is_not_overwritten(advprop, photos, tmp_path) -> None:
    words = ("train", "--data", photos, "--out", tmp_path / "run", *TINY)
    answer = advprop(*words)
    assert answer.code == 0, answer.err
    shown, wrote, *figures = answer.out.splitlines()
    assert shown.startswith("epoch 1/1: main clean loss ")
    assert wrote == f"wrote {tmp_path / 'run' / 'model.safetensors'}, and its card model.md"
    assert [line.split(": ")[0] for line in figures] == ["main", "aux"] * 2
    assert figures[2].endswith(" % robust accuracy, PGD-10, L∞ ε = 2/255")
    info = checkpoints.load(tmp_path / "run" / "model.safetensors").info
    assert info.recipe["command"] == shlex.join(map(str, ("advprop", *words)))
    assert info.name == "run"
    advprop(*words).refuses("--resume, or another --out")
    advprop(*words, "--resume", "--seed", 1).refuses("another recipe: seed 1 (it had 0)")
    again = advprop("train", "--data", photos, "--out", tmp_path / "run", "--resume")
    assert again.code == 0, "its recipe is in the run folder"
    assert "was finished after 3 of 3 steps" in again.out


def test_the_data_folder_is_no_run_folder(advprop, photos) -> None:
    advprop("train", "--data", photos, "--out", photos).refuses("--out is the data folder")


def test_a_run_may_be_named_like_built_in_data(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shapes").mkdir()
    run._require_room(Path("shapes"), "shapes", resume=False)  # raises nothing


def test_a_file_left_out_is_named_with_its_brackets(advprop, photos, tmp_path) -> None:
    data = tmp_path / "[data]"
    (data / "train").mkdir(parents=True)
    (data / "val").symlink_to(photos / "val")
    (data / "train" / "dogs").symlink_to(photos / "train" / "dogs")
    (data / "train" / "cats").mkdir()
    for file in (photos / "train" / "cats").iterdir():
        (data / "train" / "cats" / file.name).symlink_to(file)
    (data / "train" / "cats" / "torn.png").write_bytes(b"no image")
    words = ("train", "--data", data, "--out", tmp_path / "run", *TINY, "--objective", "vanilla")
    note = advprop(*words).out.splitlines()[0]
    assert note.startswith("1 image was left out")
    assert str(data / "train" / "cats" / "torn.png") in note


def test_a_full_disk_is_one_sentence(advprop, photos, tmp_path, fill_disk) -> None:
    fill_disk("state.pt")
    words = ("train", "--data", photos, "--out", tmp_path / "run", *TINY)
    answer = advprop(*words, "--objective", "vanilla")
    answer.refuses("state.pt could not be written (No space left on device): free at least 4 MB in")
    assert "try again; nothing was saved yet" in answer.err


def test_a_run_that_diverges_is_one_sentence(advprop, photos, tmp_path) -> None:
    words = ("--objective", "vanilla", "--learning-rate", 1e25, "--warmup-epochs", 0)
    answer = advprop("train", "--data", photos, "--out", tmp_path / "run", *TINY, *words)
    answer.refuses("lower it or warm up for longer")
