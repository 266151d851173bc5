"""Cells measured a batch at a time, by processes together, and saved on the way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic

import torch
from torch import Tensor

from advprop_core.evaluation.cells import Cell
from advprop_core.evaluation.inputs import Group, Workshop
from advprop_core.types import Progress

Columns = Mapping[str, Tensor]
"""Name to the (n,) figures of n images, as the store keeps them."""
Measure = Callable[[Workshop, Group, Tensor, Callable[[], None]], Mapping[Cell, Columns]]
"""Measures the images at (b,) places, and may call the last argument at any time, to be ended."""

_FEW = 16  # images at a time where each takes long
_PATIENCE = 60  # seconds after which figures are kept, though more of their cell are to come


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
                kept = {name: values[new] for name, values in columns.items()}
                store.write(group.model(cell), cell, rows[new], kept)

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
