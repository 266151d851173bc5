"""Asks every branch about every condition, and shares what cells share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from advprop_core.attribution.progress import split
from advprop_core.evaluation.batches import measure_batches
from advprop_core.evaluation.cells import Cell, TestedModel, cells_of
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Group, Workshop, pixels_of
from advprop_core.evaluation.networks import in_full, places
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.store import CellStore
from advprop_core.evaluation.stored_corruptions import marked
from advprop_core.pictures.probes import require_room
from advprop_core.types import Progress

_FEW = 16  # images at a time where each takes long
_PATIENCE = 60  # seconds after which answers are kept, though more of their cell are to come


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
    workshop = workshop or Workshop()
    cells = dict.fromkeys(cell for model in models for cell in cells_of(model, conditions))
    groups = _groups(models, cells)
    answered: dict[Cell, Answers] = {}
    listeners = split(progress, [group.count for group in groups])
    for group, group_progress in zip(groups, listeners, strict=True):
        answered |= _group_answers(workshop, group, group_progress)
    return answered


def _group_answers(workshop: Workshop, group: Group, progress: Progress) -> dict[Cell, Answers]:
    """Every cell's answers: those in the store, and those to the images that lack some."""
    first = workshop.processes.is_first  # the others' folders need not hold the same
    stored = workshop.processes.from_first(_stored(workshop.store, group) if first else {})
    lacking = tuple(cell for cell, (rows, _) in stored.items() if len(rows) < group.count)
    missing = _missing([stored[cell][0] for cell in lacking], group.count)
    if len(missing) < group.count:
        progress(group.count - len(missing), group.count)
    if not lacking:
        return {cell: answers for cell, (_, answers) in stored.items()}
    stored_rows = {cell: rows for cell, (rows, _) in stored.items()}
    fresh = _ask(workshop, replace(group, cells=lacking), missing, stored_rows, progress)
    return {
        cell: _whole(before, missing, fresh[cell]) if cell in fresh else before[1]
        for cell, before in stored.items()
    }


def _ask(
    workshop: Workshop,
    group: Group,
    missing: Tensor,
    stored_rows: Mapping[Cell, Tensor],
    progress: Progress,
) -> dict[Cell, Answers]:
    stored_count = group.count - len(missing)
    takes_few = group.is_slow and workshop.device.type == "cpu"

    def measure(rows: Tensor, before: int) -> dict[Cell, Answers]:
        on_pass = partial(progress, stored_count + before, group.count)
        return _answers(group, workshop, rows, on_pass)

    def save(rows: Tensor, parts: list[dict[Cell, Answers]]) -> None:
        """Save the answers to the images at (n,) places that the store does not have yet."""
        answers = _joined(parts, group.cells)
        for cell in group.cells:
            new = ~torch.isin(rows, stored_rows[cell])
            if workshop.store and new.any():
                columns = vars(answers[cell].rows(new))
                workshop.store.write(group.model(cell), cell, rows[new], columns)

    answered = measure_batches(
        missing,
        min(workshop.batch_size, _FEW) if takes_few else workshop.batch_size,
        workshop.processes,
        measure,
        save,
        lambda done: progress(stored_count + done, group.count),
        patience=0 if group.is_slow else _PATIENCE,
    )
    return _joined(answered, group.cells)


def _stored(store: CellStore | None, group: Group) -> dict[Cell, tuple[Tensor, Answers]]:
    if store is None:
        return dict.fromkeys(group.cells, (torch.empty(0).long(), Answers.none()))
    stored = {cell: store.read(group.model(cell), cell) for cell in group.cells}
    return {
        cell: (rows, Answers(**columns) if columns else Answers.none())
        for cell, (rows, columns) in stored.items()
    }


def _joined(parts: Sequence[Mapping[Cell, Answers]], cells: Sequence[Cell]) -> dict[Cell, Answers]:
    return {cell: Answers.join([part[cell] for part in parts]) for cell in cells}


def _missing(stored_rows: Sequence[Tensor], count: int) -> Tensor:
    """(n,) places of the images that lack some answer, ascending."""
    every_image = torch.arange(count)
    has_all = torch.ones(count, dtype=torch.bool)
    for rows in stored_rows:
        has_all &= torch.isin(every_image, rows)
    return every_image[~has_all]


def _whole(stored: tuple[Tensor, Answers], missing: Tensor, fresh: Answers) -> Answers:
    """A cell's answers in the order of its images: fresh ones where none were stored."""
    rows, answers = stored
    new = ~torch.isin(missing, rows)
    order = torch.cat([rows, missing[new]]).argsort()
    return Answers.join([answers, fresh.rows(new)]).rows(order)


def _groups(models: Sequence[TestedModel], cells: Iterable[Cell]) -> list[Group]:
    by_name = {model.name: model for model in models}
    if len(by_name) != len(models):
        raise ValueError(f"models must have different names, got {[one.name for one in models]}")
    by_pixels: dict[tuple[str | int, Condition], list[Cell]] = {}
    for cell in cells:
        source = _pixels_of_whom(by_name[cell.model], cell.condition)
        by_pixels.setdefault((source, cell.condition), []).append(cell)
    return [
        Group(condition, tuple({c.model: by_name[c.model] for c in shown}.values()), (*shown,))
        for (_, condition), shown in by_pixels.items()
    ]


def _pixels_of_whom(model: TestedModel, condition: Condition) -> str | int:
    """Models for which this is equal share the condition's pixels."""
    if condition.attack_branch is not None:
        model.model.branch(condition.attack_branch)  # refused now, not after half the work
    if condition.stored:
        if model.stored is None:
            raise ValueError("stored corruptions are read from files: pass stored")
        return id(model.stored)
    if not len(model.images):
        raise ValueError("there are only stored corruptions: pass images too")
    if condition.corruption is not None:
        if model.photos is None:
            raise ValueError("corruptions are made on photos of 224 pixels: pass photos")
        return id(model.photos)
    if condition.probe is not None:
        require_room(condition.probe, model.size)
        return id(model.images)
    return model.name


def _answers(
    group: Group, workshop: Workshop, rows: Tensor, on_pass: Callable[[], None]
) -> dict[Cell, Answers]:
    """What each cell's branch says of the images at (n,) places."""
    pixels, readable = pixels_of(group, workshop, rows, on_pass)
    pixels = {size: sized.to(workshop.device) for size, sized in pixels.items()}
    answered = {}
    for cell in group.cells:
        model = group.model(cell)
        with torch.no_grad():
            logits = workshop.network(model, cell.branch)(pixels[model.size]).float().cpu()
        among = Answers.from_logits(logits, places(model.labels[rows], model.among))
        answers = in_full(among, model.among)
        answered[cell] = answers if readable is None else marked(answers, readable)
    return answered
