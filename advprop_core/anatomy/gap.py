"""Which norm layers carry what two branches differ in: their predictions, put in one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from advprop_core.anatomy.layers import execution_order, pair, stages_of_layers
from advprop_core.anatomy.mixing import norm_tensors, wear
from advprop_core.errors import InputError
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.models.dual_bn import DualBNModel, PixelNetwork, private_view
from advprop_core.models.statistics import estimate_statistics, spread
from advprop_core.predict import logits_of
from advprop_core.types import freeze

Order = Literal["alone", "from_stem", "from_head"]
By = Literal["layer", "stage"]
ORDERS: tuple[Order, ...] = get_args(Order)
Progress = Callable[[int, int], None]

Unit = tuple[str | None, tuple[str, ...]]


@dataclass(frozen=True)
class Score:
    """How a network does on some images of known class.

    Attributes:
        probabilities: (N,) float32, probability of the true class.
        margins: (N,) float32, logit of the true class − largest other logit.
        correct: How many images are predicted right.
    """

    probabilities: Tensor
    margins: Tensor
    correct: int

    @property
    def n(self) -> int:
        """Number of images."""
        return len(self.margins)

    @property
    def accuracy(self) -> float:
        """Share of images that are predicted right."""
        return self.correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson_interval(self.correct, self.n)

    @property
    def probability(self) -> float:
        """Mean probability of the true class."""
        return float(self.probabilities.mean())

    @property
    def margin(self) -> float:
        """Mean margin, in logits."""
        return float(self.margins.mean())


@dataclass(frozen=True)
class GapRow:
    """The first branch with the second's norm in some layers.

    Attributes:
        unit: The layer or stage whose norm this row brings in; None where the row is one of the
            two branches as it is.
        layers: All layers that are the second's, in execution order.
        scores: Name of each set of images to how the network does on it.
    """

    unit: str | None
    layers: tuple[str, ...]
    scores: Mapping[str, Score]


@dataclass(frozen=True)
class Gap:
    """Swaps in every order.

    Attributes:
        rows: Order to its rows.
        naive: The same without estimating statistics again; None where ``rows`` are that.
        by: What a unit is.
        n: Number of images.
    """

    rows: Mapping[Order, tuple[GapRow, ...]]
    naive: Mapping[Order, tuple[GapRow, ...]] | None
    by: By
    n: int


def gap_in_all_orders(
    model: DualBNModel,
    images: Mapping[str, Tensor],
    labels: Tensor,
    reference: Tensor | None,
    *,
    by: By = "layer",
    second: str = "aux",
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Gap:
    """:func:`gap` in every order, and beside it the naive swaps.

    Args:
        model: As for :func:`gap`, and so are the arguments that are not explained here.
        images: As for :func:`gap`.
        labels: As for :func:`gap`.
        reference: What statistics are estimated on; without it there are naive swaps alone.
        by: Whether a unit is a layer or a stage of the network.
        second: Name of the branch whose norm comes in.
        batch_size: Images of each name at a time.
        progress: Called with (done, all); may raise to stop.
    """
    sources = (None,) if reference is None else (reference, None)
    tables: list[dict[Order, tuple[GapRow, ...]]] = [{} for _ in sources]
    runs = [(source, order) for source in range(len(sources)) for order in ORDERS]
    for number, (source, order) in enumerate(runs):

        def advance(done: int, total: int, before: int = number) -> None:
            if progress:
                progress(before * total + done, len(runs) * total)

        tables[source][order] = gap(
            model,
            images,
            labels,
            sources[source],
            order=order,
            by=by,
            second=second,
            batch_size=batch_size,
            progress=advance,
        )
    return Gap(tables[0], tables[1] if reference is not None else None, by, len(labels))


def gap(
    model: DualBNModel,
    images: Mapping[str, Tensor],
    labels: Tensor,
    reference: Tensor | None,
    *,
    order: Order = "alone",
    by: By = "layer",
    first: str = "main",
    second: str = "aux",
    batch_size: int = 64,
    progress: Progress | None = None,
) -> tuple[GapRow, ...]:
    """Swap norm layers from one branch to another and see what that does to predictions.

    ``alone`` swaps each unit on its own. ``from_stem`` leaves every swapped unit in and goes on
    to the next, in execution order; ``from_head`` begins at the other end. Layers depend on one
    another, so what they do alone need not add up to the whole gap: read ``alone`` as what a
    layer can do by itself, and the two walks as what it adds when the layers below or above it
    have changed sides already. With ``first`` and ``second`` exchanged, one sees what is lost by
    taking a layer back.

    Statistics fit only the weights in front of them, so after each swap they are estimated again
    in every layer. Without a ``reference`` each layer brings its own running statistics: that is
    the naive swap, whose losses say little about the layers.

    The images stay as they are, made through some branch. A swap that only leads that branch's
    gradients astray does well on them and is no more robust; for that, attack the network that
    :func:`~advprop_core.anatomy.mixing.blend` gives.

    Args:
        model: Any model with two branches; it is not changed.
        images: Name (such as ``clean`` and ``adversarial``) to (N, 3, H, W) pixels in [0, 1] on
            the model's device: the same N images in each.
        labels: (N,) true classes.
        reference: (M, 3, H, W) pixels to estimate statistics on, 128 photos for example; None
            for the naive swap.
        order: See above.
        by: Whether a unit is a layer or a stage of the network.
        first: Name of the branch to start from.
        second: Name of the branch whose norm comes in.
        batch_size: Images of each name at a time.
        progress: Called with (images predicted, all there are over all rows); may raise to stop.

    Returns:
        The first branch, one row per unit in the order they are swapped, and for ``alone`` the
        swap of all of them at the end; the walks end there anyway. Without a reference the first
        and the last row are the two branches themselves.

    Raises:
        TypeError: If images are not floating point, or labels are.
        ValueError: For an unknown order or unit, images and labels that do not match, branches
            that are not two of the model's, labels that are not classes, or logits that are not
            finite.
    """
    _validate(images, labels, order, by, batch_size)
    start, end = pair(model, first, second)
    ours, theirs = norm_tensors(start), norm_tensors(end)
    example = next(iter(images.values()))
    plan = _plan(_units(model, execution_order(model, example), by), order)
    done, total = 0, len(plan) * len(labels) * len(images)

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, total)

    view = private_view(start).eval()
    assert isinstance(view, PixelNetwork)
    rows = []
    for unit, layers in plan:
        wear(view, ours | {layer: theirs[layer] for layer in layers})
        if reference is not None:
            estimate_statistics(view, spread(reference))
        scores = _scores(view, images, labels, batch_size, advance)
        rows.append(GapRow(unit, layers, scores))
    return tuple(rows)


def _units(model: DualBNModel, layers: Sequence[str], by: By) -> dict[str, tuple[str, ...]]:
    """Unit to its layers, both in execution order."""
    if by == "layer":
        return {layer: (layer,) for layer in layers}
    stages = stages_of_layers(model)
    names = dict.fromkeys(stages[layer] for layer in layers)
    return {name: tuple(layer for layer in layers if stages[layer] == name) for name in names}


def _plan(units: Mapping[str, tuple[str, ...]], order: Order) -> list[Unit]:
    """What each row brings in, and which layers are the second branch's in it."""
    every = tuple(layer for layers in units.values() for layer in layers)
    if order == "alone":
        return [(None, ()), *units.items(), (None, every)]
    names = list(units) if order == "from_stem" else list(units)[::-1]
    plan: list[Unit] = [(None, ())]
    for index, name in enumerate(names):
        swapped = {layer for other in names[: index + 1] for layer in units[other]}
        plan.append((name, tuple(layer for layer in every if layer in swapped)))
    return plan


