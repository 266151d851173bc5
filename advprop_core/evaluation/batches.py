"""Images measured a batch at a time, by processes together, and saved on the way."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

import torch
from torch import Tensor

from advprop_core.evaluation.processes import Processes

BATCH_SIZE = 64
T = TypeVar("T")


def measure_batches(
    missing: Tensor,
    batch_size: int,
    processes: Processes,
    measure: Callable[[Tensor, int], T],
    save: Callable[[Tensor, list[T]], None],
    report: Callable[[int], None],
    *,
    patience: float = 0.0,
) -> list[T]:
    """The results of all batches, in their order, on every process.

    Args:
        missing: (n,) places of the images that are to be measured.
        batch_size: Images at a time.
        processes: That call this together. Batches are dealt out to them.
        measure: Called with the (b,) places of a batch, and how many images are before it.
        save: Called with (m,) places and the results of the batches they are in.
        report: Called after a batch with how many images are done.
        patience: Seconds after which a process saves what it has measured.
    """
    rows = missing.split(batch_size)
    own_batches = processes.share(range(len(rows)))
    measured, saved_count, saved_at = list[T](), 0, monotonic()
    for batch in own_batches:
        before = batch * batch_size
        measured.append(measure(rows[batch], before))
        if monotonic() - saved_at >= patience:
            unsaved = own_batches[saved_count : len(measured)]
            save(torch.cat([rows[index] for index in unsaved]), measured[saved_count:])
            saved_count, saved_at = len(measured), monotonic()
        report(before + len(rows[batch]))
    results = processes.gather(measured)
    # What others saved is saved again: their folders may lie elsewhere.
    unsaved = [index for index in range(len(rows)) if index not in own_batches[:saved_count]]
    if processes.is_first and unsaved:
        save(torch.cat([rows[index] for index in unsaved]), [results[index] for index in unsaved])
    return results
