"""The training loop, resumable, and what a run leaves behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from timm.scheduler import CosineLRScheduler
from torch import Tensor

from advprop_core import checkpoints, models
from advprop_core.cards import model_card
from advprop_core.dual_bn import DualBNModel
from advprop_core.training.data import Split, batches, load_split
from advprop_core.training.measure import measure
from advprop_core.training.objectives import (
    Objective,
    StepInput,
    branch_losses,
    make_objective,
)
from advprop_core.training.recipe import Recipe
from advprop_core.types import BranchOrigin, ModelInfo

_STATE = "state.pt"
_FINAL = "model.safetensors"


class Diverged(RuntimeError):
    """The loss is not a number; the last good checkpoint is untouched."""


@dataclass(frozen=True)
class EpochReport:
    """What a person reads after an epoch."""

    epoch: int
    epochs: int
    loss: dict[str, float]
    accuracy: dict[str, float]
    images_per_second: float


def train(
    recipe: Recipe,
    data: str,
    out: Path,
    *,
    name: str,
    command: str = "",
    resume: bool = False,
    report: Callable[[EpochReport], None] | None = None,
) -> Path:
    """Train by the recipe and write a self-describing checkpoint.

    Args:
        recipe: What to do.
        data: A built-in data set, or a folder with ``train/`` and ``val/``.
        out: Run folder: recipe, ``metrics.jsonl``, state to resume from, final checkpoint.
        name: Name in the checkpoint's header.
        command: The command line that made it, for the card.
        resume: Continue the run in ``out`` after its last whole epoch.
        report: Called after each epoch.

    Returns:
        Path of the final checkpoint; its weights are in half precision, its metrics measured
        on ``val`` after that cast.

    Raises:
        Diverged: If the loss is not finite.
        FileExistsError: If ``out`` holds a run and ``resume`` is not set.
        ValueError: For bad data, or when the run in ``out`` had another recipe.
    """
    state_path = out / _STATE
    if state_path.exists() and not resume:
        raise FileExistsError(f"{out} holds a run already: use --resume, or another --out")
    out.mkdir(parents=True, exist_ok=True)
    split = load_split(data, "train", recipe.size, margin=True)
    held_out = load_split(data, "val", recipe.size, classes=split.classes)  # now, not after hours
    torch.manual_seed(recipe.seed)  # timm initialises new networks from the global generator
    info = _new_info(recipe, split, data, name, command)
    model = models.create(info).to(memory_format=torch.channels_last)
    steps = len(split.labels) // recipe.batch_size
    if not steps:
        raise ValueError(
            f"batch_size is {recipe.batch_size}, but there are only {len(split.labels)} images"
        )
    optimizer = torch.optim.SGD(
        _parameter_groups(model, recipe.weight_decay),
        lr=recipe.learning_rate,
        momentum=0.9,
        nesterov=True,
    )
    schedule = _schedule(optimizer, recipe, steps)
    first = _restore(state_path, model, optimizer, recipe) if state_path.exists() else 0
    objective = make_objective(model, recipe)
    (out / "recipe.json").write_text(json.dumps(info.recipe, indent=2) + "\n")
    with (out / "metrics.jsonl").open("a") as log:
        for epoch in range(first, recipe.epochs):
            result = _epoch(model, optimizer, schedule, objective, split, recipe, epoch)
            _require_finite(model, epoch)
            log.write(json.dumps(asdict(result)) + "\n")
            log.flush()
            _save_state(state_path, model, optimizer, recipe, epoch + 1)
            if report:
                report(result)
    return _finish(out / _FINAL, model, info, held_out)


def _require_finite(model: DualBNModel, epoch: int) -> None:
    """The last step of an epoch can spoil weights that no loss has been measured on yet."""
    for key, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise Diverged(f"{key} is not finite after epoch {epoch + 1}: lower the learning rate")


def _epoch(
    model: DualBNModel,
    optimizer: torch.optim.Optimizer,
    schedule: CosineLRScheduler,
    objective: Objective,
    split: Split,
    recipe: Recipe,
    epoch: int,
) -> EpochReport:
    """One pass; everything random in it follows from (seed, epoch)."""
    generator = torch.Generator().manual_seed(recipe.seed * 100_003 + epoch)
    steps = len(split.labels) // recipe.batch_size
    model.train()
    losses: dict[str, float] = {}
    hits: dict[str, float] = {}
    started = time.perf_counter()
    for index, (pixels, labels) in enumerate(batches(split, recipe, generator)):
        number = epoch * steps + index
        schedule.step_update(number)
        inputs = objective(StepInput(pixels, labels, recipe.seed * 10_000_019 + number))
        logits = model(inputs)
        parts = branch_losses(logits, labels, recipe.label_smoothing)
        loss = torch.stack(list(parts.values())).sum()
        if not torch.isfinite(loss):
            raise Diverged(
                f"the loss is {loss.item()} in epoch {epoch + 1}, step {index + 1}: lower the "
                f"learning rate ({recipe.learning_rate}); the last whole epoch is saved"
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        for branch, part in parts.items():
            losses[branch] = losses.get(branch, 0.0) + part.item() / steps
            right = (logits[branch].argmax(1) == labels).float().mean().item()
            hits[branch] = hits.get(branch, 0.0) + right / steps
    seconds = time.perf_counter() - started
    rate = steps * recipe.batch_size / seconds
    return EpochReport(epoch + 1, recipe.epochs, losses, hits, rate)


def _parameter_groups(model: DualBNModel, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only: norm layers and biases are left alone."""
    matrices: list[Tensor] = [p for p in model.parameters() if p.ndim > 1]
    vectors: list[Tensor] = [p for p in model.parameters() if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def _schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> CosineLRScheduler:
    return CosineLRScheduler(
        optimizer,
        t_initial=recipe.epochs * steps,
        warmup_t=round(recipe.warmup_epochs * steps),
        warmup_lr_init=recipe.learning_rate / 100,
        warmup_prefix=False,
        t_in_epochs=False,
    )


def _save_state(
    path: Path,
    model: DualBNModel,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    epoch: int,
) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "recipe": json.dumps(asdict(recipe)),
            "epoch": epoch,
        },
        temporary,
    )
    temporary.replace(path)


