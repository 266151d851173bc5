"""What single channels see: the maps that go into a norm layer and come out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from advprop_core.anatomy.layers import require_name
from advprop_core.models.dual_bn import PixelNetwork, norm_layers, private_view
from advprop_core.predict import require_eval
from advprop_core.types import freeze


@dataclass(frozen=True, eq=False)
class Excitement:
    """Channels of one norm layer on one image.

    Attributes:
        layer: Dotted name inside the network.
        channels: The K channels, as asked for.
        inputs: (K, H, W) float32, what the layer is given.
        outputs: (K, H, W) float32, what normalisation, scale and shift make of it; before the
            activation, also in a layer that has one built in.
    """

    layer: str
    channels: tuple[int, ...]
    inputs: Tensor
    outputs: Tensor


def excitement(
    module: nn.Module,
    pixels: Tensor,
    layer: str,
    channels: Sequence[int],
    *,
    upsample: bool = False,
) -> Excitement:
    """The maps of some channels at a norm layer, through one branch.

    Branches differ in all layers above, so two of them already give this one different inputs.

    Args:
        module: A branch, or a :func:`~advprop_core.anatomy.mixing.blend` of two, in eval mode;
            hooks go on a private view.
        pixels: (1, 3, H, W) in [0, 1].
        layer: Dotted name of a norm layer; of its runs the first is shown.
        channels: Which channels, for instance those of
            :func:`~advprop_core.anatomy.distance.top_channels`.
        upsample: Bring the maps to the size of the image, bilinear; otherwise they keep the
            layer's.

    Raises:
        ValueError: For a module in training mode, more than one image, a layer that is none or
            gives no maps, or a channel it does not have.
    """
    require_eval(module)
    if len(pixels) != 1:
        raise ValueError(f"pixels must hold one image, got {len(pixels)}")
    view = private_view(module)
    layers = norm_layers(view.network if isinstance(view, PixelNetwork) else view)
    require_name(layer, layers, "norm layer")
    wanted = _require_channels(channels, layers[layer].num_features)
    given = _input_of(view, layers[layer], pixels)
    if given is None or given.ndim != 4:
        raise ValueError(
            f"norm layer {layer!r} gives no maps for this image: "
            + ("it never runs" if given is None else f"its input has shape {tuple(given.shape)}")
        )
    maps = torch.stack([given, _normalized(layers[layer], given)])[:, 0, wanted]
    if upsample:
        maps = F.interpolate(maps, pixels.shape[2:], mode="bilinear", align_corners=False)
    inputs, outputs = maps
    return Excitement(layer, wanted, freeze(inputs), freeze(outputs))


def _require_channels(channels: Sequence[int], count: int) -> tuple[int, ...]:
    wanted = tuple(int(channel) for channel in channels)
    if not wanted or not (min(wanted) >= 0 and max(wanted) < count):
        raise ValueError(f"channels must be some of 0 to {count - 1}, got {list(wanted)}")
    return wanted


def _input_of(view: nn.Module, layer: nn.Module, pixels: Tensor) -> Tensor | None:
    given: list[Tensor] = []

    def remember(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if not given:
            given.append(inputs[0].clone())  # the network may go on in place

    handle = layer.register_forward_pre_hook(remember)
    with torch.no_grad():
        view(pixels)
    handle.remove()  # the view is this call's own, so there is nobody to protect from an error
    return given[0] if given else None


def _normalized(layer: _BatchNorm, given: Tensor) -> Tensor:
    with torch.no_grad():
        return F.batch_norm(
            given,
            layer.running_mean,
            layer.running_var,
            layer.weight,
            layer.bias,
            training=layer.running_mean is None,
            eps=layer.eps,
        )
