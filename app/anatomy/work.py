"""What the Anatomy page asks of the library, and the work it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import torch

from advprop_core.anatomy.distance import LayerDistance, profile
from advprop_core.anatomy.excitement import Excitement, excitement
from advprop_core.anatomy.gap import By, GapRow, Order, gap
from advprop_core.anatomy.mixing import blend, path
from advprop_core.attacks.gradient import attack
from advprop_core.attribution.grids import explain_grid
from advprop_core.datasets.named import load_images
from advprop_core.models.dual_bn import MAIN
from advprop_core.models.folding import fold
from advprop_core.pictures.erasing import erase
from advprop_core.pictures.noise import NoiseConfig, add_noise
from advprop_core.pictures.regions import EraseConfig
from advprop_core.predict import predict_grid
from advprop_core.types import (
    INPUT_KINDS,
    AttackConfig,
    AttributionMap,
    Comparison,
    InputKind,
    Prediction,
)
from app.shell.jobs import Job

if TYPE_CHECKING:
    from torch import Tensor, nn

    from app.anatomy.samples import Source
    from app.shell.cache import Lens
    from app.shell.requests import ComparisonRequest
    from app.shell.state import View

PLACES = tuple(index / 20 for index in range(21))
BLEND = "blend"
ORDERS: tuple[Order, ...] = get_args(Order)
_FOLDED = ("deep-lift", "lrp")  # their rules give a convolution with its norm folded in other maps
_BATCH = 32
_ATTACK_SHARE = 0.4  # of the time that a gap over many images takes


@dataclass(frozen=True)
class Way:
    """Which norm tensors move from main's to another branch's.

    Attributes:
        second: The branch at the end of the way.
        statistics: Whether running means and variances move.
        affine: Whether γ and β do.
        layers: Stages and layers that move; empty for all.
    """

    second: str
    statistics: bool = True
    affine: bool = True
    layers: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the way ends in the second branch itself."""
        return self.statistics and self.affine and not self.layers


@dataclass(frozen=True)
class Blended:
    """The network at one place of a way.

    Attributes:
        way: What moves.
        t: The place, from 0 at main to 1.
        predictions: Of both inputs.
        maps: Of both inputs.
    """

    way: Way
    t: float
    predictions: Mapping[InputKind, Prediction]
    maps: Mapping[InputKind, AttributionMap]


@dataclass(frozen=True)
class Curve:
    """What the network says all along a way.

    Attributes:
        way: What moves.
        shares: Input to (T, C) probabilities at every one of :data:`PLACES`; without the
            perturbed picture where it is the clean one.
    """

    way: Way
    shares: Mapping[InputKind, Tensor]


@dataclass(frozen=True)
class Gap:
    """Swaps in every order.

    Attributes:
        rows: Order to its rows.
        by: What a unit is.
        n: Number of images.
    """

    rows: Mapping[Order, tuple[GapRow, ...]]
    by: By
    n: int


def way_of(view: View) -> Way:
    """What the view lets move."""
    moves = view.moved != "affine", view.moved != "statistics"
    return Way(view.second, *moves, view.moved_layers)


def at_end(found: Comparison, way: Way, t: float) -> Blended | None:
    """What needs no work: the network where it is one of the branches."""
    if not (t == 0 or (t == 1 and way.whole)):
        return None
    branch = way.second if t else MAIN
    return Blended(
        way,
        t,
        {kind: found.predictions[kind, branch] for kind in INPUT_KINDS},
        {kind: found.maps[kind, branch] for kind in INPUT_KINDS},
    )


def blended(lens: Lens, found: Comparison, way: Way, t: float, job: Job) -> Blended:
    """Predictions and maps of the network at one place, on the pictures of a comparison."""
    module: nn.Module = blend(lens.model, t, **_arguments(way))
    inputs = _inputs(found)
    drawn = next(iter(found.maps.values()))
    if drawn.method in _FOLDED:
        module = fold(module, inputs["clean"])
    maps = explain_grid(
        {BLEND: module},
        inputs,
        drawn.class_index,
        [drawn.method],
        drawn.layer,
        progress=lambda done, total: job.report(done / total),
    )
    predictions = predict_grid({BLEND: module}, inputs)
    return Blended(
        way,
        t,
        {kind: predictions[kind, BLEND] for kind in inputs},
        {kind: maps[drawn.method, kind, BLEND] for kind in inputs},
    )


