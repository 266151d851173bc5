"""What a network is asked about photos that training does not use, and the figures of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from advprop_core.datasets.class_folders import draw_evenly
from advprop_core.datasets.listed import Images
from advprop_core.datasets.named import load_images
from advprop_core.errors import InputError
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.processes import ALONE, Processes
from advprop_core.evaluation.shape_bias import shape_bias_of
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.models.class_names import are_indices, match_classes
from advprop_core.models.dual_bn import MAIN, DualBNModel, attack_view
from advprop_core.training.batch import score
from advprop_core.training.data import TrainingData
from advprop_core.types import AttackConfig, ModelInfo

ATTACK = AttackConfig.pgd(2 / 255, steps=10)
CONFLICT_SCENES = 1000
AGREEMENT = "; right is what main answers to the clean photo"
"""What accuracy means where photos have no labels that the network knows."""
_BATCH = 32  # images at a time: to measure takes no more memory than to train did


def for_network(photos: TrainingData, model: DualBNModel, info: ModelInfo) -> TrainingData:
    """The photos that are measured, with the network's own classes as labels.

    Class folders that are classes of the network give true labels. Otherwise its main branch's
    answers to the clean photos are the labels, so that accuracy is agreement with these.
    """
    ids = [class_id for class_id, _ in photos.classes]
    indices = match_classes(info.classes, ids)
    to_network = torch.tensor([indices.get(class_id, -1) for class_id in ids])
    # Albums 01 and 02 are no classes; folders for each of the network's numbers are.
    are_albums = are_indices(info.classes, ids) and len(ids) < info.num_classes
    has_labels = bool((to_network >= 0).all()) and not are_albums

    def relabelled(images: Images) -> Images:
        labels = to_network[images.labels] if has_labels else _answers(model, images.pixels)
        return replace(images, labels=labels, classes=info.classes)

    measured_on = photos.measured_on + ("" if has_labels else AGREEMENT)
    holdout = None if photos.holdout is None else relabelled(photos.holdout)
    return replace(photos, holdout=holdout, val=relabelled(photos.val), measured_on=measured_on)


def _answers(model: DualBNModel, images: Tensor) -> Tensor:
    """(N,) classes that main finds most probable on (N, 3, S, S) uint8 images."""
    device = next(model.parameters()).device
    view, parts = attack_view(model.branch(MAIN)), images.split(_BATCH)
    with torch.no_grad():
        return torch.cat([view(part.to(device).float() / 255).argmax(1).cpu() for part in parts])


def measure(
    model: DualBNModel,
    held_out: Images,
    data: str,
    measured_on: str,
    processes: Processes = ALONE,
    *,
    attacked: int | None = None,
) -> tuple[Mapping[str, Any], ...]:
    """Clean and robust accuracy of every branch, and on TextureShapes its shape bias.

    Args:
        model: Frozen, as loaded from its file: on the CPU.
        held_out: Images that training did not use.
        data: A built-in name or a folder, as for :func:`~.data.load_data`.
        measured_on: What ``held_out`` is, for people.
        processes: Where its networks run.
        attacked: How many of the images are attacked, evenly over the classes; None for all.

    Returns:
        Rows in the form of :meth:`~advprop_core.evaluation.results.BranchResult.to_json`, each with
        the data it was measured on.
    """
    rows = []
    for condition, limit in ((Condition(), None), (Condition(ATTACK), attacked)):
        chosen = _evenly(held_out.labels, limit)
        tested = TestedModel("", model, held_out.pixels[chosen], held_out.labels[chosen])
        suite = Suite([tested], (condition,))
        evaluation = evaluate(suite, processes=processes, batch_size=_BATCH)
        rows += [{**result.to_json(), "data": measured_on} for result in evaluation.results]
    if data == "shapes":
        size = held_out.pixels.shape[-1]
        scenes = load_images("shapes-conflict", size, limit=CONFLICT_SCENES)
        rows += shape_biases(model, scenes, processes)
    return tuple(rows)


def _evenly(labels: Tensor, limit: int | None) -> Tensor:
    """(M,) indices of at most so many images, from the classes in turn."""
    by_class = [(labels == label).nonzero().flatten().tolist() for label in labels.unique()]
    return torch.tensor(draw_evenly(by_class, limit), dtype=torch.int64)


def quick_look(
    model: DualBNModel, split: Images, device: torch.device
) -> dict[str, tuple[float, float]]:
    """(accuracy, mean cross-entropy) of each branch on clean images, while it is trained.

    The model is on the device, in any mode; it is looked at through eval-mode views.
    """
    by_branch = {}
    batches = [*zip(split.pixels.split(_BATCH), split.labels.split(_BATCH), strict=True)]
    for name in model.branch_names:
        view, sums = attack_view(model.branch(name)), torch.zeros(2, device=device)
        for images, labels in batches:
            pixels = images.to(device).float() / 255
            with torch.no_grad():
                logits = view(pixels.contiguous(memory_format=torch.channels_last))
                _, figures = score(logits, labels.to(device), smoothing=0.0)
            sums += len(labels) * torch.stack(figures)
        loss, share_right = (sums / len(split.labels)).tolist()
        by_branch[name] = (share_right, loss)
    return by_branch


def shape_biases(
    model: DualBNModel, scenes: Images, processes: Processes = ALONE
) -> list[dict[str, Any]]:
    """Share of each branch's decisions by shape among those by shape or texture.

    See :func:`~advprop_core.evaluation.shape_bias.shape_bias_of`.

    Args:
        model: Frozen, with the classes of TextureShapes.
        scenes: Of ``shapes-conflict``.
        processes: Where its networks run.

    Returns:
        A row for each branch: ``top1`` is the bias, ``interval`` its 95 % Wilson interval, ``n``
        the decisions that count; ``shape`` and ``texture`` are shares of all scenes.

    Raises:
        InputError: If a branch decides by neither.
    """
    assert scenes.textures is not None
    tested = TestedModel("", model, scenes.pixels, scenes.labels)
    rows = []
    for cell, answers in evaluate(Suite([tested]), processes=processes).cells.items():
        bias = shape_bias_of(answers, scenes.labels, scenes.textures)
        if bias.shape_bias is None or bias.interval is None:
            raise InputError(
                "no scene was answered by its shape or its texture: the network guesses"
            )
        rows.append(
            {
                "condition": {"kind": "shape-bias"},
                "n": bias.decided,
                "top1": bias.shape_bias,
                "interval": list(bias.interval),
                "shape": bias.shape,
                "texture": bias.texture,
                "data": "shapes-conflict",
                "branch": cell.branch,
            }
        )
    return rows
