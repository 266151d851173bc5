"""Every branch of one model under every condition."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from advprop_core.evaluation.answers import ALONE, BATCH_SIZE, Progress, answer
from advprop_core.evaluation.cells import Subject, cells_of
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import BranchResult
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.processes import Processes

__all__ = ["Progress", "evaluate"]


def evaluate(
    model: DualBNModel,
    images: Tensor,
    labels: Tensor,
    conditions: Sequence[Condition],
    *,
    branches: Sequence[str] | None = None,
    photos: Tensor | None = None,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
    processes: Processes = ALONE,
) -> tuple[BranchResult, ...]:
    """Every branch under every condition.

    Args:
        model: Frozen, on the CPU.
        images: (N, 3, S, S) uint8.
        labels: (N,) int64.
        conditions: Clean, attacks, corruptions, probes.
        branches: Who predicts; every branch when not given.
        photos: (N, 3, 224, 224) uint8, the same images for corruptions to be made on.
        batch_size: Images at a time; answers depend on it by rounding alone.
        progress: Called with (done, all), which count an image once for every condition, and
            once for every attack branch of a white-box attack.
        processes: That call this together, and where their networks run.

    Returns:
        Results, condition by condition, then branch by branch.

    Raises:
        ValueError: If there is no image, a branch does not exist, logits are not finite, a
            corruption comes without photos, or a probe has more patches than an image has pixels.
    """
    names = tuple(branches or model.branch_names)
    subject = Subject("", model, images, labels, names, photos)
    found = answer(
        [subject],
        conditions,
        batch_size=batch_size,
        progress=progress,
        processes=processes,
    )
    return tuple(
        BranchResult.of(cell.branch, cell.condition, found[cell])
        for cell in cells_of(subject, conditions)
    )
