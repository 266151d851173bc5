"""A grid from its sources to its results, and what it takes over from an earlier run."""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from advprop_core.models.bundle import open_model
from advprop_core.transfer import run, training
from advprop_core.transfer.grid import Grid, make_grid
from advprop_core.transfer.pools import ThreadPool
from advprop_core.transfer.results_file import summarise
from advprop_core.transfer.run import run_grid


def small_grid(network, photos, **values) -> Grid:
    """Four cells for each of two seeds, unless told otherwise."""
    return make_grid(
        {
            "sources": [str(network), f"{network}:aux"],
            "data": str(photos),
            "num_images": [8, 16],
            "seeds": 2,
            "training": {"epochs": 6},
            **values,
        }
    )


def test_a_grid_is_trained_and_told(network, photos, tmp_path) -> None:
    grid = small_grid(network, photos, training={"epochs": 30})
    outcome = run_grid(grid, tmp_path, ThreadPool)
    assert [*outcome.curves] == [*grid.cells()]
    assert not outcome.failed
    content = json.loads(json.dumps(summarise(outcome, "advprop transfer")))
    assert content["kind"] == "transfer"
    assert (content["train_images"], content["test_images"]) == (24, 16)
    assert content["sources"][f"{network}:aux"]["training"] == "advprop, aux, L2 ε = 0.5"
    last = content["results"][-1]
    assert last["epochs"][0] == 1
    assert last["epochs"][-1] == 30
    assert last["accuracy"] == last["accuracies"][-1] > 0.9, "dark and light are easy"
    rows = content["accuracies"]
    assert [row["seeds"] for row in rows] == [2] * 4
    assert [row["difference"] is None for row in rows] == [True, False] * 2
    needed = [row["images"] for row in content["needed"]]
    assert [images is None for images in needed] == [True, False] * 2


def test_what_is_finished_is_not_trained_again(network, photos, tmp_path, monkeypatch) -> None:
    @contextmanager
    def end_after_three(what, total):
        def progress(done, total):
            if what == "cells" and done == 3:
                raise KeyboardInterrupt

        yield progress

    grid = small_grid(network, photos, num_images=[8])
    with pytest.raises(KeyboardInterrupt):
        run_grid(grid, tmp_path, ThreadPool, counting=end_after_three)
    real = training.run_task
    monkeypatch.setattr(run, "run_task", lambda task: real(task) | {"again": True})
    outcome = run_grid(grid, tmp_path, ThreadPool)
    assert outcome.reused == 3
    assert sum("again" in curve for curve in outcome.curves.values()) == 1
    monkeypatch.setattr(run, "run_task", pytest.fail)
    assert run_grid(grid, tmp_path, ThreadPool).curves == outcome.curves
    longer = replace(grid, training=replace(grid.training, learning_rate=0.2))
    monkeypatch.setattr(run, "run_task", real)
    assert run_grid(longer, tmp_path, ThreadPool).reused == 0, "another recipe is another cell"


def test_blocks_are_trained_by_the_trainer_and_the_rest_stays(network, photos, tmp_path) -> None:
    grid = small_grid(network, photos, num_images=[8], trainable=["0", 1, "all"], seeds=1)
    models = []
    real = training.Trainer

    def watched(*arguments):
        trainer = real(*arguments)
        models.append(
            (trainer.model, {k: v.clone() for k, v in trainer.model.state_dict().items()})
        )
        return trainer

    training.Trainer = watched
    try:
        outcome = run_grid(grid, tmp_path, ThreadPool)
    finally:
        training.Trainer = real
    assert len(outcome.curves) == 6
    assert [curve["epochs"] for curve in outcome.curves.values()] == [[1, 2, 3, 4, 5, 6]] * 6
    aux = open_model(network).model.branch("aux").network.state_dict()
    for (_, before), kind in zip(models, ("main", "aux") * 2, strict=True):
        if kind == "aux":
            assert all(
                torch.equal(value, before[key]) for key, value in aux.items() if key[:3] != "fc."
            )
    moved = [
        {
            key.split(".")[0]
            for key, value in model.state_dict().items()
            if not torch.equal(value, before[key])
        }
        for model, before in models
    ]
    assert moved[0] == {"layer4", "fc"}
    assert "conv1" in moved[2]


def test_where_a_gpu_has_no_room_features_are_made_on_the_cpu_and_that_is_said(
    network, photos, tmp_path, monkeypatch
) -> None:
    grid = small_grid(network, photos, num_images=[8], seeds=1)
    real = run.FeatureCache.rows

    def rows(cache, images, digests, device, progress):
        if device.type != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(cache, images, digests, device, progress)

    monkeypatch.setattr(run.FeatureCache, "rows", rows)
    monkeypatch.setattr(run.torch.cuda, "is_available", lambda: True)
    outcome = run_grid(grid, tmp_path, ThreadPool)
    assert not outcome.failed
    assert outcome.notes == ("the GPU's memory was full, so features were made on the CPU",)
