"""Head-only cells of a transfer experiment: on cached features, and with the network each epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.models.folding import fold
from advprop_core.pictures.digests import image_digests
from advprop_core.training.optimizer import make_optimizer, make_schedule
from advprop_core.training.sources import epoch_order
from advprop_core.transfer.features import FeatureCache
from advprop_core.transfer.grid import Cell, make_grid
from advprop_core.transfer.sources import Source, open_source
from advprop_core.transfer.training import Task, measured_epochs, train_head
from benchmarks.timing import verdict

SOURCE = "shapes-advprop"
IMAGES, TEST, EPOCHS, CELLS, CLASSES = 100, 100, 30, 50, 10
GOAL = 20  # times faster


def run(data: Path | None) -> dict[str, Any]:
    """Times do not depend on what the images show, so they are noise and ``data`` is not used."""
    source = open_source(SOURCE)
    size = source.info.input_size
    generator = torch.Generator().manual_seed(0)
    shape = (IMAGES + TEST, 3, size, size)
    images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    labels = torch.arange(len(images)) % CLASSES
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        cache = FeatureCache(Path(folder), source, size)
        rows = cache.rows(images, image_digests(images, labels), torch.device("cpu"))
        once = time.perf_counter() - start
        task = _task(cache.path, rows, labels, size)
        start = time.perf_counter()
        for seed in range(CELLS):
            train_head(replace(task, recipe=replace(task.recipe, seed=seed)))
        heads = time.perf_counter() - start
        start = time.perf_counter()
        accuracies = _network_each_epoch(source, task, images)
        each_epoch = time.perf_counter() - start
        assert accuracies == train_head(task)["accuracies"], "both train the same head"
    ratio = CELLS * each_epoch / (once + heads)
    print(f"{SOURCE}, {IMAGES} images, {EPOCHS} epochs, {TEST} test images, {CELLS} cells")
    print(f"features once {once:.2f} s, then {heads / CELLS:.3f} s a cell")
    print(f"the network in each epoch: {each_epoch:.2f} s a cell (one measured)")
    print(f"the grid is {ratio:.0f} times faster; goal {GOAL}: {verdict(ratio >= GOAL)}")
    return {"features": once, "cell": heads / CELLS, "each_epoch": each_epoch, "ratio": ratio}


def _task(path: Path, rows: Sequence[int], labels: Tensor, size: int) -> Task:
    grid = make_grid({"sources": [SOURCE], "data": "noise", "training": {"epochs": EPOCHS}})
    recipe = grid.recipe(Cell(SOURCE, "0", IMAGES, 0), size)
    classes = tuple((str(label), str(label)) for label in range(CLASSES))
    return Task(
        recipe, classes, path, tuple(rows[:IMAGES]), tuple(rows[IMAGES:]), tuple(labels.tolist())
    )


def _network_each_epoch(source: Source, task: Task, images: Tensor) -> list[float]:
    """The same head, with the network run on every batch and on every look at the test images."""
    recipe, network = task.recipe, fold(source.network, images[:1].float() / 255)
    torch.manual_seed(recipe.seed)
    head = nn.Linear(source.network.network.num_features, CLASSES)  # type: ignore[union-attr]
    optimizer = make_optimizer(head, recipe)
    schedule = make_schedule(optimizer, recipe, 1)
    labels, test_labels = torch.tensor(task.labels).tensor_split([IMAGES])
    accuracies = []
    for epoch in range(EPOCHS):
        order = epoch_order(IMAGES, recipe, epoch)
        schedule.step_update(epoch)
        F.cross_entropy(head(_features(network, images[order])), labels[order]).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if epoch + 1 in measured_epochs(EPOCHS):
            with torch.no_grad():
                answers = head(_features(network, images[IMAGES:])).argmax(1)
            accuracies.append(float((answers == test_labels).float().mean()))
    return accuracies


def _features(network: Any, images: Tensor) -> Tensor:
    """Batch by batch, as they are cached."""
    with torch.no_grad():
        return torch.cat(
            [
                network.head_features(
                    part.contiguous(memory_format=torch.channels_last).float() / 255
                )
                for part in images.split(32)
            ]
        )
