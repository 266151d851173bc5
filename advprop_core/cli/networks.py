"""Networks: ``models`` lists them, ``export`` and ``calibrate`` write others made of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.cli.fields import DataSet, File, Name, Number, option_set, with_options
from advprop_core.cli.options import AttackOptions, ModelOptions, ReportOptions
from advprop_core.cli.output import Report, bare_table, command_line, require_new_file, try_file
from advprop_core.cli.progress import counting
from advprop_core.errors import InputError
from advprop_core.models.bundle import bundled_models
from advprop_core.models.cards import describe_attack, metric_of
from advprop_core.models.header import read_info
from advprop_core.text import percent_in_tenths

if TYPE_CHECKING:
    from advprop_core.datasets.listed import Images
    from advprop_core.models.checkpoints import Checkpoint

_BLEND_PHOTOS = 512  # more change the statistics little


@with_options
def models(options: ReportOptions) -> None:
    """List the bundled models and the measured accuracies of each branch.

    The JSON holds each model's whole card: recipe, command, data, classes and metrics.

    ```
    advprop models
    advprop models --json -
    ```
    """
    report = Report(options.json_file)
    cards = {name: (path, read_info(path)) for name, path in bundled_models().items()}
    if not cards:
        report.say("No model is bundled with this copy.")
    headings = ("model", "data", "network", "branch", "clean", "attacked", "size")
    table = bare_table(headings, headings[4:], gap=3)
    table.columns[0].min_width = max(map(len, cards), default=0)
    attacks: dict[str, None] = {}
    for name, (path, info) in cards.items():
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        network = f"{info.architecture}, {info.input_size} px"
        about = [name, str(info.recipe.get("data", "")), network]
        for branch in info.branches:
            metrics = [metric_of(info, branch, kind) for kind in ("clean", "attack")]
            shares = [
                percent_in_tenths(metric["top1"]) if metric else "not measured"
                for metric in metrics
            ]
            if attacked := metrics[1]:
                attacks[describe_attack(attacked["condition"])] = None
            table.add_row(*about, f"{branch} ({info.origin(branch).label})", *shares, size)
            about, size = ["", "", ""], ""  # once for all branches
    report.show(table)
    report.say(
        "Use one as --model NAME. Accuracies are top-1 on held-out images; attacked means under "
        f"{' or '.join(attacks)}, through the branch itself."
    )
    content = [
        {
            "name": name,
            "file": str(path),
            "bytes": path.stat().st_size,
            "architecture": info.architecture,
            "input_size": info.input_size,
            "branches": dict(info.branches),
            "classes": [{"id": identity, "name": readable} for identity, readable in info.classes],
            "recipe": dict(info.recipe),
            "metrics": [dict(metric) for metric in info.metrics],
        }
        for name, (path, info) in cards.items()
    ]
    report.finish({"models": content})


@option_set
class _ExportOptions(ModelOptions):
    out: File
    """The .safetensors or .pth file to write."""
    branch: Name | None = None
    """main, aux, aux2 …"""
    blend: Annotated[str | None, "FIRST:SECOND:PLACE"] = None
    """A blend of two branches instead of one branch. PLACE is 0 at the first branch and 1 at the
    second."""
    data: DataSet | None = None
    """With --blend: images on which its statistics are estimated."""


@with_options
def export(options: _ExportOptions) -> None:
    """Write one branch, or a blend of two, as a plain timm state dict.

    The file loads with `strict=True` into the network that the command prints. Size, mean, std and
    classes are stored too (for a .pth file in FILE.pth.json), so the file opens here as the same
    network.

    A blend (arXiv 2210.04886 calls it a soup) trades clean accuracy for robust accuracy. Its mean
    and variance are estimated again on `--data`. Without that step, γ and β of one branch with mean
    and variance of another break a network: imagenette-advprop falls from 90 % to 18 % on clean
    photos.

    ```
    advprop export --model imagenette-advprop --branch aux --out aux.safetensors
    advprop evaluate --model aux.safetensors --data photos/val
    advprop export --model imagenette-advprop --blend main:aux:0.5 --data photos \
--out half.safetensors
    ```
    """
    out, branch, blend, data = options.out, options.branch, options.blend, options.data
    if (branch is None) == (blend is None) or (blend is None) != (data is None):
        raise InputError("give --branch NAME, or --blend FIRST:SECOND:PLACE with --data DIR")
    require_new_file(out, (".safetensors", ".pth"))
    from advprop_core.models import checkpoints

    checkpoint = options.open()
    if blend is not None and data is not None:
        checkpoint = _blended(checkpoint, options.model, blend, data)
    branch = branch or "main"
    checkpoints.export(checkpoint, branch, out)
    info = checkpoint.info
    what = f"blend {blend}" if blend else f"branch {branch} ({info.origin(branch).label})"
    typer.echo(f"wrote {out}, {what}")
    arguments = {"num_classes": info.num_classes, **info.arguments}
    written = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    typer.echo(
        f"timm.create_model({info.architecture!r}, {written}), "
        f"{info.input_size} px, mean {info.mean}, std {info.std}"
    )


def _blended(checkpoint: Checkpoint, name: str, blend: str, data: str) -> Checkpoint:
    """``main:aux:0.5`` as a checkpoint of one branch, with statistics estimated on images."""
    try:
        first, second, share = blend.split(":")
        position = float(share)
    except ValueError:
        first, second, position = "", "", math.nan
    if first == second or not 0 <= position <= 1:
        raise InputError(
            "--blend must be two branches and a place from 0 to 1, such as main:aux:0.5, "
            f"got {blend!r}"
        )
    for branch in (first, second):
        checkpoint.model.branch(branch)  # an error says what is near
    from advprop_core.anatomy.mixing import soup

    images = _training_images(checkpoint, name, data, _BLEND_PHOTOS)
    typer.echo(
        f"statistics estimated again on {len(images.labels)} images, because those of the "
        "branches fit other weights",
        err=True,
    )
    return soup(checkpoint, position, images.pixels.float() / 255, first=first, second=second)


def _training_images(checkpoint: Checkpoint, name: str, data: str, limit: int | None) -> Images:
    """Images of the network's classes; what is left out of them is said on standard error."""
    from advprop_core.datasets.named import load_images
    from advprop_core.evaluation.notes import left_out

    info = checkpoint.info
    images = load_images(data, info.input_size, split="train", classes=info.classes, limit=limit)
    for note in (*images.notes, *left_out(name, images.unreadable, images.ignored_classes)):
        typer.echo(note, err=True)
    return images


