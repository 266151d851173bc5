"""One process's part of a run: its model, its optimiser, its steps."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from timm.layers import convert_sync_batchnorm
from timm.utils import ModelEmaV3, random_seed

from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.training import state
from advprop_core.training.batch import Batch, Figures, means_over_ranks
from advprop_core.training.best import BestBranches
from advprop_core.training.data import TrainingData
from advprop_core.training.measure import quick_look
from advprop_core.training.meter import Diverged, Meter, Report
from advprop_core.training.network import set_trainable, train_mode
from advprop_core.training.objectives import make_plan
from advprop_core.training.optimizer import make_optimizer, make_schedule
from advprop_core.training.recipe import Recipe
from advprop_core.training.sources import InMemory

_SAVE_EVERY = 600.0  # seconds, for an epoch of ImageNet is longer


class Trainer:
    """Everything that changes while a run goes.

    Args:
        recipe: What to do.
        photos: What to do it with.
        out: Run folder, there before the first step; None keeps neither log nor state.
        accelerator: Knows the device and the other processes.
        model: Becomes the run's own.
        identity: Of :func:`.state.identity`.
        saved: The state to continue from; an InputError if it is of another run.
    """

    def __init__(
        self,
        recipe: Recipe,
        photos: TrainingData,
        out: Path | None,
        accelerator: Accelerator,
        model: DualBNModel,
        identity: str,
        saved: state.Saved | None = None,
    ) -> None:
        self.recipe, self.photos, self.out = recipe, photos, out
        self.accelerator, self.identity = accelerator, identity
        self.model = model.to(accelerator.device)
        self.steps = len(photos.source) // recipe.batch_size
        self.optimizer = make_optimizer(self.model, recipe)
        self.schedule = make_schedule(self.optimizer, recipe, self.steps)
        self.ema: Any = None
        if recipe.ema_decay:
            self.ema = ModelEmaV3(self.model, recipe.ema_decay, use_warmup=True)
        self.progress = state.Progress(0, {}, logged=0)
        self.best: BestBranches | None = None
        if recipe.objective == "auxiliary":
            grown = round(recipe.attack.warmup_epochs * self.steps)
            self.best = BestBranches(self.model, grown)
        if saved:
            self._restore(saved)
        self.progress.in_memory = isinstance(photos.source, InMemory)
        on_gpu = accelerator.device.type == "cuda"
        compiled = on_gpu if recipe.compile is None else recipe.compile
        self.half = recipe.precision == "bfloat16" or (on_gpu and recipe.precision == "auto")
        # The attack's views share storages, so they come after every move and load; and they come
        # before SyncBatchNorm, which in eval mode is BatchNorm, but for GPUs only.
        self.plan = make_plan(self.model, recipe, len(photos.classes), compiled=compiled)
        self._norms = {
            name: [
                parameter
                for norm in norm_layers(self.model.branch(name)).values()
                for parameter in norm.parameters(recurse=False)
            ]
            for name in self.model.branch_names
        }
        if recipe.sync_bn:
            convert_sync_batchnorm(self.model)
        if compiled:
            for name in self.model.branch_names:
                self.model.branch(name).compile()
        self._choose_trainable()
        self._saved = time.perf_counter()

    @property
    def all_steps(self) -> int:
        """Number of steps of the whole run."""
        return self.recipe.all_steps(self.steps)

    @property
    def trained(self) -> DualBNModel:
        """What is measured and saved: the average of the weights where one is kept."""
        model: DualBNModel = self.ema.module if self.ema else self.model
        return model

    def put_back(self) -> dict[str, int]:
        """Return auxiliary branches that are worse than they were, as `BestBranches` says."""
        return self.best.put_back(self.trained) if self.best else {}

    def all_epochs(
        self, report: Callable[[Report], None], keep: Callable[[int, float], None] | None = None
    ) -> None:
        """From where the run stands to its end; both are called on the first process only.

        ``keep`` is called after each epoch, from 1, with the learning rate of its last step.
        """
        is_first = self.accelerator.is_main_process
        log = self.out / state.LOG if self.out and is_first else None
        if log and log.exists() and self.progress.logged is not None:
            # Steps after the state are done, and logged, again.
            os.truncate(log, min(self.progress.logged, log.stat().st_size))
        meter = Meter(
            log,
            self.recipe,
            self.steps,
            self.progress,
            self.accelerator.log if self.accelerator.trackers else None,
        )
        show = report if is_first else (lambda _: None)
        try:
            while self.progress.step < self.all_steps:
                self._epoch(meter, show, keep if is_first else None)
        finally:
            meter.close()

    def flat_recipe(self) -> dict[str, Any]:
        """The recipe as trackers take it: one level, no lists, nothing empty."""
        values = self.recipe.to_json()
        values["auxiliaries"] = ",".join(values["auxiliaries"])
        for table in ("attack", "augmentation"):
            values |= {f"{table}.{key}": value for key, value in values.pop(table).items()}
        return {key: value for key, value in values.items() if value is not None}

    def _epoch(
        self,
        meter: Meter,
        report: Callable[[Report], None],
        keep: Callable[[int, float], None] | None,
    ) -> None:
        train_mode(self.model)
        epoch, start = divmod(self.progress.step, self.steps)
        for batch in self.photos.source.epoch(epoch, start, self.accelerator.device):
            number = self.progress.step
            self.schedule.step_update(number)
            figures = self.step(batch, number)
            self.progress.step += 1
            if self.best:
                self.best.add(number, figures)
            if seen := meter.add(self.optimizer.param_groups[0]["lr"], figures):
                report(seen)
                # After an epoch's last step its own line has still to be written.
                within = self.progress.step % self.steps
                if within and time.perf_counter() - self._saved > _SAVE_EVERY:
                    self._save()
            if self.progress.step == self.all_steps:
                break
        holdout = None
        if self.photos.holdout:
            holdout = quick_look(self.trained, self.photos.holdout, self.accelerator.device)
        closed = meter.close_epoch(holdout)
        self._thaw(closed)
        if keep:  # before the state: a run that is killed in between keeps it again
            keep(closed.epoch, self.optimizer.param_groups[0]["lr"])
        self._save()
        report(closed)

    def step(self, batch: Batch, number: int) -> dict[str, Figures]:
        """Forward, backward and update.

        Nothing in it waits for the device, but for corruptions and RandAugment shown to a branch.
        """
        random_seed(batch.seed)  # for dropout and the like
        batch = replace(batch, strength=self._strength(number))
        figures: dict[str, Figures] = {}
        self._share_statistics()
        outcomes = self.plan.step(self.forward, batch)
        for index in range(self.plan.passes):
            last = index + 1 == self.plan.passes
            with nullcontext() if last else self.accelerator.no_sync(self.forward):
                with torch.autocast(batch.pixels.device.type, torch.bfloat16, enabled=self.half):
                    outcome = next(outcomes)  # a forward pass: here, so that autocast covers it
                outcome.loss.backward()
            figures |= outcome.figures
        self._scale_norm_gradients(outcome.norm_scales)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.ema:
            self.ema.update(self.model, step=number + 1)
        return means_over_ranks(figures)

    def _share_statistics(self) -> None:
        """Give all processes the first one's running statistics, before the attack uses them.

        DDP would do so only in its forward pass. A run that is continued starts from the first
        one's too, so it gives what an unbroken run gives.
        """
        if self.accelerator.num_processes == 1:
            return
        buffers = [buffer for buffer in self.model.buffers() if buffer.is_floating_point()]
        together = torch.cat([buffer.flatten() for buffer in buffers])
        torch.distributed.broadcast(together, 0)
        parts = together.split([buffer.numel() for buffer in buffers])
        torch._foreach_copy_(buffers, [p.view_as(b) for p, b in zip(parts, buffers, strict=True)])

    def _scale_norm_gradients(self, scales: Mapping[str, float]) -> None:
        for name, factor in scales.items():
            gradients = [p.grad for p in self._norms[name] if p.grad is not None]
            if gradients:  # none where only the head is trained
                torch._foreach_mul_(gradients, factor)

    def _strength(self, number: int) -> float:
        warmup = self.recipe.attack.warmup_epochs * self.steps
        return min(1.0, (number + 1) / warmup) if warmup else 1.0

    # -- which parameters are trained ----------------------------------------------------------

    def _choose_trainable(self) -> None:
        frozen = set_trainable(self.model, self.recipe, self.progress.unfrozen)
        self.all_thawed = not frozen
        # The model is there already, and Accelerate would move it again: on a CPU that makes new
        # storages, and the attack's views would be left with the old ones.
        self.forward = self.accelerator.prepare_model(self.model, device_placement=False)

    def _thaw(self, closed: Report) -> None:
        """One more stage is trained when the loss has not fallen for long enough."""
        if not self.recipe.unfreeze_patience or self.all_thawed:
            return
        losses = list(closed.loss.values())
        if closed.holdout:
            losses = [loss for _, loss in closed.holdout.values()]
        (now,) = broadcast_object_list([sum(losses)])  # every process must decide alike
        if now < self.progress.best:
            self.progress.best, self.progress.waited = now, 0
            return
        self.progress.waited += 1
        if self.progress.waited >= self.recipe.unfreeze_patience:
            self.progress.unfrozen += 1
            self.progress.best, self.progress.waited = float("inf"), 0
            self._choose_trainable()

    # -- state ---------------------------------------------------------------------------------

    def _save(self) -> None:
        self._saved = time.perf_counter()
        if not self.accelerator.is_main_process:
            return
        self._require_finite()
        if self.out is None:
            return
        log = self.out / state.LOG
        self.progress.logged = log.stat().st_size if log.exists() else 0
        tensors = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.ema:
            tensors["ema"] = self.ema.module.state_dict()
        if self.best:
            tensors["best"] = self.best.state
        state.save(self.out / state.STATE, tensors, self.progress, self.identity)

    def _restore(self, saved: state.Saved) -> None:
        saved.require(self.identity)
        self.progress = saved.progress
        self.model.load_state_dict(saved.tensors["model"])
        self.optimizer.load_state_dict(saved.tensors["optimizer"])
        if self.ema:
            self.ema.module.load_state_dict(saved.tensors["ema"])
        if self.best:
            self.best.state = saved.tensors.get("best", {})  # states of older versions lack it

    def _require_finite(self) -> None:
        """A step can spoil weights that no loss has been measured on yet."""
        values = self.model.state_dict()
        finite = torch.stack([tensor.isfinite().all() for tensor in values.values()]).tolist()
        for key, good in zip(values, finite, strict=True):
            if not good:
                raise Diverged(
                    f"{key} is not finite after step {self.progress.step}: lower the learning "
                    "rate or warm up for longer; the state of the run, if there is one, is from "
                    "before it"
                )
