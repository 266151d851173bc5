"""How far apart the norm layers of two branches are, channel by channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from advprop_core.anatomy.layers import execution_order, pair, stages_of_layers
from advprop_core.errors import InputError
from advprop_core.models.dual_bn import MAIN, DualBNModel, norm_layers
from advprop_core.types import freeze

Measure = Literal[
    "mean_shift",
    "log_variance_ratio",
    "divergence",
    "gamma_change",
    "beta_change",
    "output_change",
]
MEASURES: tuple[Measure, ...] = get_args(Measure)
"""See :func:`profile`."""
_AFFINE: dict[str, Measure] = {"gamma": "gamma_change", "beta": "beta_change"}


@dataclass(frozen=True)
class Summary:
    """The sizes (absolute values) of one measure over a layer's channels."""

    mean: float
    median: float
    largest: float


@dataclass(frozen=True, eq=False)
class LayerDistance:
    """How one norm layer of another branch differs from main's.

    Attributes:
        layer: Dotted name inside the network.
        stage: The part of the network it belongs to.
        channels: Number of channels C.
        changes: Measure to (C,) float32, signed: what the other branch has more of. Measures
            that need statistics or γ and β are missing where the layer has none.
    """

    layer: str
    stage: str
    channels: int
    changes: Mapping[Measure, Tensor]

    def summary(self, measure: Measure) -> Summary | None:
        """Mean, median and largest size of a measure; None where the layer does not have it."""
        if measure not in self.changes:
            return None
        sizes = self.changes[measure].abs()
        return Summary(float(sizes.mean()), float(sizes.quantile(0.5)), float(sizes.max()))

    def top_channels(self, measure: Measure, count: int) -> tuple[int, ...]:
        """The channels that differ most, the largest size first, of equal ones the lower first."""
        order = self.changes[measure].abs().argsort(descending=True, stable=True)
        return tuple(order[:count].tolist())


def profile(model: DualBNModel, second: str, example: Tensor) -> tuple[LayerDistance, ...]:
    """Compare the norm layers of another branch with main's.

    With μ and v = running variance + eps (what a layer divides by), d = μ₂ − μ₁, and the map
    x → scale · x + shift that a layer comes to, the measures of a channel are

    - ``mean_shift`` d / √((v₁ + v₂)/2): in pooled deviations, so that exchanging the branches
      only changes the sign, and a channel that is dead in one of them does not outshine all;
    - ``log_variance_ratio`` ln(v₂/v₁);
    - ``divergence`` ½(KL(1‖2) + KL(2‖1)) = ¼(v₁/v₂ + v₂/v₁ − 2 + d²(1/v₁ + 1/v₂)) of the normal
      distributions N(μ, v), half of Jeffreys' divergence;
    - ``gamma_change``, ``beta_change``: second − first;
    - ``output_change`` √((μ₁Δscale + Δshift)² + v₁Δscale²): how far apart the two maps send an
      input distributed as N(μ₁, v₁). It says what the others cannot, for statistics and affine
      parameters may change much and cancel out.

    Args:
        model: Any model with two branches; it is not changed.
        second: Name of the other branch.
        example: As for :func:`~advprop_core.anatomy.layers.execution_order`.

    Returns:
        One distance per norm layer, in execution order.

    Raises:
        InputError: If there is no such other branch, or a norm tensor is not finite.
    """
    ours, theirs = (norm_layers(branch.network) for branch in pair(model, MAIN, second))
    stages = stages_of_layers(model)
    return tuple(
        _distance(name, stages[name], ours[name], theirs[name])
        for name in execution_order(model, example)
    )


def _distance(name: str, stage: str, ours: _BatchNorm, theirs: _BatchNorm) -> LayerDistance:
    before, after = _tensors(ours), _tensors(theirs)
    if not all(value.isfinite().all() for value in (*before.values(), *after.values())):
        raise InputError(f"the tensors of norm layer {name!r} must be finite: train it again")
    changes = _with_statistics(before, after) if "mean" in before else {}
    for key, measure in _AFFINE.items():
        if key in before:
            changes[measure] = after[key] - before[key]
    ordered = {measure: freeze(changes[measure]) for measure in MEASURES if measure in changes}
    return LayerDistance(name, stage, ours.num_features, ordered)


def _tensors(layer: _BatchNorm) -> dict[str, Tensor]:
    """What the layer has of mean, variance + eps, γ and β, and the scale and shift they come to.

    A layer without running statistics normalises by each batch's own, so it has no fixed map.
    """
    held = {
        "mean": layer.running_mean,
        "variance": layer.running_var,
        "gamma": layer.weight,
        "beta": layer.bias,
    }
    # In double: a difference of effective shifts is what is left of two larger numbers.
    tensors = {key: t.detach().cpu().double() for key, t in held.items() if t is not None}
    if "mean" in tensors:
        tensors["variance"] = tensors["variance"] + layer.eps  # the tensor may be the layer's own
        tensors["scale"] = tensors.get("gamma", torch.ones(())) / tensors["variance"].sqrt()
        tensors["shift"] = tensors.get("beta", torch.zeros(())) - tensors["scale"] * tensors["mean"]
    return tensors


def _with_statistics(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> dict[Measure, Tensor]:
    """The measures that need running statistics."""
    moved, v1, v2 = after["mean"] - before["mean"], before["variance"], after["variance"]
    scale, shift = after["scale"] - before["scale"], after["shift"] - before["shift"]
    return {
        "mean_shift": moved / ((v1 + v2) / 2).sqrt(),
        "log_variance_ratio": (v2 / v1).log(),
        "divergence": ((v1 - v2).square() / (v1 * v2) + moved.square() * (1 / v1 + 1 / v2)) / 4,
        "output_change": ((before["mean"] * scale + shift).square() + v1 * scale.square()).sqrt(),
    }
