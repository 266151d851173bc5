"""Several kinds of map of one picture, and whether they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from advprop_core.attribution.errors import NoGradient, Unfit, UnknownLayer
from advprop_core.attribution.grids import MapMaker, explain_layers
from advprop_core.attribution.layers import spatial_stages
from advprop_core.attribution.methods import METHODS
from advprop_core.compare.compare import compare
from advprop_core.faithfulness.agreement import Agreement, agree
from advprop_core.types import AttributionMap, Comparison, InputKind
from app.shell.comparison import inputs
from app.shell.jobs import Report

if TYPE_CHECKING:
    from torch import Tensor, nn

    from advprop_core.faithfulness.trust import Cell

_ATTACK_SHARE = 0.2  # of the progress bar


@dataclass(frozen=True)
class MapSet:
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

    def of(self, method: str) -> dict[tuple[InputKind, str], AttributionMap]:
        """(input kind, branch) to map, of one method."""
        return {(kind, branch): drawn for (name, kind, branch), drawn in self.maps.items()
                if name == method}  # fmt: skip


def make_map_set(
    branches: Mapping[str, nn.Module],
    pixels: Tensor,
    *,
    methods: Sequence[str],
    layer: str | None,
    class_index: int | None,
    progress: Report,
    **perturbing: Any,
) -> MapSet:
    """Perturb, predict and make every map of the class, or of the class under attack.

    ``layer`` is for those methods that have one; ``perturbing`` is handed on to
    :func:`~advprop_core.compare.compare.compare`.
    """
    comparison = compare(
        branches, pixels, progress=lambda share: progress(_ATTACK_SHARE * share), **perturbing
    )
    pictures = inputs(comparison)
    explained = comparison.attacked_class if class_index is None else class_index
    maker = MapMaker(branches, pictures, explained)
    maps: dict[Cell, AttributionMap] = {}
    refused: dict[str, str] = {}
    for number, method in enumerate(methods):

        def report(done: int, total: int, number: int = number) -> None:
            share = (number + done / total) / len(methods)
            progress(_ATTACK_SHARE + (1 - _ATTACK_SHARE) * share)

        try:
            grid = maker.make(
                method, layer if METHODS[method].needs_layer else None, progress=report
            )
        except (NoGradient, Unfit, UnknownLayer) as error:
            refused[method] = str(error)
        else:
            maps |= {(method, *cell): drawn for cell, drawn in grid.items()}
    # Grad-CAM through all stages at a glance.
    stages = spatial_stages(next(iter(branches.values())), pictures["clean"])
    strips = {
        (kind, branch): explain_layers(module, pixels, explained, stages)
        for branch, module in branches.items()
        for kind, pixels in pictures.items()
        if stages
    }
    agreements = {}
    if len(branches) > 1:
        first, second = list(branches)[:2]
        agreements = {
            (method, kind): agree(drawn.values[None], maps[method, kind, second].values[None])[0]
            for (method, kind, branch), drawn in maps.items()
            if branch == first
        }
    return MapSet(comparison, maps, refused, stages, strips, agreements)
