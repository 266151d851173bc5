"""Checks that make maps again: of changed pictures, and of networks with random weights.

The only file here that knows how maps are made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.grids import options_of
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS
from advprop_core.faithfulness.fidelity import max_sensitivity
from advprop_core.faithfulness.maps import Score, Undefined, flaw
from advprop_core.faithfulness.randomisation import RandomisationCheck, check_randomisation
from advprop_core.faithfulness.stages import cascade_stages
from advprop_core.types import AttributionMap, Progress

_PARTS = 1000  # of one call's progress


class Effort(NamedTuple):
    """How often a kind of map is made again.

    Attributes:
        changes: How many changed pictures are mapped.
        draws: How often the weights are drawn.
        passes: About how many pictures go through the network for one map.
    """

    changes: int
    draws: int
    passes: int


_EFFORTS = {"fast": Effort(10, 3, 40), "slow": Effort(3, 1, 500)}


@dataclass(frozen=True)
class MapCall:
    """Maps of one branch by one method, and all that it takes to make them again.

    Attributes:
        module: The branch.
        pixels: (N, 3, H, W).
        values: (N, H, W) maps, as they were made.
        classes: The class that each explains.
        first: The first of the maps; all are by its method, at its layer.
        options: Arguments of ``explain``, of which a method takes its own.
        seed: What they were made with; the checks draw from it too.
    """

    module: nn.Module
    pixels: Tensor
    values: Tensor
    classes: Sequence[int]
    first: AttributionMap
    options: Mapping[str, int | None]
    seed: int

    @property
    def effort(self) -> Effort:
        """Of its method; a slow one is asked less often."""
        return _EFFORTS[METHODS[self.first.method].cost]

    def stages(self) -> tuple[str, ...]:
        """Where the cascade halts; a slow method loses all weights at once."""
        names = cascade_stages(self.module)
        # Layers of stages that are not named go with the first.
        return names if METHODS[self.first.method].cost == "fast" else names[:1]


class _Maker:
    """Makes maps for a check; where the method refuses, they are not finite, and why is kept."""

    def __init__(self, call: MapCall, calls: int, progress: Progress) -> None:
        self.refused: dict[int, str] = {}
        self._call = call
        self._calls = calls
        self._progress = progress
        self._finished = self._told = 0

    def __call__(self, module: nn.Module, pixels: Tensor) -> Tensor:
        maps = self._explain(module, pixels, slice(0, len(pixels)))
        self._tell(1, 1)
        self._finished += 1
        return maps

    def _explain(self, module: nn.Module, pixels: Tensor, rows: slice) -> Tensor:
        """Maps of some of the pictures; one by one where the method refuses any of them."""
        call = self._call
        try:
            return explain(
                module,
                pixels[rows],
                call.classes[rows],
                call.first.method,
                layer=call.first.layer,
                seed=call.seed,
                progress=self._tell,
                **options_of(METHODS[call.first.method], call.options),
            )
        except (Unfit, NoGradient) as error:
            if len(pixels[rows]) > 1:
                alone = [slice(row, row + 1) for row in range(len(pixels))]
                return torch.cat([self._explain(module, pixels, row) for row in alone])
            self.refused[rows.start] = str(error)
            return torch.full_like(call.values[rows], torch.nan)

    def _tell(self, done: int, total: int) -> None:
        # Maps that are made one by one after a refusal begin anew, and a bar must not fall.
        self._told = max(self._told, _PARTS * self._finished + _PARTS * done // total)
        self._progress(self._told, _PARTS * self._calls)


def recomputed_sensitivity(call: MapCall, progress: Progress) -> list[Score]:
    """:func:`max_sensitivity` of each map; undefined too where a changed picture has no map."""
    maker = _Maker(call, call.effort.changes, progress)
    sensitivity = max_sensitivity(
        partial(maker, call.module),
        call.pixels,
        call.values,
        samples=call.effort.changes,
        seed=call.seed,
    )
    return [
        Undefined(f"a picture that is changed a little has no map: {maker.refused[index]}")
        if index in maker.refused and not flaw(call.values[index])
        else value
        for index, value in enumerate(sensitivity)
    ]


def recomputed_randomisation(call: MapCall, progress: Progress) -> list[RandomisationCheck]:
    """:func:`check_randomisation` of each map; undefined too where a random network has none."""
    stages = call.stages()
    maker = _Maker(call, call.effort.draws * len(stages), progress)
    checks = check_randomisation(
        call.module,
        call.pixels,
        maker,
        call.values,
        stages=stages,
        draws=call.effort.draws,
        seed=call.seed,
    )
    return [
        replace(check, refused=f"there is no map: {maker.refused[index]}")
        if index in maker.refused
        else check
        for index, check in enumerate(checks)
    ]
