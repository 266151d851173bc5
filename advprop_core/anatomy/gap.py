"""Which norm layers carry what two branches differ in: their predictions, put in one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from advprop_core.anatomy.layers import execution_order, pair, stages_of_layers
from advprop_core.anatomy.mixing import norm_tensors, wear
from advprop_core.attribution.progress import Counter
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.models.dual_bn import MAIN, DualBNModel, private_view
from advprop_core.models.statistics import estimate_statistics, spread
from advprop_core.predict import logits_of
from advprop_core.types import Progress

Order = Literal["alone", "from_stem", "from_head"]
By = Literal["layer", "stage"]

_Unit = tuple[str | None, tuple[str, ...]]


@dataclass(frozen=True)
class Score:
    """How a network does on some images of known class.

    Attributes:
        probability: Mean probability of the true class.
        correct: How many images are predicted right.
        n: Number of images.
    """

    probability: float
    correct: int
    n: int

    @property
    def accuracy(self) -> float:
        """Share of images that are predicted right."""
        return self.correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson_interval(self.correct, self.n)


@dataclass(frozen=True)
class GapRow:
    """Main with another branch's norm in some layers.

    Attributes:
        unit: The layer or stage whose norm this row brings in; None where the row is one of the
            two branches as it is.
        layers: All layers that are the other branch's, in execution order.
        scores: Name of each set of images to how the network does on it.
    """

    unit: str | None
    layers: tuple[str, ...]
    scores: Mapping[str, Score]


@dataclass(frozen=True)
class Gap:
    """Swaps in every order.

    Attributes:
        rows: Order to its rows: main, one row per unit in the order they are swapped, and for
            ``alone`` the swap of all of them at the end; the walks end there anyway.
        naive: The same without estimating statistics again; None where ``rows`` are that.
        by: What a unit is.
        n: Number of images.
    """

    rows: Mapping[Order, tuple[GapRow, ...]]
    naive: Mapping[Order, tuple[GapRow, ...]] | None
    by: By
    n: int


def measure_gap(
    model: DualBNModel,
    images: Mapping[str, Tensor],
    labels: Tensor,
    reference: Tensor | None,
    *,
    by: By,
    second: str = "aux",
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Gap:
    """Swap norm layers from main to another branch and see what that does to predictions.

    ``alone`` swaps each unit on its own. ``from_stem`` leaves every swapped unit in and goes on
    to the next, in execution order; ``from_head`` begins at the other end. Layers depend on one
    another, so what they do alone need not add up to the whole gap: read ``alone`` as what a
    layer can do by itself, and the two walks as what it adds when the layers below or above it
    have changed sides already.

    Statistics fit only the weights in front of them, so after each swap they are estimated again
    in every layer. Beside that stands the naive swap, where each layer brings its own running
    statistics: its losses say little about the layers.

    The images stay as they are, made through some branch. A swap that only leads that branch's
    gradients astray does well on them and is no more robust; for that, attack the network that
    :func:`~advprop_core.anatomy.mixing.blend` gives.

    Args:
        model: Any model with two branches; it is not changed.
        images: Name (such as ``clean`` and ``adversarial``) to (N, 3, H, W) pixels in [0, 1] on
            the model's device: the same N images in each.
        labels: (N,) true classes.
        reference: (M, 3, H, W) pixels to estimate statistics on, 128 photos for example; without
            it there are naive swaps alone.
        by: Whether a unit is a layer or a stage of the network.
        second: Name of the branch whose norm comes in.
        batch_size: Images of each name at a time.
        progress: Called with (images predicted, all there are over all rows); may raise to stop.

    Raises:
        InputError: If there is no such other branch, or logits are not finite.
    """
    example = next(iter(images.values()))
    units = _units(model, execution_order(model, example), by)
    plans = {order: _plan(units, order) for order in get_args(Order)}
    sources = (None,) if reference is None else (reference, None)
    rows_per_source = sum(len(plan) for plan in plans.values())
    counter = Counter(progress, len(sources) * rows_per_source * len(labels) * len(images))
    start, end = pair(model, MAIN, second)
    ours, theirs = norm_tensors(start), norm_tensors(end)
    view = private_view(start).eval()

    def row(unit: str | None, layers: tuple[str, ...], source: Tensor | None) -> GapRow:
        # All of ours first: the row before may have left others in the view.
        wear(view, ours | {layer: theirs[layer] for layer in layers})
        if source is not None:
            estimate_statistics(view, spread(source))
        return GapRow(unit, layers, _scores(view, images, labels, batch_size, counter))

    # One table for each source: with reference images, then the naive one.
    rows, *naive = [
        {order: tuple(row(*step, source) for step in plan) for order, plan in plans.items()}
        for source in sources
    ]
    return Gap(rows, naive[0] if naive else None, by, len(labels))


def _units(model: DualBNModel, layers: Sequence[str], by: By) -> dict[str, tuple[str, ...]]:
    """Unit to its layers, both in execution order."""
    if by == "layer":
        return {layer: (layer,) for layer in layers}
    stages, units = stages_of_layers(model), dict[str, tuple[str, ...]]()
    for layer in layers:
        units[stages[layer]] = (*units.get(stages[layer], ()), layer)
    return units


def _plan(units: Mapping[str, tuple[str, ...]], order: Order) -> list[_Unit]:
    """What each row brings in, and which layers are the other branch's in it."""
    every = tuple(layer for layers in units.values() for layer in layers)
    if order == "alone":
        return [(None, ()), *units.items(), (None, every)]
    names = list(units) if order == "from_stem" else list(units)[::-1]
    plan: list[_Unit] = [(None, ())]
    swapped: set[str] = set()
    for name in names:
        swapped |= {*units[name]}
        plan.append((name, tuple(layer for layer in every if layer in swapped)))
    return plan


def _scores(
    module: nn.Module,
    images: Mapping[str, Tensor],
    labels: Tensor,
    batch_size: int,
    counter: Counter,
) -> dict[str, Score]:
    logits = []
    for batch in zip(*(pixels.split(batch_size) for pixels in images.values()), strict=True):
        of_all = logits_of(module, torch.cat(batch))
        logits.append(of_all.unflatten(0, (len(batch), -1)))
        counter.add(len(of_all))
    true, together = labels.cpu(), torch.cat(logits, 1)
    probabilities = together.softmax(2)[:, torch.arange(len(true)), true].mean(1)
    correct = (together.argmax(2) == true).sum(1)
    figures = zip(images, probabilities.tolist(), correct.tolist(), strict=True)
    return {name: Score(probability, right, len(true)) for name, probability, right in figures}