def _restore(
    path: Path, model: DualBNModel, optimizer: torch.optim.Optimizer, recipe: Recipe
) -> int:
    state = torch.load(path, weights_only=True)
    if json.loads(state["recipe"]) != json.loads(json.dumps(asdict(recipe))):
        raise ValueError(f"the run in {path.parent} had another recipe: {state['recipe']}")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epoch"])


def _new_info(recipe: Recipe, split: Split, data: str, name: str, command: str) -> ModelInfo:
    config = models.pretrained_config(recipe.architecture)
    origins: dict[str, BranchOrigin] = {"main": "trained"}
    if recipe.auxiliaries:
        origins["aux"] = "trained"
    return ModelInfo(
        architecture=recipe.architecture,
        class_ids=tuple(identity for identity, _ in split.classes),
        class_names=tuple(readable for _, readable in split.classes),
        input_size=recipe.size,
        mean=tuple(config.mean),
        std=tuple(config.std),
        branches=origins,
        name=name,
        recipe={
            **asdict(recipe),
            "attack": asdict(recipe.attack) if recipe.objective != "vanilla" else None,
            "data": Path(data).name,
            "training_images": len(split.labels),
            "command": command,
        },
    )


def _finish(path: Path, model: DualBNModel, info: ModelInfo, held_out: Split) -> Path:
    """Cast, measure what the file really holds, and write the figures into its header."""
    checkpoints.save(path, model, info, half=True)
    saved = checkpoints.load(path)
    measured = replace(info, metrics=measure(saved.model, held_out, str(info.recipe["data"])))
    checkpoints.save(path, saved.model, measured, half=True)
    path.with_suffix(".md").write_text(model_card(measured))
    return path
