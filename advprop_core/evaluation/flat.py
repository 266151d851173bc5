"""Images at which a branch has no gradient at all: no attack that follows it can move them."""

from __future__ import annotations

from advprop_core.attacks.gradient import loss_gradient
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.networks import clean_batch, folded_network
from advprop_core.processes import Processes


def count_flat(model: TestedModel, batch_size: int, processes: Processes) -> dict[str, int]:
    """Branch to the number of its images where the gradient of the loss is exactly zero.

    The loss is the one that attacks raise, so a confident branch has none of these. A
    layer that rounds, dead activations or a detached graph make them.
    """
    counts = {}
    batches = range(0, len(model.images), batch_size)
    for branch in model.branches:
        network = folded_network(model, branch, processes.device)
        flat_per_batch = []
        for start in processes.share(batches):
            rows = slice(start, start + batch_size)
            pixels, labels = clean_batch(model, rows, processes.device)
            gradient = loss_gradient(network, pixels, labels)
            flat_per_batch.append(int((gradient.flatten(1) == 0).all(1).sum()))
        counts[branch] = sum(processes.gather(flat_per_batch))
    return counts
