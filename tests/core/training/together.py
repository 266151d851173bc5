"""What two processes do together, and one alone with the same photos, for test_processes."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from advprop_core.attacks import gradient
from advprop_core.training import objectives, sources
from advprop_core.training.batch import Figures, shuffle_across_ranks, world
from advprop_core.training.meter import Report
from advprop_core.training.network import train_mode
from advprop_core.training.recipe import Attacker, Recipe
from advprop_core.training.run import train
from advprop_core.training.trainer import Trainer
from tests.core.training.children import use_one_cpu
from tests.core.training.tiny import WHOLE, attacker, numbered_photos, start, tiny_recipe

CPU = torch.device("cpu")


def work(rank: int | None, port: int, folder: Path, photos: Path) -> None:
    """Do everything in this file and save what came of it; without a rank as one process alone."""
    use_one_cpu()
    if rank is not None:
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
        os.environ |= {key: str(value) for key, value in place.items()}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ |= {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    found: dict[str, Any] = {"quiet": {name: quiet_steps(name, folder) for name in WHOLE}}
    if rank is not None:
        found["step"] = {name: one_step(name, folder) for name in WHOLE}
        found["world"] = world()
        found["apart"] = step_past_forward(folder)
        found["dealt"] = deal(rank)
        found["thawed"] = step_after_thawing(folder)
        found["resumed"] = resume(folder)
        found["error"] = ""
        try:  # last, for it ends the group
            train(tiny_recipe(ema_decay=0.5), str(photos), folder / f"run-{rank}", name="both")
        except Exception:
            found["error"] = traceback.format_exc()
    torch.save(found, folder / f"{rank}.pt")


def recipe_for(objective: str, **changes: object) -> Recipe:
    return tiny_recipe(
        objective=objective, batch_size=8, adversarial_share=0.5, warmup_epochs=0, **changes
    )


def steps(run: Trainer, first: int, last: int) -> Iterator[tuple[Tensor, dict[str, Figures]]]:
    """Do the steps, and give for each its labels and its figures."""
    for number in range(first, last):
        epoch, place = divmod(number, run.steps)
        batch = next(run.photos.source.epoch(epoch, place, CPU))
        run.schedule.step_update(number)
        yield batch.targets, run.step(batch, number)
        run.progress.step += 1


def weights(run: Trainer) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in run.model.state_dict().items()}


def parameters(run: Trainer) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in run.model.named_parameters()}


# -- the same as one process ----------------------------------------------------------------------


@contextmanager
def nothing_random() -> Iterator[None]:
    """Images that are not augmented, and starts that depend on the image alone."""

    def same_start(clean: Tensor, config: Any, *_: object) -> Tensor:
        noise = torch.sin(1000 * clean)
        length = noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return (clean + config.epsilon / 2 * noise / length).clamp(0, 1)

    def same_image(images: Tensor, size: int, *_: object) -> Tensor:
        return images[..., :size, :size].float() / 255

    with (
        patch.object(objectives, "random_start", same_start),
        patch.object(gradient, "random_start", same_start),
        patch.object(sources, "augment", same_image),
    ):
        yield


def quiet_steps(objective: str, folder: Path) -> dict[str, Any]:
    """Losses of three steps in which no image depends on the others of its batch."""
    # By Euclidean length, for a slope near zero may round to another sign in another batch.
    attack = attacker(objective, norm="l2", epsilon=0.5)
    recipe = recipe_for(objective, attack=attack, learning_rate=0.01)
    with nothing_random():
        run = start(recipe, numbered_photos(recipe), folder / f"none-{world()[0]}")
        torch.manual_seed(0)
        with torch.no_grad():  # a classifier with a slope to climb
            run.model.branch("main").network.get_classifier().weight.normal_(0, 0.3)
        run.model.eval()  # norm layers use their running statistics
        losses = [
            {name: part.loss.item() for name, part in parts.items()}
            for _, parts in steps(run, 0, 3)
        ]
    return {"losses": losses, "weights": parameters(run)}


# -- in step with each other ----------------------------------------------------------------------


def one_step(objective: str, folder: Path) -> dict[str, Any]:
    """An ordinary step: the images seen, and the gradients that the optimiser is given."""
    recipe = recipe_for(objective)
    run = start(recipe, numbered_photos(recipe), folder / f"none-{world()[0]}")
    train_mode(run.model)
    gradients: dict[str, Tensor] = {}
    real = run.optimizer.step

    def step() -> None:
        for name, parameter in run.model.named_parameters():
            assert parameter.grad is not None
            gradients[name] = parameter.grad.clone()
        real()

    run.optimizer.step = step  # type: ignore[assignment,method-assign]
    ((targets, _),) = steps(run, 0, 1)
    return {"targets": targets, "gradients": gradients, "weights": parameters(run)}


def step_past_forward(folder: Path) -> dict[str, Tensor]:
    """The trap: branches called one by one, past the wrapper that sums the gradients."""
    recipe = recipe_for("advprop")
    run = start(recipe, numbered_photos(recipe), folder / f"none-{world()[0]}")
    train_mode(run.model)
    run.forward = lambda inputs: {name: run.model.branch(name)(x) for name, x in inputs.items()}
    list(steps(run, 0, 1))
    return parameters(run)


def deal(rank: int) -> dict[str, Tensor]:
    """Images in the layout of training, each filled with its own number."""
    numbers = torch.arange(4) + 4 * rank
    ramp = torch.arange(3 * 2 * 2).view(1, 3, 2, 2) / 100
    pixels = (numbers.view(-1, 1, 1, 1) + ramp).contiguous(memory_format=torch.channels_last)
    dealt, targets = shuffle_across_ranks(pixels, numbers, seed=5)
    return {"pixels": dealt.contiguous(), "targets": targets, "ramp": ramp}


def step_after_thawing(folder: Path) -> dict[str, Any]:
    recipe = recipe_for("advprop", trainable="head", unfreeze_patience=1)
    run = start(recipe, numbered_photos(recipe), folder / f"none-{world()[0]}")
    train_mode(run.model)
    list(steps(run, 0, 1))
    for loss in (1.0, 1.0 - world()[0] / 2):  # only the first one's does not fall
        run._thaw(replace(_CLOSED, loss={"main/clean": loss}))
    before = parameters(run)
    train_mode(run.model)
    list(steps(run, 1, 3))
    after = parameters(run)
    moved = {key for key in after if not torch.equal(after[key], before[key])}
    return {"moved": moved, "weights": after}


_CLOSED = Report(1, 2, 3, 6, {}, {}, 1.0, 1.0, finished_epoch=True)


def resume(folder: Path) -> dict[str, Any]:
    """Two steps after a state, by the run that saved it and by one that reads it.

    As on hosts that share no folder: only the first one has it.
    """
    recipe = replace(recipe_for("advprop"), attack=Attacker(epsilon=16 / 255, steps=2))
    own = folder / f"resumed-{world()[0]}"
    run = start(recipe, numbered_photos(recipe), own)
    train_mode(run.model)
    list(steps(run, 0, 2))
    run._save()
    run.accelerator.wait_for_everyone()
    list(steps(run, 2, 4))
    again = start(recipe, numbered_photos(recipe), own)
    assert again.progress.step == 2
    train_mode(again.model)
    list(steps(again, 2, 4))
    return {"whole": weights(run), "resumed": weights(again)}