def curve(lens: Lens, found: Comparison, way: Way, job: Job) -> Curve:
    """Predictions all along a way."""
    inputs = _different_inputs(found)
    logits = path(
        lens.model,
        torch.cat(list(inputs.values())),
        PLACES,
        **_arguments(way),
        progress=lambda done, total: job.report(done / total),
    )
    shares = logits.softmax(2)
    return Curve(way, {kind: shares[:, index] for index, kind in enumerate(inputs)})


def distances(lens: Lens, second: str) -> tuple[LayerDistance, ...]:
    """How far apart the norm layers are, in execution order."""
    side = lens.info.input_size
    return profile(lens.model, MAIN, second, example=torch.zeros(1, 3, side, side))


def excited(
    lens: Lens, found: Comparison, second: str, layer: str, channels: tuple[int, ...]
) -> Mapping[tuple[InputKind, str], Excitement]:
    """What some channels of a layer give on both inputs, through both branches."""
    return {
        (kind, branch): excitement(
            lens.model.branch(branch), pixels, layer, channels, upsample=True
        )
        for kind, pixels in _inputs(found).items()
        for branch in (MAIN, second)
    }


def gap_here(lens: Lens, found: Comparison, second: str, by: By, job: Job) -> Gap:
    """Which layers carry the gap on the pictures of a comparison."""
    inputs = _different_inputs(found)
    labels = torch.tensor([found.attacked_class])
    rows = _orders(lens, inputs, labels, second, by, job.report)
    return Gap(rows, by, 1)


def gap_over(
    lens: Lens, request: ComparisonRequest, source: Source, second: str, by: By, job: Job
) -> Gap:
    """Which layers carry the gap over many pictures, perturbed as the one on the page is."""
    size = lens.info.input_size
    found = load_images(source.name, size, classes=lens.info.classes, limit=source.limit)
    target = getattr(request.perturbation, "target_class", None)
    kept = found.labels != (-1 if target is None else target)  # they are where the attack wants
    labels, clean = found.labels[kept], found.pixels[kept].float() / 255
    images: dict[InputKind, Tensor] = {"clean": clean}
    attacked = 0.0
    if request.perturbation is not None:
        attacked = _ATTACK_SHARE
        module = lens.branches[request.attack_branch]
        images["adversarial"] = _perturbed(module, clean, labels, request.perturbation, job)

    def report(share: float) -> None:
        job.report(attacked + (1 - attacked) * share)

    return Gap(_orders(lens, images, labels, second, by, report), by, len(labels))


def _arguments(way: Way) -> dict:
    return {
        "statistics": way.statistics,
        "affine": way.affine,
        "second": way.second,
        "layers": way.layers or None,
    }


def _inputs(found: Comparison) -> dict[InputKind, Tensor]:
    return {"clean": found.clean[None], "adversarial": found.adversarial[None]}


def _different_inputs(found: Comparison) -> dict[InputKind, Tensor]:
    inputs = _inputs(found)
    if torch.equal(found.clean, found.adversarial):
        del inputs["adversarial"]
    return inputs


def _orders(
    lens: Lens,
    images: Mapping[InputKind, Tensor],
    labels: Tensor,
    second: str,
    by: By,
    report: Callable[[float], None],
) -> dict[Order, tuple[GapRow, ...]]:
    rows = {}
    for place, order in enumerate(ORDERS):

        def progress(done: int, total: int, place: int = place) -> None:
            report((place + done / total) / len(ORDERS))

        rows[order] = gap(
            lens.model,
            {str(kind): pixels for kind, pixels in images.items()},
            labels,
            order=order,
            by=by,
            second=second,
            batch_size=_BATCH,
            progress=progress,
        )
    return rows


def _perturbed(
    module: nn.Module,
    clean: Tensor,
    labels: Tensor,
    perturbation: AttackConfig | NoiseConfig | EraseConfig,
    job: Job,
) -> Tensor:
    """Batch by batch, each with a seed of its own."""
    if isinstance(perturbation, EraseConfig):
        return erase(clean, perturbation)
    parts = []
    for start in range(0, len(labels), _BATCH):
        pixels = clean[start : start + _BATCH]
        own = replace(perturbation, seed=perturbation.seed + start)
        if isinstance(own, NoiseConfig):
            parts.append(add_noise(pixels, own))
            continue

        def on_step(step: int, _: Tensor, start: int = start, steps: int = own.steps) -> None:
            done = start + len(clean[start : start + _BATCH]) * step / steps
            job.report(_ATTACK_SHARE * done / len(clean))

        parts.append(attack(module, pixels, labels[start : start + _BATCH], own, on_step))
    return torch.cat(parts)
