"""The smallest radius at which PGD fools a branch, image by image."""

import math
from collections.abc import Callable, Sequence
from statistics import median

import torch
from torch import Tensor

from advprop_core.attacks.gradient import Sizes, loss_gradient, walk
from advprop_core.attacks.inputs import Model, own_inputs, require_labels
from advprop_core.attribution.progress import split
from advprop_core.errors import InputError
from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.figures import SmallestEpsilon
from advprop_core.evaluation.inputs import Group, Workshop, clean_batch
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.evaluation.store import RADII
from advprop_core.evaluation.sweep import Columns, complete
from advprop_core.types import AttackConfig, Progress

MEANING = (
    "smallest epsilon at which PGD fools the branch, image by image: an upper bound, which a "
    "stronger attack may lower; 0 where the clean answer is wrong, null where no radius up to the "
    "limit fools it"
)
_RUNGS = 5
_HALVINGS = 5


def summed_up(
    model: str, branch: str, attack: AttackConfig, epsilons: Sequence[float]
) -> SmallestEpsilon:
    """What the radii of a branch's images amount to; infinite where no radius sufficed.

    As many images lie below the true median as heads fall in n throws of a coin, so both ends of
    its interval are order statistics at exact binomial quantiles. Fewer than six images give less
    than 95 %: then it is all their range.
    """
    from scipy.stats import binom  # here: it takes a second to load

    ordered, n = sorted(epsilons), len(epsilons)
    rank = max(int(binom.ppf(0.025, n, 0.5)), 1)  # from 1: the rank-th from either end
    wrong, never = ordered.count(0.0), ordered.count(math.inf)
    return SmallestEpsilon(
        model=model,
        branch=branch,
        attack=attack.name,
        norm=attack.norm,
        limit=attack.epsilon,
        n=n,
        wrong=wrong / n,
        never=never / n,
        median=_or_none(median(ordered)),
        interval=(_or_none(ordered[rank - 1]), _or_none(ordered[n - rank])),
        epsilons=tuple(map(_or_none, epsilons)),
        wrong_interval=wilson_interval(wrong, n),
        never_interval=wilson_interval(never, n),
    )


@torch.inference_mode(False)
def smallest_epsilons(model: Model, pixels: Tensor, labels: Tensor, attack: AttackConfig) -> Tensor:
    """The smallest radius that fools the model, for each image.

    The first radius is a sixteenth of the limit. It is doubled until the attack succeeds, and the
    gap below is then halved five times. A radius that failed lies at most 3 % below what is found
    (below a sixteenth of the limit: 1/512 of the limit). Smaller ones may suffice again, and a
    stronger attack may need less, so this is an upper bound.

    Args:
        model: As for :func:`~advprop_core.attacks.gradient.attack`.
        pixels: (N, 3, H, W) float in [0, 1].
        labels: (N,) true classes.
        attack: At the largest radius; smaller ones scale its step size. Images share one random
            start, which each radius scales.

    Returns:
        (N,) float64 on the CPU in pixel units: 0 where the clean answer is wrong, infinite where
        no radius up to the limit suffices.

    Raises:
        InputError: For a targeted attack or a limit of 0.
        TypeError, ValueError: For what every attack refuses.
    """
    pixels, labels = own_inputs(model, pixels, labels)
    if attack.target_class is not None or not attack.epsilon:
        raise InputError(
            "attack must be untargeted and have an epsilon above 0, the largest radius to try, "
            f"got target_class {attack.target_class} and epsilon {attack.epsilon}"
        )
    with torch.no_grad():
        logits = model(pixels)
    require_labels(labels, logits.shape[1])
    fooled = torch.where(logits.argmax(1) == labels, torch.inf, 0.0).double().cpu()
    survived = torch.zeros_like(fooled)

    def attack_at(rows: Tensor, radii: Tensor) -> None:
        """Attack some images, each at its own radius."""
        if not len(rows):
            return
        epsilon = radii.to(pixels).view(-1, 1, 1, 1)
        sizes = Sizes(epsilon, epsilon * (attack.step_size / attack.epsilon))
        true = labels[rows]
        adversarial = walk(model, pixels[rows], true, attack, loss_gradient, sizes=sizes)
        with torch.no_grad():
            wrong = (model(adversarial).argmax(1) != true).cpu()
        fooled[rows[wrong]] = radii[wrong]
        survived[rows[~wrong]] = radii[~wrong]

    # Up from a sixteenth of the limit, always those alone that nothing has fooled yet.
    for rung in reversed(range(_RUNGS)):
        rows = (fooled == torch.inf).nonzero()[:, 0]
        attack_at(rows, torch.full_like(fooled[rows], attack.epsilon / 2**rung))
    # Then into the gap between the largest radius that failed and the smallest that fooled.
    rows = ((fooled > 0) & (fooled < torch.inf)).nonzero()[:, 0]
    for _ in range(_HALVINGS):
        attack_at(rows, (survived[rows] + fooled[rows]) / 2)
    return fooled


def measure_smallest(
    model: TestedModel,
    attack: AttackConfig,
    workshop: Workshop | None = None,
    progress: Progress | None = None,
) -> tuple[SmallestEpsilon, ...]:
    """Every branch of a model, attacked through itself as by :func:`smallest_epsilons`.

    The workshop's store keeps each batch at once, for it is hundreds of passes; progress counts
    images once for each branch.
    """
    searches = []
    listeners = split(progress, [len(model.labels)] * len(model.branches))
    for branch, listener in zip(model.branches, listeners, strict=True):
        cell = Cell(model.name, branch, Condition(), attack)
        group = Group(cell.condition, (model,), (cell,))
        radii = complete(workshop or Workshop(), group, _radii, listener)[cell][RADII]
        searches.append(summed_up(model.name, branch, attack, radii.tolist()))
    return tuple(searches)


def _radii(
    workshop: Workshop, group: Group, rows: Tensor, _on_pass: Callable[[], None]
) -> dict[Cell, Columns]:
    """The smallest radii of the images at (n,) places, for the group's one cell."""
    (cell,), (model,) = group.cells, group.models
    assert cell.smallest is not None
    network = workshop.network(model, cell.branch)
    pixels, labels = clean_batch(model, rows, workshop.device)
    return {cell: {RADII: smallest_epsilons(network, pixels, labels, cell.smallest)}}


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