def _scores(
    module: nn.Module,
    images: Mapping[str, Tensor],
    labels: Tensor,
    batch_size: int,
    advance: Callable[[int], None],
) -> dict[str, Score]:
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, len(labels), batch_size):
        here = slice(start, start + batch_size)
        batch = {name: pixels[here] for name, pixels in images.items()}
        logits = logits_of(module, torch.cat(list(batch.values())))
        for name, part in zip(batch, logits.chunk(len(batch)), strict=True):
            parts.setdefault(name, []).append(part)
        advance(len(logits))
    return {name: _score(torch.cat(rows), labels.cpu().long()) for name, rows in parts.items()}


def _score(logits: Tensor, labels: Tensor) -> Score:
    count = logits.shape[1]
    if not logits.isfinite().all():
        raise InputError("logits must be finite: the network overflowed or has NaN weights")
    if count < 2 or not (labels.min() >= 0 and labels.max() < count):
        raise ValueError(
            f"labels must lie in [0, {count - 1}] and the network must tell two classes apart, "
            f"got {sorted(set(labels.tolist()))}"
        )
    true = labels[:, None]
    others = logits.scatter(1, true, -torch.inf).amax(1)
    return Score(
        probabilities=freeze(logits.softmax(1).gather(1, true)[:, 0]),
        margins=freeze(logits.gather(1, true)[:, 0] - others),
        correct=int((logits.argmax(1) == labels).sum()),
    )


def _validate(
    images: Mapping[str, Tensor], labels: Tensor, order: str, by: str, batch_size: int
) -> None:
    if order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}, got {order!r}")
    if by not in get_args(By):
        raise ValueError(f"by must be one of {', '.join(get_args(By))}, got {by!r}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if not images or not len(labels):
        raise ValueError("images must not be empty")
    shapes = {tuple(pixels.shape) for pixels in images.values()}
    if len(shapes) > 1 or any(len(shape) != 4 or shape[0] != len(labels) for shape in shapes):
        raise ValueError(
            f"images must all have the shape ({len(labels)}, 3, H, W), one image per label, got "
            f"{', '.join(f'{name} {tuple(pixels.shape)}' for name, pixels in images.items())}"
        )
    for name, pixels in images.items():
        if not pixels.is_floating_point():
            raise TypeError(f"images must be floats in [0, 1], got {pixels.dtype} for {name}")
    if labels.is_floating_point():
        raise TypeError(f"labels must be integers, got {labels.dtype}")
