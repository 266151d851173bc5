"""A training run from its recipe to its checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.tracking import get_available_trackers
from accelerate.utils import DistributedDataParallelKwargs, LoggerType

from advprop_core.datasets.named import BUILTIN
from advprop_core.files import write_whole
from advprop_core.models import checkpoints
from advprop_core.models.cards import model_card
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.processes import Processes
from advprop_core.training import state
from advprop_core.training.data import Split, load_data
from advprop_core.training.inputs import require_known_inputs
from advprop_core.training.measure import measure
from advprop_core.training.meter import Diverged, Report
from advprop_core.training.recipe import Recipe
from advprop_core.training.recipe_files import RECIPE, write_recipe
from advprop_core.training.start import Classes, describe, new_model
from advprop_core.training.trainer import Run, memory_advice
from advprop_core.types import ModelInfo

_FINAL = "model.safetensors"


def train(
    recipe: Recipe,
    data: str,
    out: Path,
    *,
    name: str,
    command: str = "",
    resume: bool = False,
    trackers: Sequence[str] = (),
    report: Callable[[Report], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train by the recipe and write a self-describing checkpoint.

    Started by ``torchrun`` or ``accelerate launch`` it runs on all their processes, which each
    take their share of every batch; the first one writes and reports.

    Args:
        recipe: What to do.
        data: A built-in data set, or a folder with ``train/`` and ``val/``.
        out: Run folder: recipe, ``metrics.jsonl``, state to resume from, final checkpoint.
        name: Name in the checkpoint's header.
        command: The command line that made it, for the card.
        resume: Continue the run in ``out`` from its last state.
        trackers: Names that Accelerate knows: ``tensorboard``, ``wandb``.
        report: Called about twice a second and after each epoch.
        note: Called with a sentence on what a person should know before it starts.

    Returns:
        Path of the final checkpoint; its weights are in half precision, its metrics measured
        on ``val`` after that cast.

    Raises:
        CannotSave: If a state cannot be written.
        Diverged: If a loss, or what the trained network says, is not finite.
        FileExistsError: If ``out`` holds a run and ``resume`` is not set.
        OutOfMemory: If the photos, a step or the measuring does not fit.
        ValueError: For bad data, a tracker that is not installed, or when the run in ``out`` had
            another recipe or other data.
    """
    _require_trackers(trackers)
    _require_room(out, data, resume)
    # Statistics are shared by the run itself, before its attacks.
    by_run = DistributedDataParallelKwargs(broadcast_buffers=False)
    accelerator = Accelerator(
        cpu=not torch.cuda.is_available(),  # or it would take a Mac's GPU, which nothing here does
        log_with=list(trackers) or None,
        project_dir=str(out),
        kwargs_handlers=[by_run],
        mixed_precision="no",  # that is the recipe's, whatever Accelerate's own settings say
    )
    processes = Processes(accelerator.process_index, accelerator.num_processes, accelerator.device)
    _require_batch(recipe, accelerator.num_processes)
    if recipe.sync_bn and accelerator.device.type == "cpu":
        raise ValueError("sync_bn needs GPUs: there is no SyncBatchNorm for a CPU, leave it out")
    require_known_inputs(recipe)
    saved = state.read(out / state.STATE, processes)
    if resume and not saved and processes.is_first:
        note(f"{out} holds no run yet: this one starts from the beginning")
    with memory_advice(
        f"the photos do not fit into memory at {recipe.size} pixels: lower --size, or keep fewer "
        "in val and in --holdout"
    ):
        photos = load_data(
            data,
            recipe,
            accelerator.device,
            measures=accelerator.is_main_process,
            in_memory=saved.progress.in_memory if saved else None,
        )
    _require_classes(recipe, photos.classes)
    with memory_advice(
        f"batch size {recipe.batch_size} at {recipe.size} pixels does not fit into memory: "
        "lower --batch-size (and the learning rate in proportion), or --size"
    ):
        if photos.unreadable and accelerator.is_main_process:
            first, count = photos.unreadable[0], len(photos.unreadable)
            were = "image was" if count == 1 else "images were"
            note(f"{count} {were} left out, such as {first.path}: {first.reason}")
        model, info = new_model(recipe, photos.classes)
        recipe = replace(recipe, architecture=info.architecture)  # that of what it starts from
        info = describe(replace(info, name=name), recipe, data, len(photos.source), command)
        identity = state.identity(recipe, data, photos.digest, processes.count)
        run = Run(recipe, photos, out, accelerator, model, identity, saved)
        with state.writing(out):  # not before, or what is refused would leave an empty folder
            out.mkdir(parents=True, exist_ok=True)
        if saved and processes.is_first:
            steps = recipe.epochs * run.steps
            done = "was finished" if run.progress.step == steps else "goes on"
            note(f"the run in {out} {done} after {run.progress.step} of {steps} steps")
        if trackers:
            accelerator.init_trackers("advprop", config=run.flat_recipe())
        if accelerator.is_main_process:
            with state.writing(out / RECIPE):
                write_recipe(out / RECIPE, recipe)
        run.all_epochs(report)
        accelerator.end_training()
        if run.progress.unfrozen:
            info = replace(info, branches=dict.fromkeys(info.branches, "trained"))
        if accelerator.is_main_process:
            _finish(out / _FINAL, run.trained, info, photos.val, data, accelerator.device)
        return out / _FINAL


