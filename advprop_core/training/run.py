"""A training run from its recipe to its checkpoint."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.tracking import get_available_trackers
from accelerate.utils import DistributedDataParallelKwargs, LoggerType

from advprop_core.datasets.named import BUILTIN
from advprop_core.errors import InputError
from advprop_core.evaluation.processes import Processes
from advprop_core.files import write_whole
from advprop_core.models import checkpoints
from advprop_core.models.bundle import open_file
from advprop_core.models.cards import model_card
from advprop_core.models.checkpoints import RATE, epoch_file
from advprop_core.models.dual_bn import MAIN, DualBNModel
from advprop_core.text import did_you_mean, percent
from advprop_core.training import state
from advprop_core.training.data import MEASURED, TrainingData, load_data
from advprop_core.training.inputs import require_known_inputs
from advprop_core.training.measure import for_network, measure
from advprop_core.training.memory import memory_advice
from advprop_core.training.meter import Diverged, Report
from advprop_core.training.network import Classes, describe, new_model
from advprop_core.training.recipe import Recipe
from advprop_core.training.recipe_files import RECIPE, write_recipe
from advprop_core.training.trainer import Trainer
from advprop_core.types import ModelInfo

_CHECKPOINT = "model.safetensors"


def train(
    recipe: Recipe,
    data: str | Path,
    out: str | Path,
    *,
    name: str = "",
    command: str = "",
    resume: bool = False,
    trackers: Sequence[str] = (),
    keep_epochs: bool = False,
    report: Callable[[Report], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train by the recipe and write a self-describing checkpoint.

    Started by ``torchrun`` or ``accelerate launch`` it runs on all their processes, which each
    take their share of every batch; the first one writes and reports.

    Example:
        >>> from advprop_core import Recipe, open_model, train
        >>> path = train(Recipe(objective="advprop", epochs=2), "shapes", "runs/first")
        >>> model = open_model(str(path)).model

    Args:
        recipe: What to do.
        data: A built-in data set, or a folder, as :func:`~.data.load_data` takes it.
        out: Run folder: recipe, ``metrics.jsonl``, state to resume from, final checkpoint.
        name: Name in the checkpoint's header; that of the run folder if empty.
        command: The command line that made it, for the card.
        resume: Continue the run in ``out`` from its last state.
        trackers: Names that Accelerate knows: ``tensorboard``, ``wandb``.
        keep_epochs: Keep a checkpoint after each epoch, in ``out/epochs``.
        report: Called about twice a second and after each epoch.
        note: Called with a sentence on what a person should know before it starts.

    Returns:
        Path of the final checkpoint; its weights are in half precision, its metrics measured
        on ``val`` after that cast.

    Raises:
        CannotWrite: If a file cannot be written; the last state is still there.
        Diverged: If a loss, or what the trained network says, is not finite.
        InputError: For bad data, a tracker that is not installed, or when ``out`` holds a run and
            ``resume`` is not set, or a run of another recipe or other data.
        OutOfMemory: If the photos, a step or the measuring does not fit.
    """
    data, out = str(data), Path(out)
    _require_trackers(trackers)
    _require_room(out, data, resume)
    accelerator = _make_accelerator(out, trackers)
    processes = Processes(accelerator.process_index, accelerator.num_processes, accelerator.device)
    _require_fitting_processes(recipe, processes)
    require_known_inputs(recipe)
    tell = note if processes.is_first else lambda _: None
    saved = state.read(out / state.STATE, processes)
    if resume and not saved:
        tell(f"{out} holds no run yet: this one starts from the beginning")
    with memory_advice(
        f"the photos do not fit into memory at {recipe.size} pixels: lower --size, or keep fewer "
        "in val and in --holdout"
    ):
        in_memory = saved.progress.in_memory if saved else None
        photos = load_data(
            data, recipe, processes.device, measures=processes.is_first, in_memory=in_memory
        )
    if recipe.objective != "auxiliary":  # which needs no labels
        _require_classes(recipe, photos.classes)
    if photos.unreadable:
        first, count = photos.unreadable[0], len(photos.unreadable)
        images = "image was" if count == 1 else "images were"
        tell(f"{count} {images} left out, such as {first.path}: {first.reason}")
    if photos.left_out:
        tell(photos.left_out)
    with memory_advice(
        f"batch size {recipe.batch_size} at {recipe.size} pixels does not fit into memory: "
        "lower --batch-size (and the learning rate in proportion), or --size"
    ):
        model, info = new_model(recipe, photos.classes)
        if recipe.objective == "auxiliary":
            photos = for_network(photos, model, info)
            tell(f"accuracies are of {photos.measured_on}")
        recipe = replace(recipe, architecture=info.architecture)  # that of what it starts from
        identity = state.identity(recipe, data, photos.digest, processes.count)
        trainer = Trainer(recipe, photos, out, accelerator, model, identity, saved)
        if saved:
            steps_done, steps = trainer.progress.step, trainer.all_steps
            verb = "was finished" if steps_done == steps else "goes on"
            tell(f"the run in {out} {verb} after {steps_done} of {steps} steps")
        if processes.is_first:  # not before, or what is refused would leave a folder
            write_recipe(out / RECIPE, recipe)
        if trackers:
            accelerator.init_trackers("advprop", config=trainer.flat_recipe())
        info = describe(info, recipe, data, len(photos.source), command)
        info = replace(info, name=name or out.resolve().name)

        def keep(epoch: int, learning_rate: float) -> None:
            at_epoch = replace(info, recipe={**info.recipe, RATE: learning_rate})
            checkpoints.save(epoch_file(out, epoch), trainer.trained, at_epoch, half=True)

        diverged: Diverged | None = None
        try:
            trainer.all_epochs(report, keep if keep_epochs else None)
        except Diverged as error:
            if processes.count > 1:  # one alone cannot go on: the others wait for it
                raise
            diverged = error
        kept_steps = trainer.put_back()
        if diverged is not None:
            if not kept_steps:
                raise diverged
            tell(str(diverged))
        for branch, step in kept_steps.items():
            tell(
                f"{branch} is kept as it was after step {step}, where its loss was lowest: it rose "
                "afterwards. Choose a weaker attack or a lower --learning-rate to train it to the "
                "end"
            )
        accelerator.end_training()
        if processes.is_first:
            if kept_steps:
                info = replace(info, recipe={**info.recipe, "kept_steps": kept_steps})
            if trainer.progress.unfrozen:
                info = replace(info, branches=dict.fromkeys(info.branches, "trained"))
            metrics = _write_checkpoint(out, trainer.trained, info, photos, data, processes.device)
            if recipe.objective == "auxiliary":
                for sentence in _broken_branches(metrics):
                    tell(sentence)
    return out / _CHECKPOINT