@option_set
class _CalibrateOptions(AttackOptions, ModelOptions):
    data: DataSet
    """A folder with a folder of images for each class, or a built-in name."""
    out: File
    """The .safetensors file to write."""
    affine_epochs: int = 0
    """Epochs that also train γ and β. With 0, only the statistics are estimated."""
    learning_rate: float = 0.01
    """Learning rate of γ and β."""
    batch_size: int = 64
    """Images in a batch."""
    limit: Number | None = None
    """At most this many images, spread evenly over the classes."""


@with_options
def calibrate(options: _CalibrateOptions) -> None:
    """Give a network with one BatchNorm an auxiliary branch.

    The statistics of the branch are estimated again on adversarial images. No other weight changes.
    The app and the command line call the branch *statistics only*, because it was not trained.

    This makes a network hardly more robust, because γ and β decide the robustness. Of 300 photos
    under PGD-10 at 2/255, imagenette-vanilla gets 0.3 % right and its calibrated branch 0.7 %. On
    clean photos they get 91.3 % and 93.0 %. `--affine-epochs 5` also trains γ and β, on the same
    512 photos. Then the branch gets 2.0 % under attack and 94.7 % on clean photos.

    ```
    advprop calibrate --model imagenette-vanilla --data photos/train --epsilon 2/255 \
--out vanilla-calibrated.safetensors
    advprop evaluate --model vanilla-calibrated.safetensors --data photos/val --attack pgd
    ```
    """
    require_new_file(options.out)
    config = options.read_attack()
    try_file(options.out, "--out")
    import torch

    from advprop_core.models.checkpoints import save
    from advprop_core.training.calibrate import calibrate as run
    from advprop_core.training.memory import memory_advice

    checkpoint = options.open()
    images = _training_images(checkpoint, options.model, options.data, options.limit)
    if len(labels := images.labels.unique()) < 2:
        only = checkpoint.info.class_names[int(labels[0])]
        raise InputError(f"{options.data} has images of one class only, {only}: give several")
    advice = (
        f"batch size {options.batch_size} at {checkpoint.info.input_size} pixels does not fit into "
        "memory: lower --batch-size"
    )
    shown = len(images.labels) * (1 + options.affine_epochs)
    with memory_advice(advice), counting(options.model, shown) as progress:
        calibrated = run(
            checkpoint,
            images.pixels,
            images.labels,
            config,
            affine_epochs=options.affine_epochs,
            learning_rate=options.learning_rate,
            batch_size=options.batch_size,
            device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
            progress=progress,
        )
    info = replace(calibrated.info, recipe={**calibrated.info.recipe, "command": command_line()})
    save(options.out, calibrated.model, info)
    typer.echo(
        f"wrote {options.out}, branch aux (statistics only, from {len(images.labels)} images)"
    )
