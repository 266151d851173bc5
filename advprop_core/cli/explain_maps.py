"""The maps of one photo: which are made, which are left out, and how they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from torch import Tensor, nn

from advprop_core.attribution.cams import FORMULAS
from advprop_core.attribution.errors import NoGradient, Unfit, UnknownLayer
from advprop_core.attribution.grids import MapMaker, explain_layers
from advprop_core.attribution.layers import default_layer, spatial_layers, spatial_stages
from advprop_core.attribution.maps import validate_options
from advprop_core.attribution.methods import METHODS, Method
from advprop_core.cli.map_requests import Wanted
from advprop_core.processes import Progress
from advprop_core.report.colours import Span, colour_span
from advprop_core.types import AttributionMap, InputKind, freeze

Begin = Callable[[str], Progress]
"""Names the next part of the work; what comes back is called with (done, total)."""

_SUFFIX: dict[InputKind, str] = {"clean": "", "adversarial": "_adversarial"}


@dataclass(frozen=True)
class Row:
    """The maps of one method at one layer, which share a colour scale.

    Attributes:
        name: Method, and layer where there are several; files begin with it.
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

    @property
    def span(self) -> Span:
        """Values at the two ends of the colours."""
        return colour_span([one.values.numpy() for one in self.maps.values()], self.method.sign)

    def stem(self, kind: InputKind, branch: str) -> str:
        """What one map is called: ``grad-cam_main``, ``grad-cam_s3_aux_adversarial``."""
        return f"{self.name}_{branch}{_SUFFIX[kind]}"


@dataclass(frozen=True)
class Difference:
    """One map minus another of the same row.

    Attributes:
        name: What it is called: ``grad-cam_main-minus-aux``.
        words: ``main − aux, clean``.
        values: (H, W).
    """

    name: str
    words: str
    values: Tensor


@dataclass(frozen=True)
class Part:
    """What is made at once: one method at one layer, or at several in one pass.

    Attributes:
        method: Which method.
        layers: Dotted names, or None alone for a method without.
        several: Whether the method is asked for at several layers, here or in other parts.
    """

    method: Method
    layers: tuple[str | None, ...]
    several: bool

    def name(self, layer: str | None) -> str:
        """What a row is called."""
        return f"{self.method.name}_{layer}" if self.several else self.method.name


def plan(module: nn.Module, pixels: Tensor, wanted: Wanted) -> list[Part]:
    """What there is to make, in order.

    Args:
        module: The branch whose layers count.
        pixels: (1, 3, H, W).
        wanted: Which maps.

    Raises:
        UnknownLayer: If a layer method or a layer was named and no layer has a map.
        ValueError: For an option that a method refuses.
    """
    layers: tuple[str, ...] = ()
    layered = [name for name in wanted.methods if METHODS[name].needs_layer]
    if layered:
        try:
            layers = _layers(module, pixels, wanted)
        except UnknownLayer:
            if wanted.layers or wanted.all_stages or set(layered) & set(wanted.by_name):
                raise
    parts: list[Part] = []
    for name in wanted.methods:
        method, several = METHODS[name], len(layers) > 1
        own = {key: value for key, value in wanted.options.items() if key in method.options}
        validate_options(method, None, own, min(pixels.shape[2:]))
        if method.needs_layer and not layers:
            continue  # of `all`, on a network that no layer method fits
        if not method.needs_layer:
            parts.append(Part(method, (None,), several=False))
        elif several and name in FORMULAS:
            parts.append(Part(method, layers, several))
        else:
            parts += [Part(method, (layer,), several) for layer in layers]
    return parts


def _layers(module: nn.Module, pixels: Tensor, wanted: Wanted) -> tuple[str, ...]:
    if wanted.all_stages:
        found = spatial_stages(module, pixels)
        if not found:
            drawn = sorted(spatial_layers(module, pixels))
            raise UnknownLayer(
                "--layer stages needs a network that lists its stages: name layers instead, "
                f"such as {', '.join(drawn[:5])}"
            )
        return found
    return wanted.layers or (default_layer(module, pixels),)


def make_rows(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    class_index: int,
    wanted: Wanted,
    parts: Sequence[Part],
    begin: Begin,
) -> tuple[list[Row], dict[str, str]]:
    """Make the maps.

    Args:
        branches: Name to frozen module, main first.
        inputs: Kind to (1, 3, H, W) pixels, all of one size.
        class_index: The class that all of them explain.
        wanted: Which maps.
        parts: What :func:`plan` says.
        begin: Told of every part.

    Returns:
        The rows; and the methods that do not fit and were not named themselves, each with the
        reason.

    Raises:
        ValueError: If a method that was named does not fit, or none does; and what
            :func:`~advprop_core.attribution.maps.explain` refuses.
    """
    maker = MapMaker(branches, inputs, class_index, seed=wanted.seed)
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    for part in parts:
        progress = begin(part.method.title)
        try:
            if len(part.layers) > 1:
                rows += _strips(branches, inputs, class_index, part)
            else:
                rows.append(_make(maker, wanted, part, progress))
        except (Unfit, NoGradient) as error:
            if part.method.name in wanted.by_name:
                raise
            left_out[part.method.name] = str(error)
    if not rows:
        raise ValueError(f"no method fits this network: {next(iter(left_out.values()))}")
    return rows, left_out


def _make(maker: MapMaker, wanted: Wanted, part: Part, progress: Progress) -> Row:
    (layer,) = part.layers
    options = {name: v for name, v in wanted.options.items() if name in part.method.options}
    maps = maker.make(part.method.name, layer, progress=progress, **options)
    return Row(part.name(layer), part.method, layer, maps)


def _strips(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    class_index: int,
    part: Part,
) -> list[Row]:
    """A row per layer, each branch and input with a single pass for all of them."""
    layers = [layer for layer in part.layers if layer]
    method = part.method.name
    strips = {
        (kind, branch): explain_layers(branches[branch], inputs[kind], class_index, layers, method)
        for kind, branch in product(inputs, branches)
    }
    return [
        Row(
            part.name(layer),
            part.method,
            layer,
            {
                (kind, branch): AttributionMap(
                    freeze(strip[place]), method, branch, kind, class_index, layer
                )
                for (kind, branch), strip in strips.items()
            },
        )
        for place, layer in enumerate(layers)
    ]


def differences(row: Row) -> list[Difference]:
    """The first branch minus each other on every input, and clean minus adversarial."""
    kinds = list(dict.fromkeys(kind for kind, _ in row.maps))
    first, *others = dict.fromkeys(branch for _, branch in row.maps)
    across = [
        Difference(
            f"{row.name}_{first}-minus-{other}{_SUFFIX[kind]}",
            f"{first} − {other}, {kind}",
            row.maps[kind, first].values - row.maps[kind, other].values,
        )
        for kind in kinds
        for other in others
    ]
    moved = [
        Difference(
            f"{row.name}_{branch}_clean-minus-adversarial",
            f"clean − adversarial, {branch}",
            row.maps["clean", branch].values - row.maps["adversarial", branch].values,
        )
        for branch in (first, *others)
        if "adversarial" in kinds
    ]
    return across + moved
