"""Checks that make maps again: of changed pictures, and of networks with random weights.

The only file here that knows how maps are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import Method
from advprop_core.faithfulness.fidelity import max_sensitivity
from advprop_core.faithfulness.maps import Score, Undefined, flaw
from advprop_core.faithfulness.randomisation import RandomisationCheck, check_randomisation
from advprop_core.faithfulness.stages import cascade_stages
from advprop_core.processes import Progress

_CHANGES = {"fast": 10, "slow": 3}
_DRAWS = {"fast": 3, "slow": 1}
_PARTS = 1000  # of one call's progress


@dataclass(frozen=True)
class MapCall:
    """Maps of one branch by one method, and all that it takes to make them again.

    Attributes:
        module: The branch.
        method: Which method.
        pixels: (N, 3, H, W).
        values: (N, H, W) maps, as they were made.
        classes: The class that each explains.
        layer: Dotted name, for methods with a layer.
        options: Arguments of ``explain`` beyond the seed that the method was given.
        seed: What they were made with; the checks draw from it too.
    """

    module: nn.Module
    method: Method
    pixels: Tensor
    values: Tensor
    classes: Sequence[int]
    layer: str | None
    options: Mapping[str, int | None]
    seed: int

    @property
    def changes(self) -> int:
        """How many changed pictures are mapped; fewer by a slow method."""
        return _CHANGES[self.method.cost]

    @property
    def draws(self) -> int:
        """How often the weights are drawn; less often for a slow method."""
        return _DRAWS[self.method.cost]

    def stages(self) -> tuple[str, ...]:
        """Where the cascade halts; a slow method loses all weights at once."""
        names = cascade_stages(self.module)
        # Layers of stages that are not named go with the first.
        return names if self.method.cost == "fast" else names[:1]

    def explain(
        self, module: nn.Module, pixels: Tensor, classes: Sequence[int], progress: Progress
    ) -> Tensor:
        """Other maps, made in the same way."""
        return explain(
            module,
            pixels,
            classes,
            self.method.name,
            layer=self.layer,
            seed=self.seed,
            progress=progress,
            **self.options,
        )


class _Maker:
    """Makes maps for a check; where the method refuses, they are not finite, and why is kept."""

    def __init__(self, call: MapCall, calls: int, progress: Progress) -> None:
        self.refused: dict[int, str] = {}
        self._call = call
        self._calls = calls
        self._progress = progress
        self._finished = self._told = 0

    def __call__(self, module: nn.Module, pixels: Tensor) -> Tensor:
        if module is self._call.module and torch.equal(pixels, self._call.pixels):
            return self._call.values
        classes = self._call.classes
        try:
            maps = self._call.explain(module, pixels, classes, self._tell)
        except (Unfit, NoGradient):
            maps = torch.cat([self._one(module, pixels, index) for index in range(len(pixels))])
        self._tell(1, 1)
        self._finished += 1
        return maps

    def _one(self, module: nn.Module, pixels: Tensor, index: int) -> Tensor:
        rows = slice(index, index + 1)
        try:
            return self._call.explain(module, pixels[rows], self._call.classes[rows], self._tell)
        except (Unfit, NoGradient) as error:
            self.refused[index] = str(error)
            return torch.full_like(self._call.values[rows], torch.nan)

    def _tell(self, done: int, total: int) -> None:
        # Maps that are made one by one after a refusal begin anew, and a bar must not fall.
        self._told = max(self._told, _PARTS * self._finished + _PARTS * done // total)
        self._progress(self._told, _PARTS * self._calls)


def recomputed_sensitivity(call: MapCall, progress: Progress) -> list[Score]:
    """:func:`max_sensitivity` of each map; undefined too where a changed picture has no map."""
    maker = _Maker(call, call.changes, progress)
    sensitivity = max_sensitivity(
        lambda shown: maker(call.module, shown),
        call.pixels,
        samples=call.changes,
        seed=call.seed,
    )
    return [
        Undefined(f"a picture that is changed a little has no map: {maker.refused[index]}")
        if index in maker.refused and not flaw(call.values[index])
        else value
        for index, value in enumerate(sensitivity.values)
    ]


def recomputed_randomisation(call: MapCall, progress: Progress) -> list[RandomisationCheck]:
    """:func:`check_randomisation` of each map; undefined too where a random network has none."""
    stages = call.stages()
    maker = _Maker(call, call.draws * len(stages), progress)
    together = check_randomisation(
        call.module,
        call.pixels,
        maker,
        stages=stages,
        draws=call.draws,
        original=call.values,
        seed=call.seed,
    )
    count = len(call.pixels)
    checks = [together.of_picture(index, count) for index in range(count)]
    return [
        replace(check, words=f"With every weight random there is no map: {maker.refused[index]}.")
        if check.verdict == "undefined" and index in maker.refused
        else check
        for index, check in enumerate(checks)
    ]
