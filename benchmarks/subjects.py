"""The networks and images that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from advprop_core.datasets.named import load_images
from advprop_core.models import bundle, timm_networks
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.types import ModelInfo

_UNTRAINED_SIDE = 96


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

    Before the checkpoints are there, an untrained network of the same kind takes their place:
    its speed is right, its success rates mean nothing.

    Raises:
        ValueError: If the folder holds no image of the network's classes.
    """
    name = "imagenette-advprop" if data else "shapes-advprop"
    source = str(data) if data else "shapes"
    path = bundle.bundled_models().get(name)
    if path is not None and path.is_file():
        checkpoint = bundle.open_model(name)
        model, info = checkpoint.model, checkpoint.info
        images = load_images(source, info.input_size, classes=info.classes, limit=count)
    else:
        images = load_images(source, _UNTRAINED_SIDE, limit=count)
        model, name = _untrained(images.classes), f"an UNTRAINED network (no {name} is bundled)"
    pixels = images.pixels.float() / 255
    what = "photos" if data else "scenes"
    return Subject(
        f"{name}, {pixels.shape[-1]} px, {len(pixels)} {what}", model, pixels, images.labels
    )


def _untrained(classes: tuple[tuple[str, str], ...]) -> DualBNModel:
    torch.manual_seed(0)
    info = ModelInfo(
        architecture="regnetx_002",
        class_ids=tuple(identity for identity, _ in classes),
        class_names=tuple(name for _, name in classes),
        input_size=_UNTRAINED_SIDE,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        branches={"main": "trained", "aux": "trained"},
    )
    return timm_networks.create(info).freeze()
