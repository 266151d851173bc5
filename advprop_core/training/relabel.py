"""Photos for a network whose classes are not theirs: what it is asked about them."""

from dataclasses import replace

import torch
from torch import Tensor

from advprop_core.datasets.listed import Images
from advprop_core.models.class_names import are_indices, match_classes
from advprop_core.models.dual_bn import MAIN, DualBNModel, attack_view
from advprop_core.training.data import TrainingData
from advprop_core.types import ModelInfo

AGREEMENT = "; right is what main answers to the clean photo"
"""What accuracy means where photos have no labels that the network knows."""


def for_network(photos: TrainingData, model: DualBNModel, info: ModelInfo) -> TrainingData:
    """The photos that are measured, with the network's own classes as labels.

    Class folders that are classes of the network give true labels. Otherwise its main branch's
    answers to the clean photos are the labels, so that accuracy is agreement with these.
    """
    ids = [class_id for class_id, _ in photos.classes]
    indices = match_classes(info.classes, ids)
    to_network = torch.tensor([indices.get(class_id, -1) for class_id in ids])
    # Albums 01 and 02 are no classes; folders for each of the network's numbers are.
    numbered = are_indices(info.classes, ids) and len(ids) < info.num_classes
    known = bool((to_network >= 0).all()) and not numbered

    def relabelled(images: Images) -> Images:
        labels = to_network[images.labels.long()] if known else _answers(model, images.pixels)
        return replace(images, labels=labels, classes=info.classes)

    measured_on = photos.measured_on + ("" if known else AGREEMENT)
    holdout = None if photos.holdout is None else relabelled(photos.holdout)
    return replace(photos, holdout=holdout, val=relabelled(photos.val), measured_on=measured_on)


def _answers(model: DualBNModel, images: Tensor) -> Tensor:
    """(N,) classes that main finds most probable on (N, 3, S, S) uint8 images."""
    device = next(model.parameters()).device
    view = attack_view(model.branch(MAIN))
    with torch.no_grad():
        batches = [view(part.to(device).float() / 255).argmax(1).cpu() for part in images.split(64)]
    return torch.cat(batches) if batches else torch.empty(0, dtype=torch.int64)