def _make_accelerator(out: Path, trackers: Sequence[str]) -> Accelerator:
    # Statistics are shared by the trainer itself, before its attacks.
    by_trainer = DistributedDataParallelKwargs(broadcast_buffers=False)
    return Accelerator(
        cpu=not torch.cuda.is_available(),  # or it would take a Mac's GPU, which nothing here does
        log_with=list(trackers) or None,
        project_dir=str(out),
        kwargs_handlers=[by_trainer],
        mixed_precision="no",  # that is the recipe's, whatever Accelerate's own settings say
    )


def _require_room(out: Path, data: str, resume: bool) -> None:
    """Nothing that was trained is written over, and photos lie apart."""
    if data not in BUILTIN and Path(data).resolve() == out.resolve():
        raise InputError(f"--out is the data folder {data}: choose another folder for the run")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder, and {out} is a file")
    if (out / state.STATE).exists():
        if not resume:
            raise InputError(f"{out} holds a run already: use --resume, or another --out")
    elif (out / _CHECKPOINT).exists():
        raise InputError(
            f"{out} holds a trained model, but no {state.STATE} to go on from: give another --out, "
            "or move the model away"
        )


def _require_fitting_processes(recipe: Recipe, processes: Processes) -> None:
    """BatchNorm needs two images or more in every pass of every process."""
    if recipe.sync_bn and processes.device.type == "cpu":
        raise InputError("sync_bn needs GPUs: there is no SyncBatchNorm for a CPU, leave it out")
    if recipe.batch_size % processes.count:
        raise InputError(
            f"batch_size {recipe.batch_size} cannot be shared equally by {processes.count} "
            "processes"
        )
    images = recipe.batch_size // processes.count
    smallest_pass = images
    if recipe.objective == "fast-advprop":
        attacked = round(recipe.adversarial_share * images)
        smallest_pass = min(attacked, images - attacked)
    if recipe.augmentation.mixes and images % 2:
        raise InputError(f"MixUp and CutMix pair images, but a process has {images} in a step")
    if smallest_pass < 2:
        raise InputError(
            f"batch_size {recipe.batch_size} leaves {smallest_pass} images for a pass on one "
            "process, and BatchNorm cannot take the statistics of fewer than 2: raise it"
        )


def _require_classes(recipe: Recipe, classes: Classes) -> None:
    """There must be something to tell apart, and for some attacks a class that is wrong."""
    if len(classes) < 2:
        raise InputError(f"there is only one class, {classes[0][1]}: training needs two or more")
    if recipe.augmentation.mixes and recipe.attack.goal == "random" and len(classes) < 3:
        raise InputError(
            "an attack towards a random wrong class needs three classes where MixUp or CutMix "
            "mixes two of them, but there are 2"
        )


def _require_trackers(names: Sequence[str]) -> None:
    """Accelerate itself would leave out what is missing, in silence."""
    installed = [str(tracker.value) for tracker in get_available_trackers()]
    available = [str(tracker.value) for tracker in LoggerType]
    for name in names:
        if name not in available:
            raise InputError(f"there is no tracker {name!r}. {did_you_mean(name, available)}")
        if name not in installed:
            raise InputError(
                f"the tracker {name!r} is not installed: pip install {name}, "
                f"or use one of {', '.join(installed) or 'none'}"
            )


def _write_checkpoint(
    out: Path,
    model: DualBNModel,
    info: ModelInfo,
    photos: TrainingData,
    data: str,
    device: torch.device,
) -> Sequence[Mapping[str, Any]]:
    """Cast, measure what the file really holds, and write the figures into its header."""
    path = out / _CHECKPOINT
    checkpoints.save(path, model.to("cpu"), info, half=True)
    try:
        saved = open_file(path)
        metrics = measure(
            saved.model,
            photos.val,
            data,
            photos.measured_on,
            Processes(device=device),
            attacked=MEASURED,
        )
    except ValueError as error:
        path.unlink()
        raise Diverged(
            f"what was trained cannot be measured ({error}): lower the learning rate or warm up "
            "for longer"
        ) from error
    measured = replace(info, metrics=metrics)
    checkpoints.save(path, saved.model, measured, half=True)
    write_whole(path.with_suffix(".md"), model_card(measured))
    return metrics


def _broken_branches(metrics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each auxiliary branch that is of no use on clean photos."""
    clean = {row["branch"]: row["top1"] for row in metrics if row["condition"]["kind"] == "clean"}
    for branch, share in clean.items():
        if share < clean[MAIN] / 2:
            yield (
                f"{branch} is right on {percent(share)} of the clean photos, main on "
                f"{percent(clean[MAIN])}: what it is shown is too much for norm layers alone. "
                "Choose a weaker attack, or train for more steps"
            )
