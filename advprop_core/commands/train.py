"""Training: ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advprop_core.commands import values
from advprop_core.commands.output import command_line
from advprop_core.types import AttackConfig


def train(
    data: Annotated[
        str, typer.Option(metavar="DIR", help="Folder with train/ and val/, or `shapes`.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Run folder.")],
    arch: Annotated[str, typer.Option(metavar="NAME", help="timm name of a network.")] = (
        "regnetx_002"
    ),
    objective: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="vanilla (clean images), adversarial (attacked images, one BatchNorm; Madry et "
            "al.) or advprop (clean through main, attacked through aux; Xie et al.).",
        ),
    ] = "advprop",
    norm: Annotated[str, typer.Option(help="Norm of the attack: linf or l2.")] = "linf",
    epsilon: Annotated[
        str, typer.Option(metavar="E", help="Radius of the attack, such as 2/255.")
    ] = "2/255",
    step_size: Annotated[
        str | None,
        typer.Option(
            metavar="S",
            help="Move per attack step; by default 2.5 × epsilon / steps, at most epsilon.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Attack steps.")] = 1,
    size: Annotated[int, typer.Option(help="Side of the training images in pixels.")] = 96,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 20,
    batch_size: Annotated[int, typer.Option(help="Photos a step draws.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 0.1,
    weight_decay: Annotated[float, typer.Option(help="Weight decay of matrices.")] = 5e-4,
    crop_scale: Annotated[float, typer.Option(help="Smallest share a crop keeps.")] = 0.35,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    name: Annotated[str | None, typer.Option(help="Name in the checkpoint.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> None:
    """Train a network and write a self-describing checkpoint.

    Writes to --out: model.safetensors (half precision, with recipe and measured accuracies in
    its header), metrics.jsonl (a line per epoch), recipe.json and state.pt (to resume from).

    ```
    advprop train --data shapes --objective advprop --out runs/shapes-advprop
    advprop train --data photos --epochs 40 --out runs/photos --resume
    ```
    """
    from advprop_core.training.loop import EpochReport
    from advprop_core.training.loop import train as run
    from advprop_core.training.recipe import OBJECTIVES, Recipe

    chosen = next((one for one in OBJECTIVES if one == objective), None)
    if chosen is None:
        raise ValueError(f"--objective must be one of {', '.join(OBJECTIVES)}, got {objective!r}")
    radius = values.read_number(epsilon, "--epsilon")
    step = min(radius, 2.5 * radius / steps)
    if step_size is not None:
        step = values.read_number(step_size, "--step-size")
    recipe = Recipe(
        architecture=arch,
        objective=chosen,
        attack=AttackConfig.pgd(radius, norm=values.read_norm(norm), steps=steps, step_size=step),
        size=size,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        crop_scale=crop_scale,
        seed=seed,
    )

    def report(epoch: EpochReport) -> None:
        parts = ", ".join(
            f"{branch} loss {loss:.3f} accuracy {epoch.accuracy[branch]:.1%}"
            for branch, loss in epoch.loss.items()
        )
        typer.echo(
            f"epoch {epoch.epoch}/{epoch.epochs}: {parts}, {epoch.images_per_second:.0f} images/s"
        )

    path = run(
        recipe,
        data,
        out,
        name=name or out.name,
        command=command_line(),
        resume=resume,
        report=report,
    )
    typer.echo(f"wrote {path}")
