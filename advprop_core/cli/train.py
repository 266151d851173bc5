"""Training: ``train``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from advprop_core.cli.memory import keep_freed_memory
from advprop_core.cli.output import command_line, is_first_process
from advprop_core.cli.progress import TrainingBar
from advprop_core.cli.train_recipe import given, resolve
from advprop_core.models.cards import describe_condition
from advprop_core.models.header import read_info
from advprop_core.training.recipe import ATTACKERS, OBJECTIVES
from advprop_core.training.recipe_files import RECIPE, shipped_recipes

_RECIPES = ", ".join(shipped_recipes())


def train(
    data: Annotated[
        str, typer.Option(metavar="DIR", help="Folder with train/ and val/, or `shapes`.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Run folder.")],
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help=f"A TOML file, or one of {_RECIPES}; the flags below change it.",
        ),
    ] = None,
    arch: Annotated[str | None, typer.Option(metavar="NAME", help="timm name of a network.")] = (
        None
    ),
    objective: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"One of {', '.join(OBJECTIVES)}.")
    ] = None,
    attack: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Who attacks in training: {', '.join(ATTACKERS)}."),
    ] = None,
    norm: Annotated[
        str | None, typer.Option(metavar="NORM", help="Norm of the attack: linf or l2.")
    ] = None,
    epsilon: Annotated[
        str | None, typer.Option(metavar="E", help="Radius of the attack, such as 2/255.")
    ] = None,
    step_size: Annotated[
        str | None,
        typer.Option(
            metavar="S",
            help="Move per attack step; by default 2.5 × epsilon / steps, at most epsilon.",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Attack steps.")] = None,
    auxiliaries: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="What each auxiliary branch is shown: radii such as 1/255,4/255, noises such as "
            "gaussian:0.1, corruptions such as fog:3, color-jitter:0.4, randaugment:9; 1 is one "
            "branch, shown the attack.",
        ),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Side of the training images in pixels.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Photos a step draws, on all processes together.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Weight decay of matrices.")] = None,
    crop_scale: Annotated[
        float | None, typer.Option(help="Smallest share of a photo that a crop keeps.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Fine-tune: a bundled model, a file, or a timm name with weights."
        ),
    ] = None,
    trainable: Annotated[
        str | None, typer.Option(metavar="WHAT", help="all, head, norm, or last:K stages.")
    ] = None,
    holdout: Annotated[
        float | None,
        typer.Option(help="Share of train/ left out by file name and measured every epoch."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other value of the recipe, such as augmentation.mixup=0.2.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name in the checkpoint.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --out, by its recipe.")
    ] = False,
    tracker: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also log to tensorboard or wandb; repeats."),
    ] = None,
) -> None:
    """Train a network and write a self-describing checkpoint.

    Writes to --out: model.safetensors (half precision, with recipe and measured accuracies in
    its header) and its card, recipe.toml (every value, to be used again), metrics.jsonl (a line
    per step and per epoch) and state.pt (to resume from). For several GPUs or hosts, start it
    with torchrun or accelerate launch.

    ```
    advprop train --data shapes --objective advprop --epochs 2 --out runs/shapes-advprop
    advprop train --data photos --recipe imagenette --epochs 40 --out runs/photos --resume
    torchrun --nproc-per-node 8 -m advprop_core.cli train --data imagenet --recipe \
imagenet-advprop --out runs/imagenet
    ```
    """
    own = {
        "architecture": arch,
        "objective": objective,
        "auxiliaries": _auxiliaries(auxiliaries),
        "size": size,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "start_from": start_from,
        "trainable": trainable,
        "holdout": holdout,
        "seed": seed,
        "attack": given(
            {
                "name": attack,
                "norm": norm,
                "epsilon": epsilon,
                "step_size": step_size,
                "steps": steps,
            }
        ),
        "augmentation": given({"crop_scale": crop_scale}),
    }
    if resume and recipe is None and (out / RECIPE).exists():
        recipe = str(out / RECIPE)
    resolved, notes = resolve(recipe, own, change or [])
    keep_freed_memory()

    from advprop_core.training.run import train as run
    from advprop_core.training.state import STATE

    with TrainingBar() as bar:
        note = partial(bar.console.print, markup=False)  # paths may hold brackets
        for sentence in notes if is_first_process() else ():
            note(sentence)
        try:
            path = run(
                resolved,
                data,
                out,
                name=name or out.resolve().name,
                command=command_line(),
                resume=resume,
                trackers=tracker or (),
                report=bar.show,
                note=note,
            )
        except KeyboardInterrupt:
            there = (out / STATE).exists()
            kept = "--resume goes on from what was saved" if there else "nothing was saved yet"
            note(f"interrupted; {kept}")
            raise
    if is_first_process():
        _tell(path)


def _tell(path: Path) -> None:
    """What was written, and how it does on photos that training did not use."""
    typer.echo(f"wrote {path}, and its card {path.with_suffix('.md').name}")
    for row in read_info(path).metrics:
        if "top1" in row:
            typer.echo(
                f"{row['branch']}: {100 * row['top1']:.1f} % {describe_condition(row['condition'])}"
            )


def _auxiliaries(text: str | None) -> list[str] | None:
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    if parts == ["1"]:
        return []
    if len(parts) == 1 and parts[0].isdecimal():
        raise ValueError(
            f"--auxiliaries {parts[0]}: say what each of them is shown, such as "
            "--auxiliaries 1/255,4/255"
        )
    return parts or None
