"""Which layers a network has, and which of them a map can be drawn at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from advprop_core.attribution.errors import UnknownLayer
from advprop_core.models.dual_bn import PixelNetwork, private_view
from advprop_core.predict import require_eval
from advprop_core.text import did_you_mean

_MIN_CELLS = 5  # a stage with a coarser map cannot point at anything


@dataclass(frozen=True)
class LayerNode:
    """A layer with a spatial map, and the layers inside it.

    Attributes:
        name: Dotted name, as :func:`find_layer` takes it.
        kind: Class of the module.
        size: (height, width) of its map in cells.
        channels: Number of channels of its map.
        is_stage: Whether the network lists it as a stage.
        is_default: Whether it is the one :func:`default_layer` picks.
        children: Layers inside it that have a map, in execution order.
    """

    name: str
    kind: str
    size: tuple[int, int]
    channels: int
    is_stage: bool = False
    is_default: bool = False
    children: tuple[LayerNode, ...] = ()


def network_of(module: nn.Module) -> nn.Module:
    """What layer names refer to: the network inside a branch, or the module itself."""
    return module.network if isinstance(module, PixelNetwork) else module


def find_layer(module: nn.Module, layer: str) -> nn.Module:
    """The layer of that dotted name.

    Raises:
        UnknownLayer: With near matches, if there is none.
    """
    layers: dict[str, nn.Module] = dict(network_of(module).named_modules())
    if not layer or layer not in layers:
        hint = did_you_mean(layer, filter(None, layers))
        raise UnknownLayer(f"The network has no layer {layer!r}. {hint}")
    return layers[layer]


def is_map(output: object, pixels: Tensor) -> bool:
    """Whether a layer's output is a map of at least 2×2, (N, C, h, w), of pixels (N, 3, H, W).

    It is as wide as they are, to a cell: some networks keep their channels last.
    """
    if not isinstance(output, Tensor) or output.ndim != 4 or min(output.shape[2:]) < 2:
        return False
    (h, w), (height, width) = output.shape[2:], pixels.shape[2:]
    return abs(h * width - w * height) <= max(height, width)


def spatial_layers(module: nn.Module, pixels: Tensor, depth: int | None = None) -> tuple[str, ...]:
    """Dotted names of the layers whose output is a map of at least 2×2, in execution order.

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W); only the first image is run.
        depth: Leave out names with more parts than this.

    Raises:
        ValueError: If the module is in training mode: the pass would move its statistics.
    """
    names = [name for name, _ in network_of(module).named_modules() if name]
    wanted = [name for name in names if depth is None or name.count(".") < depth]
    return tuple(_maps(module, pixels, wanted))


def stages(module: nn.Module) -> tuple[str, ...]:
    """Dotted names of the network's stages, shallow to deep, as timm lists them."""
    network = network_of(module)
    listed = getattr(network, "feature_info", None) or []
    known = dict(network.named_modules())
    return tuple(
        stage["module"] for stage in listed if isinstance(stage, dict) and stage["module"] in known
    )


def spatial_stages(module: nn.Module, pixels: Tensor) -> tuple[str, ...]:
    """The stages whose output is a map of at least 2×2: one cell, or tokens, know of no place.

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W); only the first image is run.

    Raises:
        ValueError: If the module is in training mode: the pass would move its statistics.
    """
    return tuple(_maps(module, pixels, stages(module)))


def default_layer(module: nn.Module, pixels: Tensor) -> str:
    """The deepest stage whose map has at least 5×5 cells, or the deepest that has a map at all.

    A network for 224 px ends in 7×7; the same network at 96 px ends in 3×3, too coarse to
    point at anything.

    Raises:
        ValueError: If the module is in training mode: the pass would move its statistics.
        UnknownLayer: If no layer has a spatial map; or stages are listed and none of them has, as
            in a transformer, of whose first layers a map would tell little.
    """
    every = [name for name, _ in network_of(module).named_modules() if name]
    maps = _maps(module, pixels, stages(module) or every)
    sizes = {name: min(output.shape[2:]) for name, output in maps.items()}
    if not sizes:
        drawn = spatial_layers(module, pixels)
        others = f", or name a layer that has one: {', '.join(drawn[-3:])}" if drawn else ""
        what = "stage" if drawn else "layer"
        raise UnknownLayer(
            f"the network has no {what} with a spatial map: use a gradient method{others}"
        )
    fine = [name for name, cells in sizes.items() if cells >= _MIN_CELLS]
    return fine[-1] if fine else max(sizes, key=lambda name: sizes[name])


def layer_tree(module: nn.Module, pixels: Tensor) -> tuple[LayerNode, ...]:
    """Every layer with a map of at least 2×2, nested as the network nests them.

    A container that is never called itself, such as a list of blocks, is left out; what it
    holds stands in its place.

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W); only the first image is run.

    Returns:
        The outermost layers in execution order; empty where no layer has a map.

    Raises:
        ValueError: If the module is in training mode: the pass would move its statistics.
    """
    names = [name for name, _ in network_of(module).named_modules() if name]
    maps = _maps(module, pixels, names)
    try:
        default = default_layer(module, pixels)
    except UnknownLayer:
        default = ""
    listed, parts = stages(module), dict(network_of(module).named_modules())
    nodes = [
        LayerNode(
            name,
            type(parts[name]).__name__,
            (output.shape[2], output.shape[3]),
            output.shape[1],
            name in listed,
            name == default,
        )
        for name, output in maps.items()
    ]
    return _nested(nodes)


def _nested(nodes: list[LayerNode]) -> tuple[LayerNode, ...]:
    """Inner layers finish before what holds them, so one pass in that order nests them all."""
    open_nodes: list[LayerNode] = []
    for node in nodes:
        prefix = f"{node.name}."
        inner = tuple(other for other in open_nodes if other.name.startswith(prefix))
        open_nodes = [other for other in open_nodes if not other.name.startswith(prefix)]
        open_nodes.append(replace(node, children=inner))
    return tuple(open_nodes)


def _maps(module: nn.Module, pixels: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
    """Those of the layers that give a map, in execution order, with their maps."""
    return {
        name: output
        for name, output in _outputs(module, pixels, names).items()
        if isinstance(output, Tensor) and is_map(output, pixels)
    }


def _outputs(module: nn.Module, pixels: Tensor, names: Iterable[str]) -> dict[str, object]:
    """What each of the layers gave in a forward pass of the first image, in execution order."""
    require_eval(module)
    view = private_view(module)
    outputs: dict[str, object] = {}

    def remember(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            outputs.setdefault(name, output)

        return hook

    parts = dict(network_of(view).named_modules())
    for name in names:
        parts[name].register_forward_hook(remember(name))
    with torch.no_grad():
        view(pixels[:1])
    return outputs
