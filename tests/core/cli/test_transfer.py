"""`advprop transfer`: what a grid leaves behind, and what ends it."""

import json
from pathlib import Path

import pytest

from advprop_core.models import checkpoints
from advprop_core.transfer import run
from advprop_core.transfer.pools import ThreadPool
from tests.core.training.tiny import draw_photos


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture
def asked(model, photos, tmp_path) -> list[object]:
    """Two sources, one number of images, two seeds."""
    return [
        "transfer", "--source", f"{model},{model}:aux", "--data", photos, "--out",
        tmp_path / "out", "--num-images", "6,12", "--seeds", 2, "--epochs", 3,
    ]  # fmt: skip


def test_a_grid_is_told_in_a_table_and_kept_in_files(advprop, asked, tmp_path) -> None:
    answer = advprop(*asked, "--workers", 1)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0] == "Accuracy on 4 test images, head only"
    assert "training images" in lines[1]
    assert any("against" in line and "head only" in line for line in lines)
    content = json.loads((tmp_path / "out" / "results.json").read_text())
    assert content["kind"] == "transfer"
    assert len(content["results"]) == 8
    assert content["training"]["epochs"] == 3
    page = (tmp_path / "out" / "report.html").read_text()
    assert "How fast does each source learn?" in page
    assert "its images are not augmented" in page
    again = advprop(*asked, "--json", "-")
    assert "8 finished cells were taken from" in again.err
    assert json.loads(again.out)["results"] == content["results"]


def test_a_file_sets_any_value_and_options_change_it(advprop, asked, tmp_path, monkeypatch) -> None:
    grids = []
    monkeypatch.setattr(run, "run_grid", lambda grid, *_, **__: grids.append(grid))
    (tmp_path / "grid.toml").write_text(
        "seeds = 9\ntest_images = 7\n[training]\nepochs = 40\ndecay_epochs = 9\nmomentum = 0.5\n"
    )
    with pytest.raises(AttributeError):  # nothing came of it
        advprop(*asked, "--recipe", tmp_path / "grid.toml", "--trainable", "0,3,all")
    (grid,) = grids
    assert (grid.seeds, grid.test_images, grid.trainable) == (2, 7, ("0", "3", "all"))
    assert (grid.training.epochs, grid.training.decay_epochs, grid.training.momentum) == (3, 1, 0.5)


def test_cells_that_fail_twice_are_named_and_tried_again_later(
    advprop, asked, tmp_path, monkeypatch
) -> None:
    real = run.run_task

    def refused(task):
        if task.recipe.seed:
            raise ValueError("not today")
        return real(task)

    monkeypatch.setattr("advprop_core.transfer.pools.ProcessPool", ThreadPool)
    monkeypatch.setattr(run, "run_task", refused)
    answer = advprop(*asked, "--workers", 1)
    assert answer.code == 0, answer.err
    assert "failed twice: " in answer.out
    assert "seed 1: ValueError: not today" in answer.out
    content = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (len(content["results"]), len(content["failed"])) == (4, 4)
    monkeypatch.setattr(run, "run_task", real)
    assert "4 finished cells were taken" in advprop(*asked, "--workers", 1).out
    monkeypatch.setattr(run, "run_task", refused)
    advprop(*asked, "--epochs", 2, "--seeds", 1, "--workers", 0).refuses("--workers must be at")
    monkeypatch.setattr(run, "run_task", lambda task: real(None))
    answer = advprop(*asked, "--epochs", 2, "--workers", 1)
    answer.refuses("no cell could be trained: AttributeError")


def test_a_full_disk_keeps_no_cells_but_gives_results(
    advprop, asked, tmp_path, fill_disk, monkeypatch
) -> None:
    monkeypatch.setattr("advprop_core.transfer.pools.ProcessPool", ThreadPool)
    fill_disk("cells")
    answer = advprop(*asked, "--workers", 1)
    assert "results are complete, but not kept for a later run: " in answer.out
    assert "No space left on device" in answer.out
    assert len(json.loads((tmp_path / "out" / "results.json").read_text())["results"]) == 8
    fill_disk()
    answer = advprop(*asked, "--workers", 1)
    assert answer.code == 2
    assert "could not be written (No space left on device)" in answer.err


def test_sources_of_other_sizes_are_each_shown_their_own(
    advprop, asked, model, make_dual, make_info, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("advprop_core.transfer.pools.ProcessPool", ThreadPool)
    checkpoints.save(tmp_path / "small.safetensors", make_dual(), make_info(input_size=32))
    words = [
        *asked,
        "--source",
        tmp_path / "small.safetensors",
        "--num-images",
        "6",
        "--workers",
        1,
    ]
    answer = advprop(*words)
    assert (
        f"{model} at 64, {model}:aux at 64 and {tmp_path / 'small.safetensors'} at 32" in answer.out
    )
    one_size = advprop(*words, "--size", 48)
    assert one_size.code == 0
    assert "different sizes" not in one_size.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--num-images", "13"), "num_images is 13, but"),
        (("--num-images", "ten"), "--num-images must be whole numbers, got 'ten'"),
        (("--trainable", "some"), "trainable must be a number of blocks or all"),
        (("--data", "nowhere"), "there is no folder 'nowhere'"),
        (("--source", "imagenet-lite9"), "imagenet-lite9"),
        (("--recipe", "none.toml"), "there is no grid none.toml"),
    ],
)
def test_what_cannot_be_asked(advprop, asked, words, message) -> None:
    advprop(*asked, *words).refuses(message)
