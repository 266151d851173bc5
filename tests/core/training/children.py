"""Other processes for the tests: some are killed, some train together.

They are forked from a server that has loaded everything already, for a fresh interpreter takes
seconds; so what they do must be a function of a module, this one.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from itertools import count
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import torch

from advprop_core.training import meter, trainer
from advprop_core.training.recipe import Recipe
from advprop_core.training.run import train

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["pytest", "advprop_core.training.run"])


def exit_codes(target: Callable[..., None], *arguments: tuple[Any, ...]) -> list[int | None]:
    """Run one process for each tuple of arguments, side by side, until all have ended.

    When one fails the others are ended: they would wait for it.
    """
    children = [_CONTEXT.Process(target=target, args=one) for one in arguments]
    for child in children:
        child.start()
    while running := [child for child in children if child.is_alive()]:
        wait([child.sentinel for child in running])
        if any(child.exitcode for child in children):
            for child in running:
                child.kill()
    return [child.exitcode for child in children]


def train_and_die(
    recipe: Recipe, data: Path, out: Path, place: str = "", number: int = 0, often: bool = False
) -> None:
    """Train, or go on training, until this process kills itself.

    Args:
        recipe: Of the run.
        data: Its photos.
        out: Its folder.
        place: ``step``: before the step of this number in the run. ``rename``: when a state has
            been written to its temporary file for the number-th time. ``epoch``: when this
            process has finished the steps of its number-th epoch. Empty: never.
        number: See place.
        often: Save after every step, not only after every epoch.
    """
    use_one_cpu()
    if often:
        trainer._SAVE_EVERY = meter._EVERY = 0.0
    if place == "step":
        real_step = trainer.Trainer.step

        def step(self: trainer.Trainer, batch: Any, now: int) -> Any:
            return die() if now == number else real_step(self, batch, now)

        trainer.Trainer.step = step  # type: ignore[method-assign]
    elif place == "rename":
        real_replace, calls = Path.replace, count(1)

        def replace(self: Path, target: Path) -> Path:
            if self.suffix == ".tmp" and target.name == "state.pt" and next(calls) == number:
                die()
            return real_replace(self, target)

        Path.replace = replace  # type: ignore[assignment,method-assign]
    elif place == "epoch":
        real_close, closed = meter.Meter.close_epoch, count(1)

        def close(self: meter.Meter, holdout: Any) -> Any:
            return die() if next(closed) == number else real_close(self, holdout)

        meter.Meter.close_epoch = close  # type: ignore[method-assign]
    train(recipe, str(data), out, name="tiny", resume=True)


def use_one_cpu() -> None:
    """As the tests themselves do."""
    os.environ["ACCELERATE_USE_CPU"] = "true"
    torch.set_num_threads(1)


def die() -> None:
    """End this process at once, as a crash or the kernel would."""
    os.kill(os.getpid(), signal.SIGKILL)
