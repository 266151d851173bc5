"""Asks every branch about every condition, and shares what cells share.

Images are measured a batch at a time, by processes together, and saved on the way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic

import torch
from torch import Tensor

from advprop_core.attribution.progress import split
from advprop_core.evaluation.cells import Cell, TestedModel, cells_of
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Group, Workshop, pixels_of, places
from advprop_core.evaluation.results import NOT_SHOWN, Answers
from advprop_core.pictures.pixels import resized
from advprop_core.pictures.probes import require_room
from advprop_core.types import Progress

Columns = Mapping[str, Tensor]
"""Name to the (n,) figures of n images, as the store keeps them."""
Measure = Callable[[Workshop, Group, Tensor, Callable[[], None]], Mapping[Cell, Columns]]
"""Measures the images at (b,) places, and may call the last argument at any time, to be ended."""

_FEW = 16  # images at a time where each takes long
_PATIENCE = 60  # seconds after which figures are kept, though more of their cell are to come


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


def complete(
    workshop: Workshop, group: Group, measure: Measure, progress: Progress
) -> dict[Cell, Columns]:
    """The figures of every cell for all images, on every process.

    What the store has stays as it is. The images that lack some figure are measured in all cells
    that are not complete, and what is new is stored.
    """
    store, processes = workshop.store, workshop.processes
    stored: dict[Cell, tuple[Tensor, Columns]]
    stored = dict.fromkeys(group.cells, (torch.empty(0, dtype=torch.int64), {}))
    if store and processes.is_first:  # the others' folders need not hold the same
        stored = {cell: store.read(group.model(cell), cell) for cell in group.cells}
    stored = processes.from_first(stored)
    every_image = torch.arange(group.count)
    is_stored = {cell: torch.isin(every_image, rows) for cell, (rows, _) in stored.items()}
    # An image that one cell lacks is shown to all that are asked: its pixels are the work.
    missing = every_image[~torch.stack([*is_stored.values()]).all(0)]
    if len(missing) < group.count:
        progress(group.count - len(missing), group.count)
    if not len(missing):
        return {cell: columns for cell, (_, columns) in stored.items()}
    asked = replace(group, cells=tuple(cell for cell in group.cells if not is_stored[cell].all()))

    def save(rows: Tensor, parts: Sequence[Mapping[Cell, Columns]]) -> None:
        """Save the figures of the images at (n,) places that the store does not have yet."""
        for cell, columns in _joined(parts, asked.cells).items():
            new = ~is_stored[cell][rows]
            if store and new.any():
                saved_columns = {name: values[new] for name, values in columns.items()}
                store.write(group.model(cell), cell, rows[new], saved_columns)

    fresh = _joined(_in_batches(workshop, asked, missing, measure, save, progress), asked.cells)
    return {
        cell: _whole(group.count, missing, fresh[cell], rows, columns) if cell in fresh else columns
        for cell, (rows, columns) in stored.items()
    }


def _in_batches(
    workshop: Workshop,
    group: Group,
    missing: Tensor,
    measure: Measure,
    save: Callable[[Tensor, Sequence[Mapping[Cell, Columns]]], None],
    progress: Progress,
) -> list[Mapping[Cell, Columns]]:
    """What is measured of the images at (n,) places, batch by batch, on every process."""
    size = workshop.batch_size
    if group.is_slow and workshop.device.type == "cpu":
        size = min(size, _FEW)
    patience = 0 if group.is_slow or group.cells[0].smallest else _PATIENCE
    batches = missing.split(size)
    own_batches = workshop.processes.share(range(len(batches)))
    measured, saved_count, saved_at = list[Mapping[Cell, Columns]](), 0, monotonic()
    for number in own_batches:
        done = group.count - len(missing) + number * size
        on_pass = partial(progress, done, group.count)
        measured.append(measure(workshop, group, batches[number], on_pass))
        if monotonic() - saved_at >= patience:
            unsaved = own_batches[saved_count : len(measured)]
            save(torch.cat([batches[index] for index in unsaved]), measured[saved_count:])
            saved_count, saved_at = len(measured), monotonic()
        progress(done + len(batches[number]), group.count)
    results = workshop.processes.gather(measured)
    # What others saved is saved again: their folders may lie elsewhere.
    unsaved = [index for index in range(len(batches)) if index not in own_batches[:saved_count]]
    if workshop.processes.is_first and unsaved:
        save(torch.cat([batches[index] for index in unsaved]), [results[n] for n in unsaved])
    return results


def _joined(
    parts: Sequence[Mapping[Cell, Columns]], cells: Iterable[Cell]
) -> dict[Cell, dict[str, Tensor]]:
    return {
        cell: {name: torch.cat([part[cell][name] for part in parts]) for name in parts[0][cell]}
        for cell in cells
    }


def _whole(count: int, missing: Tensor, fresh: Columns, rows: Tensor, stored: Columns) -> Columns:
    """A cell's figures of all images: those that were stored, and fresh ones elsewhere."""
    whole = {}
    for name, values in fresh.items():
        whole[name] = values.new_empty(count)
        whole[name][missing] = values
        if name in stored:  # last: a stored figure may differ from a fresh one by rounding
            whole[name][rows] = stored[name]
    return whole
