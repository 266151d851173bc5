"""Figures of a run as it goes, without waiting for the device at every step."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advprop_core.errors import AdvPropError
from advprop_core.files import CannotWrite
from advprop_core.training.batch import Figures
from advprop_core.training.recipe import Recipe
from advprop_core.training.state import Progress

_EVERY = 0.5  # seconds between looks at the device


class Diverged(AdvPropError):
    """The loss is not a number; the last good checkpoint is untouched."""


@dataclass(frozen=True)
class Report:
    """What a person sees of a run.

    Attributes:
        epoch: The current one, from 1.
        epochs: All of them.
        step: Steps done in the run.
        steps: All of them.
        loss: ``BRANCH/INPUT`` to its mean loss, over the epoch so far.
        accuracy: The same for the share of hits.
        images_per_second: Photos, on all processes, since the last report.
        seconds_left: At that speed.
        finished_epoch: Whether this report closes an epoch.
        holdout: Branch to (accuracy, loss) on the hold-out, where an epoch was closed.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: Mapping[str, float]
    accuracy: Mapping[str, float]
    images_per_second: float
    seconds_left: float
    finished_epoch: bool = False
    holdout: Mapping[str, tuple[float, float]] | None = None


class Meter:
    """Collects the figures of steps on the device and looks at them twice a second.

    Args:
        path: ``metrics.jsonl``; None on processes that do not write.
        recipe: Of the run.
        steps: In an epoch.
        progress: Where the run stands; its sums are gone on with.
        tracker: Called with figures and their step, for each line of the log.
    """

    def __init__(
        self,
        path: Path | None,
        recipe: Recipe,
        steps: int,
        progress: Progress,
        tracker: Callable[[dict[str, float], int], None] | None,
    ) -> None:
        # Unbuffered: what could not be written must not be tried again when it is closed.
        self._file = path.open("ab", buffering=0) if path else None
        self._recipe, self._steps = recipe, steps
        self._progress, self._tracker = progress, tracker
        self._next = progress.step
        self._waiting: list[tuple[float, dict[str, Tensor]]] = []
        self._looked = time.perf_counter()
        self._rate = 0.0

    def add(self, learning_rate: float, figures: Mapping[str, Figures]) -> Report | None:
        """Note the next step; gives a report where it is time for one.

        Raises:
            CannotWrite: If the log cannot be written.
            Diverged: If a loss since the last report is not finite.
        """
        row = {name: torch.stack(values) for name, values in figures.items()}
        self._waiting.append((learning_rate, row))
        if time.perf_counter() - self._looked < _EVERY:
            return None
        self._fetch()
        return self._report()

    def close_epoch(self, holdout: Mapping[str, tuple[float, float]] | None) -> Report:
        """The figures of the whole epoch, which are then forgotten, with those of the hold-out.

        Raises:
            Diverged: If a loss since the last report is not finite.
        """
        self._fetch()
        report = replace(self._report(), finished_epoch=True, holdout=holdout)
        extra = {"holdout": holdout} if holdout else {}
        self._write("epoch", report.loss, report.accuracy, epoch=report.epoch, **extra)
        self._progress.sums.clear()
        return report

    def close(self) -> None:
        """Close the log."""
        if self._file:
            self._file.close()

    def _report(self) -> Report:
        sums, all_steps = self._progress.sums, self._recipe.all_steps(self._steps)
        left = (all_steps - self._next) * self._recipe.batch_size
        return Report(
            epoch=(self._next - 1) // self._steps + 1,
            epochs=math.ceil(all_steps / self._steps),
            step=self._next,
            steps=all_steps,
            loss={name: loss / count for name, (loss, _, count) in sums.items()},
            accuracy={name: hits / count for name, (_, hits, count) in sums.items()},
            images_per_second=self._rate,
            seconds_left=left / self._rate if self._rate else math.inf,
        )

    def _fetch(self) -> None:
        """Wait for the device once, for all steps since the last time."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        figures = iter(torch.stack([f for _, row in waiting for f in row.values()]).tolist())
        now = time.perf_counter()
        self._rate = len(waiting) * self._recipe.batch_size / (now - self._looked)
        self._looked = now
        for learning_rate, row in waiting:
            self._note(learning_rate, {name: next(figures) for name in row})

    def _note(self, learning_rate: float, values: Mapping[str, list[float]]) -> None:
        self._next += 1
        for name, (loss, hits) in values.items():
            if not math.isfinite(loss):
                raise Diverged(
                    f"the loss of {name} is {loss} in step {self._next} (epoch "
                    f"{(self._next - 1) // self._steps + 1}) at learning rate "
                    f"{learning_rate:.3g}: lower it or warm up for longer; the state of the run, "
                    "if there is one, is from before it"
                )
            total = self._progress.sums.setdefault(name, [0.0, 0.0, 0])
            for index, value in enumerate((loss, hits, 1)):
                total[index] += value
        losses, hits_of = ({k: v[i] for k, v in values.items()} for i in (0, 1))
        self._write("step", losses, hits_of, learning_rate=learning_rate)

    def _write(
        self, kind: str, loss: Mapping[str, float], accuracy: Mapping[str, float], **more: Any
    ) -> None:
        row = {"kind": kind, "step": self._next, **more, "loss": loss, "accuracy": accuracy}
        if self._file:
            line = f"{json.dumps(row)}\n".encode()
            try:
                while line:  # a disk that fills takes a part of it first
                    line = line[self._file.write(line) :]
            except OSError as error:
                raise CannotWrite(Path(self._file.name), error, len(line)) from error
        if self._tracker:
            figures = {f"{kind}/loss/{name}": value for name, value in loss.items()}
            figures |= {f"{kind}/accuracy/{name}": value for name, value in accuracy.items()}
            if "learning_rate" in more:
                figures[f"{kind}/learning_rate"] = more["learning_rate"]
            for branch, (accuracy_held, loss_held) in (more.get("holdout") or {}).items():
                figures[f"{kind}/holdout/accuracy/{branch}"] = accuracy_held
                figures[f"{kind}/holdout/loss/{branch}"] = loss_held
            self._tracker(figures, self._next)
