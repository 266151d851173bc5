"""Networks between two branches, and branches with some norm layers of the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from advprop_core.anatomy.layers import pair, resolve
from advprop_core.models.dual_bn import DualBNModel, PixelNetwork, norm_layers, private_view
from advprop_core.predict import logits_of

Progress = Callable[[int, int], None]

_STATISTICS = ("running_mean", "running_var")
_AFFINE = ("weight", "bias")
_Line = Mapping[str, tuple[Mapping[str, Tensor], Mapping[str, Tensor]]]


def blend(
    model: DualBNModel,
    t: float,
    *,
    statistics: bool = True,
    affine: bool = True,
    first: str = "main",
    second: str = "aux",
    layers: Sequence[str] | None = None,
) -> nn.Module:
    """A network whose norm tensors lie on the line from one branch's to another's.

    At t = 0 it is the first branch and at t = 1 the second, bit for bit. Means, γ and β go
    linearly, and so does the *variance*, not σ: then a step of t is what BatchNorm itself does
    when it updates its running statistics with momentum t, and what Schneider et al. (arXiv
    2006.16971) do to mix the statistics of two kinds of images. Between the ends it is not the
    variance of a mixture of both kinds, which is larger by t(1−t)(μ₁−μ₂)²: such a mixture has
    two modes where the means differ, and no network was trained on it.

    Args:
        model: Any model with two branches; it is not changed.
        t: Place on the line, in [0, 1].
        statistics: Whether the running means and variances move; else they are the first's.
        affine: Whether γ and β move; else they are the first's.
        first: Name of the branch at t = 0.
        second: Name of the branch at t = 1.
        layers: Names of norm layers and of stages that move, all when not given; the others
            are the first branch's.

    Returns:
        A plain eval-mode module on pixels, which owns its modules and the norm tensors that
        move, and shares every other tensor with the model. It is not for training.

    Raises:
        TypeError: If t is not a number or layers is a single text.
        ValueError: If t lies outside [0, 1], nothing is to move, the branches are not two of
            the model's, or a name is neither a layer nor a stage; the message has near matches.
    """
    _require_share(t)
    line = _line(model, statistics, affine, first, second, layers)
    view = private_view(model.branch(first)).eval()
    wear(view, _at(line, t))
    return view


def path(
    model: DualBNModel,
    pixels: Tensor,
    places: Sequence[float],
    *,
    statistics: bool = True,
    affine: bool = True,
    first: str = "main",
    second: str = "aux",
    layers: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """What blends say at several places of the line, from one copy of the network.

    Args:
        model: As for :func:`blend`, and so are the arguments that are not explained here.
        pixels: (N, 3, H, W) in [0, 1].
        places: T values of t, each in [0, 1].
        statistics: Whether the running means and variances move.
        affine: Whether γ and β move.
        first: Name of the branch at t = 0.
        second: Name of the branch at t = 1.
        layers: Names of norm layers and of stages that move, all when not given.
        progress: Called with (places done, all places); may raise to stop.

    Returns:
        (T, N, C) float32 logits on the CPU.

    Raises:
        TypeError: As for :func:`blend`.
        ValueError: As for :func:`blend`, or if there is no place.
    """
    if not len(places):
        raise ValueError("places must hold at least one t")
    for t in places:
        _require_share(t)
    line = _line(model, statistics, affine, first, second, layers)
    view = private_view(model.branch(first)).eval()
    rows = []
    for done, t in enumerate(places, 1):
        wear(view, _at(line, t))
        rows.append(logits_of(view, pixels))
        if progress:
            progress(done, len(places))
    return torch.stack(rows)


def swap(
    model: DualBNModel,
    layers: Sequence[str],
    *,
    statistics: bool = True,
    affine: bool = True,
    first: str = "main",
    second: str = "aux",
) -> nn.Module:
    """The first branch with the second's norm tensors in some layers: a blend at t = 1.

    Args:
        model: As for :func:`blend`.
        layers: Names of norm layers and of stages.
        statistics: Whether running means and variances are taken over.
        affine: Whether γ and β are.
        first: Name of the branch that is changed.
        second: Name of the branch that gives.

    Raises:
        TypeError: As for :func:`blend`.
        ValueError: As for :func:`blend`.
    """
    return blend(
        model, 1.0, statistics=statistics, affine=affine, first=first, second=second, layers=layers
    )


def tensor_names(statistics: bool, affine: bool) -> tuple[str, ...]:
    """Attributes of a norm layer that hold statistics, affine parameters or both."""
    return (_STATISTICS if statistics else ()) + (_AFFINE if affine else ())


def norm_tensors(branch: PixelNetwork, keys: Sequence[str]) -> dict[str, dict[str, Tensor]]:
    """Norm layer to those of its tensors by name; what a layer does not have is left out."""
    return {
        name: {key: tensor for key in keys if (tensor := getattr(layer, key)) is not None}
        for name, layer in norm_layers(branch.network).items()
    }


def wear(view: nn.Module, tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Put other tensors into a private view's norm layers, in place of shared ones.

    Args:
        view: A private view of a branch; the branch keeps its own tensors.
        tensors: As :func:`norm_tensors` gives them.
    """
    assert isinstance(view, PixelNetwork)
    layers = norm_layers(view.network)
    for name, values in tensors.items():
        for key, value in values.items():
            setattr(layers[name], key, _as_held(layers[name], key, value.detach()))


def _as_held(layer: _BatchNorm, key: str, value: Tensor) -> Tensor:
    return nn.Parameter(value, requires_grad=False) if key in _AFFINE else value


def _line(
    model: DualBNModel,
    statistics: bool,
    affine: bool,
    first: str,
    second: str,
    layers: Sequence[str] | None,
) -> _Line:
    """Each layer that moves, to its tensors at both ends."""
    if not (statistics or affine):
        raise ValueError("statistics or affine must be True, or there is nothing to blend")
    start, end = pair(model, first, second)
    keys = tensor_names(statistics, affine)
    ours, theirs = norm_tensors(start, keys), norm_tensors(end, keys)
    return {name: (ours[name], theirs[name]) for name in resolve(model, layers)}


def _at(line: _Line, t: float) -> dict[str, dict[str, Tensor]]:
    with torch.no_grad():
        return {
            name: {key: torch.lerp(ours[key], theirs[key], t) for key in ours}
            for name, (ours, theirs) in line.items()
        }


def _require_share(t: float) -> None:
    if isinstance(t, bool) or not isinstance(t, int | float):
        raise TypeError(f"t must be a number, got {type(t).__name__}")
    if not (math.isfinite(t) and 0 <= t <= 1):
        raise ValueError(f"t must lie in [0, 1], from the first branch to the second, got {t}")
