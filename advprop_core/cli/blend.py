"""A network between two branches: what ``--blend`` of ``export`` means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from advprop_core.errors import InputError
from advprop_core.text import did_you_mean

if TYPE_CHECKING:
    from advprop_core.models.checkpoints import Checkpoint

PHOTOS = 512  # more change the statistics little


def blended(checkpoint: Checkpoint, blend: str, data: str) -> Checkpoint:
    """The blend as a checkpoint of one branch, with statistics estimated on training images.

    Args:
        checkpoint: With both branches.
        blend: ``main:aux:0.5``, as people write it.
        data: An image folder, or a built-in name.

    Raises:
        InputError: If the text is no blend of two branches that the network has.
    """
    first, second, place = _read(blend, list(checkpoint.info.branches))
    from advprop_core.anatomy.soup import soup
    from advprop_core.datasets.named import load_images
    from advprop_core.evaluation.notes import left_out

    info = checkpoint.info
    images = load_images(data, info.input_size, split="train", classes=info.classes, limit=PHOTOS)
    for note in (*images.notes, *left_out(info.name, images.unreadable, images.ignored_classes)):
        typer.echo(note, err=True)
    typer.echo(
        f"statistics estimated again on {len(images.labels)} images, because those of the "
        "branches fit other weights",
        err=True,
    )
    return soup(checkpoint, place, images.pixels.float() / 255, first=first, second=second)


def _read(text: str, branches: list[str]) -> tuple[str, str, float]:
    first, second, share = [*text.split(":"), "", ""][:3]
    for name in (first, second):
        if name not in branches:
            raise InputError(f"--blend names no branch {name!r}. {did_you_mean(name, branches)}")
    try:
        place = float(share)
    except ValueError:
        place = -1.0
    if text.count(":") != 2 or first == second or not 0 <= place <= 1:
        raise InputError(
            "--blend must be two branches and a place from 0 to 1, such as main:aux:0.5, "
            f"got {text!r}"
        )
    return first, second, place
