"""How long work shows itself in a terminal, and in a log."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from advprop_core import types
from advprop_core.cli.output import is_first_process
from advprop_core.text import percent_in_tenths

if TYPE_CHECKING:
    from advprop_core.training.meter import Report


@contextmanager
def counting(what: str, total: int) -> Iterator[types.Progress]:
    """A bar on standard error, moved by (done, total)."""
    with _bar(MofNCompleteColumn()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def in_parts(count: int) -> Iterator[Callable[[str], types.Progress]]:
    """A bar on standard error for work in equal parts.

    Yields a function that begins the next part under a name of its own, and returns what is
    called with (done, total) of that part.
    """
    with _bar(TaskProgressColumn()) as bar:
        task = bar.add_task("", total=count)
        begun = 0

        def begin(what: str) -> types.Progress:
            nonlocal begun
            before, begun = begun, begun + 1
            bar.update(task, description=what, completed=before)
            return lambda done, total: bar.update(task, completed=before + done / total)

        yield begin


def _bar(done: ProgressColumn) -> Progress:
    """On standard error, and only in a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        done,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (console.is_terminal and is_first_process()),
    )


class TrainingBar(Progress):
    """A line for each epoch, and below them, in a terminal, a bar for the current one."""

    def __init__(self) -> None:
        console = Console(highlight=False, soft_wrap=True)
        super().__init__(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
            disable=not (console.is_terminal and is_first_process()),
        )
        self.epoch = self.add_task("", total=None, epoch="…", figures="reading the photos")

    def show(self, report: Report) -> None:
        """Draw the report; close its line where it closes an epoch."""
        steps = report.steps // report.epochs
        done = steps if report.finished_epoch else report.step % steps
        where = f"{report.epoch}/{report.epochs}"
        self.update(self.epoch, total=steps, completed=done, epoch=where, figures=describe(report))
        if report.finished_epoch:
            self.console.print(f"epoch {where}: {describe(report)}")


def describe(report: Report) -> str:
    """The figures of a report on one line."""
    parts = [
        f"{name.replace('/', ' ')} loss {loss:.3f} "
        f"accuracy {percent_in_tenths(report.accuracy[name])}"
        for name, loss in report.loss.items()
    ]
    parts += [
        f"held out {branch} {percent_in_tenths(accuracy)}"
        for branch, (accuracy, _) in (report.holdout or {}).items()
    ]
    parts.append(f"{report.images_per_second:.0f} images/s")
    if math.isfinite(report.seconds_left):
        parts.append(f"{timedelta(seconds=round(report.seconds_left))} left")
    return ", ".join(parts)
