"""Maps of one image in rows, one for each method and layer, and how the maps of a row differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn

from advprop_core.attribution.errors import NoGradient, Unfit, UnknownLayer
from advprop_core.attribution.grids import MapMaker, options_of
from advprop_core.attribution.layers import default_layer, spatial_layers, spatial_stages
from advprop_core.attribution.maps import checked_method
from advprop_core.attribution.methods import METHODS, STAGES, MapChoice, Method
from advprop_core.errors import InputError
from advprop_core.types import AttributionMap, InputKind, Progress

_SUFFIX: Final[dict[InputKind, str]] = {"clean": "", "adversarial": "_adversarial"}


@dataclass(frozen=True)
class MapRow:
    """The maps of one method at one layer, which share a colour scale.

    Attributes:
        name: Method, and layer where there are several; file names begin with it.
        method: Which method.
        layer: Dotted name, or None for a method without.
        maps: (kind of input, branch) to map; kinds vary slowest.
    """

    name: str
    method: Method
    layer: str | None
    maps: Mapping[tuple[InputKind, str], AttributionMap]

    @property
    def title(self) -> str:
        """``Grad-CAM at s3``."""
        return self.method.title + (f" at {self.layer}" if self.layer else "")

    def stem(self, kind: InputKind, branch: str) -> str:
        """What one map is called: ``grad-cam_main``, ``grad-cam_s3_aux_adversarial``."""
        return f"{self.name}_{branch}{_SUFFIX[kind]}"


@dataclass(frozen=True)
class Difference:
    """One map minus another of the same row, (H, W).

    It is called ``grad-cam_main-minus-aux``, in words ``main − aux, clean``.
    """

    name: str
    words: str
    values: Tensor


def plan_rows(
    module: nn.Module, pixels: Tensor, choice: MapChoice
) -> list[tuple[Method, str | None]]:
    """The method and the layer of each row, in order; ``module`` is the branch whose layers count.

    Raises:
        UnknownLayer: If a layer or a required method needs a map of a layer, and there is none.
        InputError: For an option that a method refuses.
    """
    layers = _layers(module, pixels, choice)
    planned: list[tuple[Method, str | None]] = []
    for name in choice.methods:
        options = options_of(METHODS[name], choice.options)
        method = checked_method(name, None, options, min(pixels.shape[2:]))
        planned += [(method, layer) for layer in (layers if method.needs_layer else (None,))]
    return planned


def _layers(module: nn.Module, pixels: Tensor, choice: MapChoice) -> tuple[str, ...]:
    """Of the methods that need one; none if the network has no layer with a map."""
    layered = {name for name in choice.methods if METHODS[name].needs_layer}
    if not layered:
        return ()
    if choice.layers == (STAGES,):
        if stages := spatial_stages(module, pixels):
            return stages
        others = ", ".join(sorted(spatial_layers(module, pixels))[:5])
        raise UnknownLayer(
            f"no stage of this network gives one map: name layers instead, such as {others}"
        )
    try:
        return choice.layers or (default_layer(module, pixels),)
    except UnknownLayer:
        if layered & choice.required:
            raise
        return ()


def make_rows(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    class_index: int,
    choice: MapChoice,
    planned: Sequence[tuple[Method, str | None]],
    begin: Callable[[str], Progress],
) -> tuple[list[MapRow], dict[str, str]]:
    """Make the maps that :func:`plan_rows` has planned, as :class:`MapMaker` takes its inputs.

    ``begin`` is called with a title before each row; what it returns, with (done, total).

    Returns:
        The rows; and the methods that do not fit and are not required, each with the reason.

    Raises:
        InputError: If a required method does not fit, or none does.
    """
    maker = MapMaker(branches, inputs, class_index, seed=choice.seed)
    several = len({layer for _, layer in planned if layer}) > 1
    rows: list[MapRow] = []
    left_out: dict[str, str] = {}
    for method, layer in planned:
        progress = begin(method.title)
        options = options_of(method, choice.options)
        try:
            maps = maker.make(method.name, layer, progress=progress, **options)
        except (Unfit, NoGradient) as error:
            if method.name in choice.required:
                raise
            left_out[method.name] = str(error)
        else:
            name = f"{method.name}_{layer}" if several and layer else method.name
            rows.append(MapRow(name, method, layer, maps))
    if not rows:
        raise InputError(f"no method fits this network: {next(iter(left_out.values()), '')}")
    return rows, left_out


def differences(row: MapRow) -> list[Difference]:
    """The first branch minus each other on every input, and clean minus adversarial."""
    kinds = list(dict.fromkeys(kind for kind, _ in row.maps))
    first, *others = dict.fromkeys(branch for _, branch in row.maps)
    values = {cell: attribution.values for cell, attribution in row.maps.items()}
    across = [
        Difference(
            f"{row.name}_{first}-minus-{other}{_SUFFIX[kind]}",
            f"{first} − {other}, {kind}",
            values[kind, first] - values[kind, other],
        )
        for kind in kinds
        for other in others
    ]
    moved = [
        Difference(
            f"{row.name}_{branch}_clean-minus-adversarial",
            f"clean − adversarial, {branch}",
            values["clean", branch] - values["adversarial", branch],
        )
        for branch in (first, *others)
        if "adversarial" in kinds
    ]
    return across + moved
