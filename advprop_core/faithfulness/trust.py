"""Everything that is measured about the maps of one image."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from advprop_core.attribution.grids import options_of
from advprop_core.attribution.methods import METHODS
from advprop_core.attribution.progress import split
from advprop_core.attribution.question import batch_size
from advprop_core.faithfulness.agreement import Agreement, agree
from advprop_core.faithfulness.curves import Curves, measure_curves
from advprop_core.faithfulness.fidelity import Infidelity, measure_infidelity
from advprop_core.faithfulness.maps import Score, Undefined, as_evidence
from advprop_core.faithfulness.objects import inside_shares
from advprop_core.faithfulness.randomisation import RandomisationCheck
from advprop_core.faithfulness.recomputed import (
    MapCall,
    recomputed_randomisation,
    recomputed_sensitivity,
)
from advprop_core.processes import Progress
from advprop_core.types import AttributionMap, InputKind

Cell = tuple[str, InputKind, str]
"""A name that maps to be compared share, such as their method; kind of input; branch."""

# About how many pictures go through the network, so that a bar moves evenly.
_CURVES, _INFIDELITY = 102, 10
_A_MAP = {"fast": 40, "slow": 500}

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Trust:
    """What speaks for a map and what against it.

    Attributes:
        curves: Insertion and deletion, beside random orders.
        infidelity: How far the map is from predicting changes of the score.
        sensitivity: Max-sensitivity: the largest change of the map that was found when every
            channel value may change by 0.02, as a share of the map's own length.
        randomisation: What is left of the map when the weights are random.
        across_branches: Other branch to the agreement with its map of the same input.
        under_attack: Agreement with the same branch's map of the other input; None where there
            is but one.
        inside_object: Share of the positive values that lies inside the object; None where no
            mask is known.
    """

    curves: Curves | Undefined
    infidelity: Infidelity | Undefined
    sensitivity: Score
    randomisation: RandomisationCheck
    across_branches: Mapping[str, Agreement]
    under_attack: Agreement | None
    inside_object: Score | None


def measure_trust(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    maps: Mapping[Cell, AttributionMap],
    *,
    window: int | None = None,
    stride: int | None = None,
    samples: int | None = None,
    mask: Tensor | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[Cell, Trust]:
    """Measure everything that tells how far the maps of one image can be trusted.

    Max-sensitivity and the randomisation check make each map again, in the way it was made. For
    methods whose cost is ``slow`` they do so less often: for 3 changed pictures instead of 10,
    for one draw of the weights instead of three, and with all weights random at once instead of
    stage by stage. What a method then refuses, such as a random network, is undefined and says
    why.

    Args:
        branches: Name to frozen module: those that the maps were made of, plain or folded.
        inputs: Kind to (1, 3, H, W) pixels in [0, 1], all of one size.
        maps: What :func:`~advprop_core.attribution.grids.explain_grid` made, or part of it. Maps of
            one method at several layers need a name for each layer.
        window: What the maps were made with, for the methods that have it.
        stride: Likewise.
        samples: Likewise.
        mask: (H, W) bool, true on the object, where that is known.
        seed: What the maps were made with; the checks draw from it too.
        progress: Called with (done, total), several times a second unless the network is large;
            it may raise to stop.

    Returns:
        One per map, in their order. A map's figures depend on the other maps only where they say
        how two agree.

    Raises:
        ValueError: If there is no map, one is not of these branches and inputs or is kept under
            a wrong key, or the mask has another shape; and for what the checks refuse.
    """
    _validate(branches, inputs, maps, mask)
    options = {"window": window, "stride": stride, "samples": samples}
    evidence = {
        cell: replace(attribution, values=as_evidence(attribution.values, attribution.method))
        for cell, attribution in maps.items()
    }
    of_branch = _groups(branches, inputs, evidence, lambda attribution: attribution.branch)
    of_call = _groups(
        branches,
        inputs,
        maps,
        lambda attribution: (attribution.method, attribution.branch, attribution.layer),
    )
    calls = [group.call(options, seed) for group in of_call]
    sizes = [size * len(group.maps) for group in of_branch for size in (_CURVES, _INFIDELITY)]
    sizes += [size for call in calls for size in _sizes(call)]
    listeners = iter(split(progress, sizes))
    curves: dict[Cell, Curves | Undefined] = {}
    infidelity: dict[Cell, Infidelity | Undefined] = {}
    for group in of_branch:
        curves |= group.keyed(_measured(measure_curves, group, seed, next(listeners)))
        infidelity |= group.keyed(_measured(measure_infidelity, group, seed, next(listeners)))
    sensitivity: dict[Cell, Score] = {}
    randomisation: dict[Cell, RandomisationCheck] = {}
    for group, call in zip(of_call, calls, strict=True):
        sensitivity |= group.keyed(recomputed_sensitivity(call, next(listeners)))
        randomisation |= group.keyed(recomputed_randomisation(call, next(listeners)))
    return {
        cell: Trust(
            curves[cell],
            infidelity[cell],
            sensitivity[cell],
            randomisation[cell],
            _across_branches(maps, cell),
            _under_attack(maps, cell),
            _inside(attribution, mask),
        )
        for cell, attribution in evidence.items()
    }


@dataclass(frozen=True)
class _Group:
    """Maps that go through one branch together, with the input of each."""

    module: nn.Module
    cells: tuple[Cell, ...]
    maps: tuple[AttributionMap, ...]
    pixels: Tensor

    @property
    def values(self) -> Tensor:
        return torch.stack([attribution.values for attribution in self.maps])

    @property
    def classes(self) -> tuple[int, ...]:
        return tuple(attribution.class_index for attribution in self.maps)

    def keyed(self, results: Iterable[_Result]) -> dict[Cell, _Result]:
        return dict(zip(self.cells, results, strict=True))

    def call(self, options: Mapping[str, int | None], seed: int) -> MapCall:
        first = self.maps[0]
        method = METHODS[first.method]
        return MapCall(
            self.module,
            method,
            self.pixels,
            self.values,
            self.classes,
            first.layer,
            options_of(method, options),
            seed,
        )


def _groups(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    maps: Mapping[Cell, AttributionMap],
    alike: Callable[[AttributionMap], Hashable],
) -> list[_Group]:
    members: dict[Hashable, list[Cell]] = {}
    for cell, attribution in maps.items():
        members.setdefault(alike(attribution), []).append(cell)
    return [
        _Group(
            branches[cells[0][2]],
            tuple(cells),
            tuple(maps[cell] for cell in cells),
            torch.cat([inputs[kind] for _, kind, _ in cells]),
        )
        for cells in members.values()
    ]


def _validate(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    maps: Mapping[Cell, AttributionMap],
    mask: Tensor | None,
) -> None:
    if not maps:
        raise ValueError("maps must hold at least one map")
    if any(len(pixels) != 1 for pixels in inputs.values()):
        raise ValueError("inputs must hold one image each")
    for cell, attribution in maps.items():
        if cell[1:] != (attribution.input_kind, attribution.branch):
            raise ValueError(f"maps must be kept as (name, input kind, branch), got {cell}")
        if attribution.branch not in branches or attribution.input_kind not in inputs:
            raise ValueError(
                f"maps must be of the branches {', '.join(branches)} and the inputs "
                f"{', '.join(inputs)}, got one of {attribution.branch} on {attribution.input_kind}"
            )
        if mask is not None and mask.shape != attribution.values.shape:
            raise ValueError(
                f"mask must have the shape of the maps, {tuple(attribution.values.shape)}, "
                f"got {tuple(mask.shape)}"
            )


def _sizes(call: MapCall) -> tuple[int, int]:
    per_map = _A_MAP[call.method.cost] * len(call.pixels)
    return per_map * call.changes, per_map * call.draws * len(call.stages())


def _measured(
    measure: Callable[..., tuple[_Result, ...]], group: _Group, seed: int, progress: Progress
) -> tuple[_Result, ...]:
    return measure(
        group.module,
        group.pixels,
        group.values,
        group.classes,
        seed=seed,
        batch_size=batch_size(group.pixels),
        progress=progress,
    )


def _across_branches(maps: Mapping[Cell, AttributionMap], cell: Cell) -> dict[str, Agreement]:
    name, kind, branch = cell
    return {
        other: _agreement(maps[cell], attribution)
        for (its_name, its_kind, other), attribution in maps.items()
        if (its_name, its_kind) == (name, kind) and other != branch
    }


def _under_attack(maps: Mapping[Cell, AttributionMap], cell: Cell) -> Agreement | None:
    name, kind, branch = cell
    other = maps.get((name, "clean" if kind == "adversarial" else "adversarial", branch))
    return None if other is None else _agreement(maps[cell], other)


def _agreement(first: AttributionMap, second: AttributionMap) -> Agreement:
    (agreement,) = agree(first.values[None], second.values[None])
    return agreement


def _inside(attribution: AttributionMap, mask: Tensor | None) -> Score | None:
    if mask is None:
        return None
    (share,) = inside_shares(attribution.values[None], mask[None])
    return share
