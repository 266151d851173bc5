"""Everything that is measured about the maps of one image."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from advprop_core.attribution.progress import split
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
from advprop_core.types import AttributionMap, InputKind, Progress

Cell = tuple[str, InputKind, str]
"""A name that maps to be compared share, such as their method; kind of input; branch."""

# About how many pictures go through the network, so that a bar moves evenly.
_CURVES, _INFIDELITY = 102, 10

# A branch, and (N, 3, H, W) pixels, (N, H, W) maps and N classes that go through it together.
_Together = tuple[nn.Module, Tensor, Tensor, tuple[int, ...]]


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
    mask: Tensor | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **options: int | None,
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
        maps: The maps. Those of one method at several layers need a name for each layer.
        mask: (H, W) bool, true on the object, where that is known.
        seed: What the maps were made with; the checks draw from it too.
        progress: Called with (done, total), several times a second unless the network is large;
            it may raise to stop.
        options: What the maps were made with, for the methods that have it, as ``explain`` takes
            it.

    Returns:
        One per map, in their order. A map's figures depend on the other maps only where they say
        how two agree.
    """

    def together(cells: Sequence[Cell], values: Mapping[Cell, Tensor]) -> _Together:
        return (
            branches[cells[0][2]],
            torch.cat([inputs[kind] for _, kind, _ in cells]),
            torch.stack([values[cell] for cell in cells]),
            tuple(maps[cell].class_index for cell in cells),
        )

    values = {cell: drawn.values for cell, drawn in maps.items()}
    evidence = {cell: as_evidence(values[cell], maps[cell].method) for cell in maps}
    of_branch = _grouped(maps, lambda drawn: drawn.branch)
    calls = [
        (cells, MapCall(*together(cells, values), maps[cells[0]], options, seed))
        for cells in _grouped(maps, lambda drawn: (drawn.method, drawn.branch, drawn.layer))
    ]
    sizes = [size * len(cells) for cells in of_branch for size in (_CURVES, _INFIDELITY)]
    for cells, call in calls:
        changes, draws, passes = call.effort
        sizes += [len(cells) * passes * changes, len(cells) * passes * draws * len(call.stages())]
    listeners = iter(split(progress, sizes))
    # Figures of each map, in the order of the fields of `Trust`.
    figures: dict[Cell, list[Any]] = {cell: [] for cell in maps}

    def note(cells: Sequence[Cell], values: Sequence[object]) -> None:
        for cell, value in zip(cells, values, strict=True):
            figures[cell].append(value)

    for cells in of_branch:
        shown = together(cells, evidence)
        note(cells, measure_curves(*shown, seed=seed, progress=next(listeners)))
        note(cells, measure_infidelity(*shown, seed=seed, progress=next(listeners)))
    for cells, call in calls:
        note(cells, recomputed_sensitivity(call, next(listeners)))
        note(cells, recomputed_randomisation(call, next(listeners)))
    for cell, measured in figures.items():
        inside = None if mask is None else inside_shares(evidence[cell][None], mask[None])[0]
        name, kind, branch = cell
        attacked: Cell = (name, "clean" if kind == "adversarial" else "adversarial", branch)
        across = {
            other[2]: _agreement(maps, cell, other)
            for other in maps
            if other[:2] == cell[:2] and other != cell
        }
        under_attack = _agreement(maps, cell, attacked) if attacked in maps else None
        measured += [across, under_attack, inside]
    return {cell: Trust(*measured) for cell, measured in figures.items()}


def _grouped(
    maps: Mapping[Cell, AttributionMap], alike: Callable[[AttributionMap], Hashable]
) -> list[list[Cell]]:
    groups: dict[Hashable, list[Cell]] = {}
    for cell, drawn in maps.items():
        groups.setdefault(alike(drawn), []).append(cell)
    return list(groups.values())


def _agreement(maps: Mapping[Cell, AttributionMap], first: Cell, second: Cell) -> Agreement:
    (agreement,) = agree(maps[first].values[None], maps[second].values[None])
    return agreement
