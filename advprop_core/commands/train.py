"""Training: ``train``."""

from __future__ import annotations

import tomllib
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from advprop_core.commands.memory import keep_freed_memory
from advprop_core.commands.output import command_line, is_first_process
from advprop_core.commands.progress import TrainingBar
from advprop_core.training.files import make_recipe, merge, read_recipe, shipped_recipes
from advprop_core.training.recipe import ATTACKERS, OBJECTIVES, USED_BY, Recipe
from advprop_core.types import format_epsilon, parse_epsilon

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
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
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
        "attack": _given(
            {
                "name": attack,
                "norm": norm,
                "epsilon": epsilon,
                "step_size": step_size,
                "steps": steps,
            }
        ),
        "augmentation": _given({"crop_scale": crop_scale}),
    }
    resolved, dropped = _resolve(recipe, own, change or [])
    if arch and resolved.start_from:
        raise ValueError(
            f"--arch {arch} cannot be chosen: the network is that of {resolved.start_from}, "
            "which training starts from"
        )
    keep_freed_memory()

    from advprop_core.training.loop import train as run

    if dropped is not None and is_first_process():
        step = format_epsilon(resolved.attack.config().step_size)
        typer.echo(
            f"the recipe's step_size of {dropped} is of another attack: a step is now {step}; "
            "--step-size chooses it",
            err=True,
        )
    with TrainingBar() as bar:
        path = run(
            resolved,
            data,
            out,
            name=name or out.resolve().name,
            command=command_line(),
            resume=resume,
            trackers=tracker or (),
            report=bar.show,
            note=partial(bar.console.print, markup=False),  # paths may hold brackets
        )
    if is_first_process():
        typer.echo(f"wrote {path}")


def _resolve(
    recipe: str | None, own: dict[str, Any], changes: list[str]
) -> tuple[Recipe, str | float | None]:
    """The recipe, the flags on top, and on top of them what ``--set`` says.

    Also a step size of the recipe that was dropped, for it belongs to another attack.
    """
    asked = _given(own)
    for change in changes:
        asked = merge(asked, _read_change(change))
    below = _without_old_weights(read_recipe(recipe) if recipe else {}, asked.get("objective"))
    merged = merge(_without_old_steps(below, asked.get("attack")), asked)
    steps = [
        attack.get("step_size") if isinstance(attack, dict) else None
        for attack in (below.get("attack"), merged.get("attack"))
    ]
    try:
        made = make_recipe(merged)
    except TypeError as error:  # in a library the caller's mistake, here the person's
        raise ValueError(str(error)) from None
    for key, users in USED_BY.items():
        if made.objective not in users and getattr(made, key) != getattr(Recipe(), key):
            raise ValueError(
                f"{key} is for {' and '.join(users)}: {made.objective} has no use for it"
            )
    return made, steps[0] if steps[1] is None else None


def _without_old_weights(recipe: dict[str, Any], objective: Any) -> dict[str, Any]:
    """A recipe's weights belong to its objective: another one has others, or none."""
    if objective in (None, recipe.get("objective")):
        return recipe
    return {key: value for key, value in recipe.items() if key not in USED_BY}


def _without_old_steps(recipe: dict[str, Any], attack: Any) -> dict[str, Any]:
    """A recipe's step belongs to the attack it describes: another one has a step of its own."""
    old = recipe.get("attack")
    if not (isinstance(old, dict) and isinstance(attack, dict)):
        return recipe
    other = {key for key, value in attack.items() if not _same(old.get(key), value)}
    gone = {"step_size"} if other & {"name", "norm", "epsilon", "steps"} else set()
    if attack.get("name", old.get("name")) == old.get("name") == "gd":
        gone = set()  # its step is its strength
    gone |= {"steps"} if attack.get("name") == "fgsm" else set()
    return {**recipe, "attack": {key: value for key, value in old.items() if key not in gone}}


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a recipe mean the same: ``4/255`` may be written as a number."""
    try:
        return parse_epsilon(str(one)) == parse_epsilon(str(other))
    except ValueError:
        return bool(one == other)


def _read_change(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ValueError(f"--set needs KEY=VALUE, got {text!r}")
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        read = value.strip()  # words need no quotes
    for part in reversed(key.strip().split(".")):
        read = {part: read}
    changed: dict[str, Any] = read
    return changed


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


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Without what was not said."""
    return {key: value for key, value in values.items() if value is not None}