def _require_room(out: Path, data: str, resume: bool) -> None:
    """Nothing that was trained is written over, and photos lie apart."""
    if data not in BUILTIN and Path(data).resolve() == out.resolve():
        raise ValueError(f"--out is the data folder {data}: give a folder of the run's own")
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out must be a folder, and {out} is a file")
    if (out / state.STATE).exists():
        if not resume:
            raise FileExistsError(f"{out} holds a run already: use --resume, or another --out")
    elif (out / _FINAL).exists():
        raise FileExistsError(
            f"{out} holds a trained model, but no {state.STATE} to go on from: give another --out, "
            "or move the model away"
        )


def _require_batch(recipe: Recipe, processes: int) -> None:
    """BatchNorm needs two images or more in every pass."""
    if recipe.batch_size % processes:
        raise ValueError(
            f"batch_size {recipe.batch_size} cannot be shared equally by {processes} processes"
        )
    own = recipe.batch_size // processes
    smallest = own
    if recipe.objective == "fast-advprop":
        attacked = round(recipe.adversarial_share * own)
        smallest = min(attacked, own - attacked)
    mixing = recipe.augmentation.mixup or recipe.augmentation.cutmix
    if mixing and own % 2:
        raise ValueError(f"MixUp and CutMix pair images, but a process has {own} in a step")
    if smallest < 2:
        raise ValueError(
            f"batch_size {recipe.batch_size} leaves {smallest} images for a pass on one process, "
            "and BatchNorm cannot take the statistics of fewer than 2: raise it"
        )


def _require_classes(recipe: Recipe, classes: Classes) -> None:
    """There must be something to tell apart, and for some attacks a class that is wrong."""
    if len(classes) < 2:
        raise ValueError(f"there is only one class, {classes[0][1]}: training needs two or more")
    mixing = recipe.augmentation.mixup or recipe.augmentation.cutmix
    if mixing and recipe.attack.goal == "random" and len(classes) < 3:
        raise ValueError(
            "an attack towards a random wrong class needs three classes where MixUp or CutMix "
            "mixes two of them, but there are 2"
        )


def _require_trackers(names: Sequence[str]) -> None:
    """Accelerate itself would leave out what is missing, in silence."""
    installed = [str(one.value) for one in get_available_trackers()]
    known = [str(one.value) for one in LoggerType]
    for name in names:
        if name not in known:
            raise ValueError(f"there is no tracker {name!r}: one of {', '.join(known)}")
        if name not in installed:
            raise ValueError(
                f"the tracker {name!r} is not installed: pip install {name}, "
                f"or use one of {', '.join(installed) or 'none'}"
            )


def _finish(
    path: Path, model: DualBNModel, info: ModelInfo, val: Split, data: str, device: torch.device
) -> None:
    """Cast, measure what the file really holds, and write the figures into its header."""
    with state.writing(path):
        checkpoints.save(path, model.to("cpu"), info, half=True)
    try:
        saved = checkpoints.load(path)
        metrics = measure(saved.model, val, data, Processes(device=device))
    except ValueError as error:
        path.unlink()
        raise Diverged(
            f"what was trained cannot be measured ({error}): lower the learning rate or warm up "
            "for longer"
        ) from error
    measured = replace(info, metrics=metrics)
    with state.writing(path):
        checkpoints.save(path, saved.model, measured, half=True)
        write_whole(path.with_suffix(".md"), model_card(measured))
