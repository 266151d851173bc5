"""The networks and images that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from advprop_core.datasets.named import load_images
from advprop_core.models import bundle
from advprop_core.models.dual_bn import DualBNModel


@dataclass(frozen=True)
class Subject:
    """A frozen model with labelled images of its own size.

    Attributes:
        title: Which, in words.
        model: Frozen.
        pixels: (N, 3, S, S) in [0, 1].
        labels: (N,) class indices.
    """

    title: str
    model: DualBNModel
    pixels: Tensor
    labels: Tensor


def open_subject(data: Path | None, count: int) -> Subject:
    """Imagenette's network on the photos of a folder, or the scenes' network on scenes.

    Raises:
        InputError: If the folder holds no image of the network's classes.
    """
    name = "imagenette-advprop" if data else "shapes-advprop"
    source = str(data) if data else "shapes"
    checkpoint = bundle.open_model(name)
    size, classes = checkpoint.info.input_size, checkpoint.info.classes
    images = load_images(source, size, classes=classes, limit=count)
    pixels = images.pixels.float() / 255
    what = "photos" if data else "scenes"
    return Subject(
        f"{name}, {pixels.shape[-1]} px, {len(pixels)} {what}",
        checkpoint.model,
        pixels,
        images.labels,
    )
