"""How one cell is trained: a head on features, or a network by the trainer of `advprop train`."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.datasets.listed import Images
from advprop_core.models.dual_bn import MAIN
from advprop_core.training.data import TrainingData
from advprop_core.training.measure import quick_look
from advprop_core.training.meter import Diverged, Report
from advprop_core.training.network import Classes, new_model
from advprop_core.training.optimizer import make_optimizer, make_schedule
from advprop_core.training.recipe import Recipe
from advprop_core.training.sources import InMemory, epoch_order
from advprop_core.training.trainer import Trainer
from advprop_core.transfer.features import FEATURES

PIXELS = "pixels"
"""The tensor in a file of images."""
_MEASURED = 12


@dataclass(frozen=True, eq=False)
class Task:
    """All that decides a cell's result, small enough to be sent to another process.

    Attributes:
        recipe: How it is trained.
        classes: (id, name) by label.
        file: Holds features, or where blocks are trained images.
        train: Rows of the file.
        test: Rows of the file.
        labels: (n + m,) class indices of both, as numbers.
        network: Checkpoint that training starts from; None where the head alone is trained.
    """

    recipe: Recipe
    classes: Classes
    file: Path
    train: tuple[int, ...]
    test: tuple[int, ...]
    labels: tuple[int, ...]
    network: Path | None = None


Curve = dict[str, Any]
"""``epochs`` after which the test images were asked about, ``accuracies`` then, ``seconds``."""


def measured_epochs(epochs: int) -> tuple[int, ...]:
    """At most 12 epochs from the first to the last, each about as much later in proportion."""
    shares = [index / (_MEASURED - 1) for index in range(_MEASURED)]
    return tuple(sorted({round(epochs**share) for share in shares} | {epochs}))


def run_task(task: Task) -> Curve:
    """Train the cell's network and measure it on the way.

    Raises:
        Diverged: If a loss is not finite.
    """
    started = time.perf_counter()
    curve = train_head(task) if task.network is None else fine_tune(task)
    return {**curve, "seconds": round(time.perf_counter() - started, 3)}


def train_head(task: Task) -> Curve:
    """A new head on features that no augmentation changes; the network before it stays as it is.

    A step and its learning rate are those of the trainer; only the network is left out.
    """
    recipe, classes = task.recipe, len(task.classes)
    features, labels, test, test_labels = _read(task, FEATURES)
    torch.manual_seed(recipe.seed)
    head = nn.Linear(features.shape[1], classes)
    steps = len(labels) // recipe.batch_size
    optimizer = make_optimizer(head, recipe)
    schedule = make_schedule(optimizer, recipe, steps)
    measured, accuracies = measured_epochs(recipe.epochs), []
    for epoch in range(recipe.epochs):
        order = epoch_order(len(labels), recipe, epoch)
        for step in range(steps):
            schedule.step_update(epoch * steps + step)
            batch = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            loss = F.cross_entropy(
                head(features[batch]), labels[batch], label_smoothing=recipe.label_smoothing
            )
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if epoch + 1 in measured:
            if not loss.isfinite():
                raise Diverged(
                    f"the loss is {float(loss)} after epoch {epoch + 1}: lower the learning rate"
                )
            with torch.no_grad():
                accuracies.append(float((head(test).argmax(1) == test_labels).float().mean()))
    return {"epochs": list(measured), "accuracies": accuracies}


def fine_tune(task: Task) -> Curve:
    """The network from the blocks that are trained on, with augmentation."""
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no")
    device = accelerator.device
    # To compile takes longer than most cells do, so it is done only where it is asked for.
    recipe = replace(task.recipe, start_from=str(task.network), compile=bool(task.recipe.compile))
    images, labels, test, test_labels = _read(task, PIXELS)
    source = InMemory(images.to(device), labels.to(device), recipe, len(task.classes))
    photos = TrainingData(source, None, Images(images[:0], labels[:0], task.classes), "")
    model, _ = new_model(recipe, task.classes)
    trainer = Trainer(recipe, photos, None, accelerator, model, "")
    measured, curve = measured_epochs(recipe.epochs), dict[int, float]()

    def look(report: Report) -> None:
        if report.finished_epoch and report.epoch in measured:
            shown = Images(test, test_labels, task.classes)
            curve[report.epoch] = quick_look(trainer.trained, shown, device)[MAIN][0]

    trainer.all_epochs(look)
    return {"epochs": list(curve), "accuracies": list(curve.values())}


def _read(task: Task, name: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of a tensor in the task's file the training rows and their labels, and those of the test."""
    with safe_open(task.file, "pt") as file:
        values = file.get_tensor(name)
    train, test = torch.tensor(task.labels).tensor_split([len(task.train)])
    return values[list(task.train)], train, values[list(task.test)], test
