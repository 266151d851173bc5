"""What single channels see: the maps that come out of a norm layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.anatomy.layers import require_name
from advprop_core.attribution.layers import network_of
from advprop_core.models.dual_bn import norm_layers, private_view
from advprop_core.predict import require_eval
from advprop_core.types import freeze


@dataclass(frozen=True, eq=False)
class Excitement:
    """Channels of one norm layer on one image.

    Attributes:
        layer: Dotted name inside the network.
        channels: The K channels, as asked for.
        outputs: (K, H, W) float32 in the size of the image: what normalisation, scale and shift
            give; before the activation, also in a layer that has one built in.
    """

    layer: str
    channels: tuple[int, ...]
    outputs: Tensor


@torch.no_grad()
def excitement(
    module: nn.Module, pixels: Tensor, layer: str, channels: Sequence[int]
) -> Excitement:
    """The maps of some channels at a norm layer, through one branch.

    Branches differ in all layers above, so two of them already give this one different inputs.

    Args:
        module: A branch, or a :func:`~advprop_core.anatomy.mixing.blend` of two, in eval mode.
        pixels: (1, 3, H, W) in [0, 1].
        layer: Dotted name of a norm layer; of its runs the first is shown.
        channels: Such as :meth:`~advprop_core.anatomy.distance.LayerDistance.top_channels`.

    Raises:
        InputError: For a layer that is no norm layer.
        ValueError: For a module in training mode, or a layer that gives no maps.
    """
    require_eval(module)
    view = private_view(module)  # hooks go on it, not on the shared branch
    layers = norm_layers(network_of(view))
    require_name(layer, layers, "norm layer")
    inputs: list[Tensor] = []
    # Cloned, because the network may go on in place.
    layers[layer].register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone()))
    view(pixels)
    if not inputs or inputs[0].ndim != 4:
        raise ValueError(
            f"norm layer {layer!r} gives no maps for this image: "
            + (f"its input has shape {tuple(inputs[0].shape)}" if inputs else "it never runs")
        )
    norm = layers[layer]
    # Not the layer itself, which may have an activation built in.
    maps = F.batch_norm(
        inputs[0],
        norm.running_mean,
        norm.running_var,
        norm.weight,
        norm.bias,
        training=norm.running_mean is None,
        eps=norm.eps,
    )[:, list(channels)]
    maps = F.interpolate(maps, pixels.shape[2:], mode="bilinear", align_corners=False)
    return Excitement(layer, tuple(channels), freeze(maps[0]))
