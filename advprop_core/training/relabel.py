"""Photos for a network whose classes are not theirs: what it is asked about them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from advprop_core.datasets.named import Images
from advprop_core.models.class_names import match_classes
from advprop_core.models.dual_bn import MAIN, DualBNModel, attack_view
from advprop_core.training.data import TrainingData
from advprop_core.types import ModelInfo

MEASURED = 200
"""Photos of ``val`` that are measured: PGD-10 on a network of 224 pixels takes a second each."""


def for_network(photos: TrainingData, model: DualBNModel, info: ModelInfo) -> TrainingData:
    """The photos that are measured, with the network's own classes as labels.

    Class folders that are classes of the network give true labels. Otherwise its main branch's
    answers to the clean photos are the labels, so that accuracy is agreement with these.

    Args:
        photos: With classes of their own.
        model: Its main branch is asked.
        info: Gives its classes.
    """
    ids = [class_id for class_id, _ in photos.classes]
    indices = match_classes(info.classes, ids)
    to_network = torch.tensor([indices.get(class_id, -1) for class_id in ids])
    known = bool((to_network >= 0).all())

    def relabelled(images: Images) -> Images:
        labels = to_network[images.labels.long()] if known else _answers(model, images.pixels)
        return replace(images, labels=labels, classes=info.classes)

    holdout = None if photos.holdout is None else relabelled(photos.holdout)
    return replace(photos, holdout=holdout, val=relabelled(_spread(photos.val)))


def _answers(model: DualBNModel, images: Tensor) -> Tensor:
    """(N,) classes that main finds most probable on (N, 3, S, S) uint8 images."""
    device = next(model.parameters()).device
    view = attack_view(model.branch(MAIN))
    with torch.no_grad():
        batches = [view(part.to(device).float() / 255).argmax(1).cpu() for part in images.split(64)]
    return torch.cat(batches) if batches else torch.empty(0, dtype=torch.int64)


def _spread(images: Images) -> Images:
    """At most :data:`MEASURED` photos, evenly over the classes."""
    count = len(images.labels)
    if count <= MEASURED:
        return images
    by_class = images.labels.argsort(stable=True)
    chosen = by_class[torch.linspace(0, count - 1, MEASURED).round().long()]
    return replace(images, pixels=images.pixels[chosen], labels=images.labels[chosen])
