"""What the Maps page asks of the library, and the work it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.grids import MapMaker, explain_layers
from advprop_core.attribution.layers import default_layer, spatial_stages
from advprop_core.attribution.methods import METHODS
from advprop_core.compare.compare import compare
from advprop_core.faithfulness.agreement import Agreement, agree
from advprop_core.types import AttributionMap, Comparison, InputKind
from app.shell.jobs import Job
from app.shell.requests import ComparisonRequest

if TYPE_CHECKING:
    from torch import Tensor, nn

    from advprop_core.faithfulness.trust import Trust

Cell = tuple[str, InputKind, str]
_ATTACK_SHARE = 0.2  # of the progress bar


@dataclass(frozen=True)
class MapsRequest:
    """All that decides the maps of a picture; equal requests share one job.

    Attributes:
        comparison: The picture, its perturbation, and who predicts.
        methods: Kinds of map.
        layer: Dotted name for those that have one, or None.
        class_index: The class they explain, or None for the class under attack.
    """

    comparison: ComparisonRequest
    methods: tuple[str, ...]
    layer: str | None
    class_index: int | None


@dataclass(frozen=True)
class Maps:
    """Maps of every branch on both inputs, and what can be said of them at once.

    Attributes:
        comparison: The pictures and predictions they belong to.
        maps: (method, input kind, branch) to map.
        refused: Method to the reason why it does not fit this network.
        stages: Names of the network's stages, shallow to deep.
        strips: (input kind, branch) to (L, H, W) Grad-CAM at each stage.
        across_branches: (method, input kind) to how far main's and aux's maps agree.
    """

    comparison: Comparison
    maps: Mapping[Cell, AttributionMap]
    refused: Mapping[str, str]
    stages: tuple[str, ...]
    strips: Mapping[tuple[InputKind, str], Tensor]
    across_branches: Mapping[tuple[str, InputKind], Agreement]

    @property
    def methods(self) -> tuple[str, ...]:
        """The kinds of map there are."""
        return tuple(dict.fromkeys(method for method, _, _ in self.maps))

    @property
    def inputs(self) -> dict[InputKind, Tensor]:
        """Input kind to (1, 3, H, W) pixels."""
        return {
            "clean": self.comparison.clean[None],
            "adversarial": self.comparison.adversarial[None],
        }


def run(request: MapsRequest, branches: Mapping[str, nn.Module], pixels: Tensor, job: Job) -> Maps:
    """Perturb, predict and make every map."""
    asked = request.comparison
    result = compare(
        branches,
        pixels,
        asked.perturbation,
        attack_branch=asked.attack_branch,
        true_class=asked.true_class,
        progress=lambda share: job.report(_ATTACK_SHARE * share),
    )
    inputs: dict[InputKind, Tensor] = {
        "clean": result.clean[None],
        "adversarial": result.adversarial[None],
    }
    explained = result.attacked_class if request.class_index is None else request.class_index
    first = next(iter(branches.values()))
    layered = any(METHODS[method].needs_layer for method in request.methods)
    chosen = request.layer or (default_layer(first, pixels) if layered else None)
    maker = MapMaker(branches, inputs, explained)
    maps: dict[Cell, AttributionMap] = {}
    refused: dict[str, str] = {}
    for place, method in enumerate(request.methods):
        layer = chosen if METHODS[method].needs_layer else None

        def report(done: int, total: int, place: int = place) -> None:
            share = (place + done / total) / len(request.methods)
            job.report(_ATTACK_SHARE + (1 - _ATTACK_SHARE) * share)

        try:
            made = maker.make(method, layer, progress=report)
        except (NoGradient, Unfit) as error:
            refused[method] = str(error)
        else:
            maps |= {(method, *cell): one for cell, one in made.items()}
    names, strips = _strips(branches, inputs, explained)
    return Maps(result, maps, refused, names, strips, _agreements(maps, branches))


def trust(
    found: Maps, branches: Mapping[str, nn.Module], mask: Tensor | None, job: Job
) -> Mapping[Cell, Trust]:
    """Measure whether the maps can be trusted."""
    from advprop_core.faithfulness.trust import measure_trust

    return measure_trust(
        branches,
        found.inputs,
        found.maps,
        mask=mask,
        progress=lambda done, total: job.report(done / total),
    )


def _strips(
    branches: Mapping[str, nn.Module], inputs: Mapping[InputKind, Tensor], class_index: int
) -> tuple[tuple[str, ...], dict[tuple[InputKind, str], Tensor]]:
    """Grad-CAM through all stages at a glance."""
    names = spatial_stages(next(iter(branches.values())), inputs["clean"])
    if not names:
        return (), {}
    return names, {
        (kind, branch): explain_layers(module, pixels, class_index, names)
        for branch, module in branches.items()
        for kind, pixels in inputs.items()
    }


def _agreements(
    maps: Mapping[Cell, AttributionMap], branches: Mapping[str, nn.Module]
) -> dict[tuple[str, InputKind], Agreement]:
    """Of the first two branches."""
    if len(branches) < 2:
        return {}
    first, second = list(branches)[:2]
    return {
        (method, kind): agree(one.values[None], maps[method, kind, second].values[None])[0]
        for (method, kind, branch), one in maps.items()
        if branch == first
    }
