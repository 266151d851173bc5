"""Asks every branch about every condition, and shares what cells share."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from advprop_core.attribution.progress import split
from advprop_core.evaluation.batches import Columns, complete
from advprop_core.evaluation.cells import Cell, TestedModel, cells_of
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Group, Workshop, pixels_of, places
from advprop_core.evaluation.results import NOT_SHOWN, Answers
from advprop_core.pictures.pixels import resized
from advprop_core.pictures.probes import require_room
from advprop_core.types import Progress


def sweep(
    models: Sequence[TestedModel],
    conditions: Sequence[Condition],
    workshop: Workshop | None = None,
    progress: Progress | None = None,
) -> dict[Cell, Answers]:
    """What every branch of every model answers under every condition.

    Cells that are shown the same pixels are measured together: an attack is made once for all
    branches that are asked about it, a corruption once for all models with the same photos, and a
    probe once for all models with the same images.

    Progress is that of :func:`~advprop_core.evaluation.suite.evaluate`, and so is what is refused.
    The workshop's store keeps new answers every minute, and those of AutoAttack batch by batch.
    Under AutoAttack progress is called with every pass, so that it can end the work by raising.
    Processes deal the batches out, so their number changes no answer.
    """
    workshop, groups = workshop or Workshop(), groups_of(models, conditions)
    answered: dict[Cell, Answers] = {}
    listeners = split(progress, [group.count for group in groups])
    for group, listener in zip(groups, listeners, strict=True):
        figures = complete(workshop, group, _answers, listener)
        answered |= {cell: Answers(**columns) for cell, columns in figures.items()}
    return answered


def groups_of(models: Sequence[TestedModel], conditions: Sequence[Condition]) -> list[Group]:
    """The cells of all models, those together that are shown the same pixels."""
    by_name = {model.name: model for model in models}
    if len(by_name) != len(models):
        raise ValueError(
            f"models must have different names, got {[model.name for model in models]}"
        )
    cells = dict.fromkeys(cell for model in models for cell in cells_of(model, conditions))
    by_pixels: dict[tuple[str | int, Condition], list[Cell]] = {}
    for cell in cells:
        model, condition = by_name[cell.model], cell.condition
        if condition.attack_branch is not None:
            model.model.branch(condition.attack_branch)  # refused now, not after half the work
        if condition.probe is not None:
            require_room(condition.probe, model.size)
        # Corrupted and probed pixels are the same for all models that have the same source.
        source: str | int = id(model.source(condition))
        if condition.kind in ("clean", "attack"):
            source = model.name
        by_pixels.setdefault((source, condition), []).append(cell)
    return [
        Group(condition, tuple({c.model: by_name[c.model] for c in shown}.values()), (*shown,))
        for (_, condition), shown in by_pixels.items()
    ]


def _answers(
    workshop: Workshop, group: Group, rows: Tensor, on_pass: Callable[[], None]
) -> dict[Cell, Columns]:
    """What each cell's branch says of the images at (n,) places."""
    pixels, readable = pixels_of(group, workshop, rows, on_pass)
    sizes = {model.size for model in group.models}
    at_size = {
        size: resized(pixels, size)
        .to(workshop.device)
        .contiguous(memory_format=torch.channels_last)
        for size in sizes
    }
    answered: dict[Cell, Columns] = {}
    for cell in group.cells:
        model = group.model(cell)
        with torch.no_grad():
            logits = workshop.network(model, cell.branch)(at_size[model.size]).float().cpu()
        answers = Answers.from_logits(logits, places(model.labels[rows], model.among))
        predicted = answers.predicted
        if model.among is not None:  # counted among all of the network's classes again
            predicted = torch.tensor(model.among, dtype=torch.int32)[predicted]
        if readable is not None:
            predicted = predicted.where(readable, NOT_SHOWN)
        answered[cell] = vars(answers) | {"predicted": predicted}
    return answered
