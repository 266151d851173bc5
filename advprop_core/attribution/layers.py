"""Which layers a network has, and which of them a map can be drawn at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeGuard

import torch
from torch import Tensor, nn

from advprop_core.attacks.inputs import own_pixels
from advprop_core.attribution.errors import UnknownLayer
from advprop_core.models.dual_bn import PixelNetwork, private_view
from advprop_core.predict import require_eval
from advprop_core.text import did_you_mean

# Of what a layer gives: the shape of its map, or of several maps, or nothing that is a map.
_Output = torch.Size | list[torch.Size] | None
_MIN_CELLS = 5  # a stage with a coarser map cannot point at anything


@dataclass(frozen=True)
class LayerNode:
    """A layer with a spatial map, and the layers inside it.

    Attributes:
        name: Dotted name, as :func:`find_layer` takes it.
        size: (height, width) of its map in cells.
        children: Layers inside it that have a map, in execution order.
    """

    name: str
    size: tuple[int, int]
    children: tuple[LayerNode, ...]


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


def is_map(output: object, pixels: Tensor) -> TypeGuard[Tensor]:
    """Whether a layer's output is a map of at least 2×2, (N, C, h, w), of pixels (N, 3, H, W).

    It is as wide as they are, to a cell: some networks keep their channels last.
    """
    if not isinstance(output, Tensor) or output.ndim != 4 or min(output.shape[2:]) < 2:
        return False
    (h, w), (height, width) = output.shape[2:], pixels.shape[2:]
    return abs(h * width - w * height) <= max(height, width)


def spatial_layers(module: nn.Module, pixels: Tensor) -> tuple[str, ...]:
    """Dotted names of the layers whose output is a map of at least 2×2, in execution order.

    Like all that look at outputs here, it runs the first image only, and raises ValueError for a
    module in training mode: the pass would move its statistics.
    """
    return tuple(_map_shapes(module, pixels))


def stages(module: nn.Module) -> tuple[str, ...]:
    """Dotted names of the network's stages, shallow to deep, as timm lists them."""
    network = network_of(module)
    listed = getattr(network, "feature_info", None) or []
    modules = dict(network.named_modules())
    return tuple(
        stage["module"]
        for stage in listed
        if isinstance(stage, dict) and stage["module"] in modules
    )


def spatial_stages(module: nn.Module, pixels: Tensor) -> tuple[str, ...]:
    """The stages whose output is a map of at least 2×2: one cell, or tokens, know of no place."""
    return tuple(_map_shapes(module, pixels, stages(module)))


def default_layer(module: nn.Module, pixels: Tensor) -> str:
    """The deepest stage whose map has at least 5×5 cells, or the deepest that has a map at all.

    A network for 224 px ends in 7×7; the same network at 96 px ends in 3×3, too coarse to
    point at anything. For a stage that gives several maps, as in SelecSLS, its last layer with
    one map stands in. Where all do, as in HRNet, it is the network's last layer with a map.

    Raises:
        UnknownLayer: If no layer has a spatial map; or stages are listed and none of them has, as
            in a transformer, of whose first layers a map would tell little.
    """
    listed = stages(module)
    outputs = _outputs(module, pixels, listed or None)
    if any(isinstance(output, list) for output in outputs.values()):
        shapes = _stand_ins(_map_shapes(module, pixels), listed)
    else:
        shapes = _single(outputs)
    if not shapes:
        drawn = spatial_layers(module, pixels)
        others = f", or name a layer that has one: {', '.join(drawn[-3:])}" if drawn else ""
        what = "stage" if drawn else "layer"
        raise UnknownLayer(
            f"the network has no {what} with a spatial map: use a gradient method{others}"
        )
    return _fine_enough(shapes)


def finer_layer(module: nn.Module, pixels: Tensor) -> str | None:
    """The deepest stage with more cells than the default layer; None where there is none."""
    shapes = _map_shapes(module, pixels, stages(module))
    if not shapes:
        return None
    cells = min(shapes[_fine_enough(shapes)][2:])
    finer = [name for name, shape in shapes.items() if min(shape[2:]) > cells]
    return finer[-1] if finer else None


def _fine_enough(shapes: Mapping[str, torch.Size]) -> str:
    """The deepest layer whose map can point at something, or the one with the finest map."""
    fine = [name for name, shape in shapes.items() if min(shape[2:]) >= _MIN_CELLS]
    return fine[-1] if fine else max(shapes, key=lambda name: min(shapes[name][2:]))


def _stand_ins(shapes: Mapping[str, torch.Size], listed: Sequence[str]) -> dict[str, torch.Size]:
    """A layer with one map for each stage, of all layers that have one in execution order."""
    if not set(listed) & set(shapes):
        # Parallel paths tell a part each; only what comes after they are joined tells all.
        return dict(list(shapes.items())[-1:])
    # A stage that has a map itself finishes after all that it holds.
    layers_of_stages = [[n for n in shapes if f"{n}.".startswith(f"{stage}.")] for stage in listed]
    return {names[-1]: shapes[names[-1]] for names in layers_of_stages if names}


def layer_tree(module: nn.Module, pixels: Tensor) -> tuple[LayerNode, ...]:
    """Every layer with a map of at least 2×2: the outermost, in execution order, hold the others.

    A container that is never called itself, such as a list of blocks, is left out; what it
    holds stands in its place.
    """
    open_nodes: list[LayerNode] = []
    for name, shape in _map_shapes(module, pixels).items():
        # Inner layers finish before what holds them, so one pass in that order nests them all.
        inner = [node for node in open_nodes if node.name.startswith(f"{name}.")]
        open_nodes = [node for node in open_nodes if node not in inner]
        open_nodes.append(LayerNode(name, (shape[2], shape[3]), tuple(inner)))
    return tuple(open_nodes)


def _map_shapes(
    module: nn.Module, pixels: Tensor, names: Sequence[str] | None = None
) -> dict[str, torch.Size]:
    return _single(_outputs(module, pixels, names))


def _single(outputs: Mapping[str, _Output]) -> dict[str, torch.Size]:
    return {name: output for name, output in outputs.items() if isinstance(output, torch.Size)}


def _outputs(module: nn.Module, pixels: Tensor, names: Sequence[str] | None) -> dict[str, _Output]:
    """What each layer, or each named one, gives for the first image, in order of first calls."""
    require_eval(module)
    view = private_view(module)
    shapes: dict[str, _Output] = {}

    def shape_of(output: object) -> _Output:
        if isinstance(output, list | tuple):
            return [item.shape for item in output if is_map(item, pixels)] or None
        return output.shape if is_map(output, pixels) else None

    def remember(_module: nn.Module, _inputs: object, output: object, *, name: str) -> None:
        shapes.setdefault(name, shape_of(output))

    layers = dict(network_of(view).named_modules())
    for name in layers if names is None else names:
        if name:
            layers[name].register_forward_hook(partial(remember, name=name))
    with torch.no_grad():
        view(own_pixels(module, pixels[:1]))
    return shapes
