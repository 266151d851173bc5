"""Predictions and maps of the networks between two branches, on one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from advprop_core.anatomy.mixing import blend
from advprop_core.attribution.grids import MapMaker
from advprop_core.models.dual_bn import MAIN, DualBNModel, PixelNetwork
from advprop_core.models.folding import fold
from advprop_core.predict import logits_of, predict
from advprop_core.types import (
    INPUT_KINDS,
    AttributionMap,
    Comparison,
    InputKind,
    Prediction,
    Progress,
)

Moved = Literal["both", "statistics", "affine"]

_BLEND = "blend"
_FOLDED = ("deep-lift", "lrp")  # their rules give a convolution with its norm folded in other maps


@dataclass(frozen=True)
class Way:
    """How main becomes another branch.

    Attributes:
        second: The branch at the end.
        moved: Whether γ and β move, mean and variance, or both.
        estimated: Whether mean and variance are estimated again at every place, rather than moved.
        layers: Stages and layers that move; empty for all.
    """

    second: str
    moved: Moved = "both"
    estimated: bool = False
    layers: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the way ends in the second branch itself."""
        return self.moved == "both" and not self.layers

    def network(self, model: DualBNModel, t: float, reference: Tensor | None) -> PixelNetwork:
        """The network at a place from 0 at main to 1; ``reference`` is what it is estimated on."""
        statistics: float | Tensor = 0.0 if self.moved == "affine" else t
        if self.estimated:
            assert reference is not None
            statistics = reference
        return blend(
            model,
            0.0 if self.moved == "statistics" else t,
            statistics,
            second=self.second,
            layers=self.layers or None,
        )


@dataclass(frozen=True)
class Blended:
    """The network at one place of a way.

    Attributes:
        way: What moves.
        t: The place, from 0 at main to 1.
        predictions: Of both inputs.
        maps: Of both inputs; empty where the comparison has none.
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
        places: T places.
        shares: Input to (T, C) probabilities; without the perturbed picture where it is the
            clean one.
    """

    way: Way
    places: tuple[float, ...]
    shares: Mapping[InputKind, Tensor]


def at_end(comparison: Comparison, way: Way, t: float) -> Blended | None:
    """What needs no work: the network where it is one of the branches."""
    branch = _branch_at(way, t)
    if branch is None:
        return None
    return Blended(
        way,
        t,
        {kind: comparison.predictions[kind, branch] for kind in INPUT_KINDS},
        {kind: drawn for (kind, name), drawn in comparison.maps.items() if name == branch},
    )


def blended(
    model: DualBNModel,
    comparison: Comparison,
    way: Way,
    t: float,
    reference: Tensor | None,
    progress: Progress | None = None,
) -> Blended:
    """Predictions and maps of the network at one place, on the pictures of a comparison."""
    module: nn.Module = way.network(model, t, reference)
    inputs: dict[InputKind, Tensor] = {
        "clean": comparison.clean[None],
        "adversarial": comparison.adversarial[None],
    }
    maps = {}
    if drawn := next(iter(comparison.maps.values()), None):
        if drawn.method in _FOLDED:
            module = fold(module, inputs["clean"])
        maker = MapMaker({_BLEND: module}, inputs, drawn.class_index)
        maps = maker.make(drawn.method, drawn.layer, progress=progress)
    predictions = predict(module, torch.cat(list(inputs.values())))
    return Blended(
        way,
        t,
        dict(zip(inputs, predictions, strict=True)),
        {kind: values for (kind, _), values in maps.items()},
    )


def curve(
    model: DualBNModel,
    comparison: Comparison,
    way: Way,
    places: Sequence[float],
    reference: Tensor | None,
    progress: Progress | None = None,
) -> Curve:
    """Predictions at several places; at the ends they are those of the branches themselves."""
    pictures: dict[InputKind, Tensor] = {"clean": comparison.clean}
    if not torch.equal(comparison.clean, comparison.adversarial):
        pictures["adversarial"] = comparison.adversarial
    rows = []
    for done, t in enumerate(places, 1):
        if branch := _branch_at(way, t):
            ends = [comparison.predictions[kind, branch].probabilities for kind in pictures]
            rows.append(torch.stack(ends))
        else:
            network = way.network(model, t, reference)
            rows.append(logits_of(network, torch.stack(list(pictures.values()))).softmax(1))
        if progress:
            progress(done, len(places))
    shares = torch.stack(rows, 1)
    return Curve(way, tuple(places), dict(zip(pictures, shares, strict=True)))


def _branch_at(way: Way, t: float) -> str | None:
    if t == 0:
        return MAIN
    return way.second if t == 1 and way.whole else None
