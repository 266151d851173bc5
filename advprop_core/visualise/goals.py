"""What a visualisation is of: a class, or a channel of a named layer."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attribution.errors import Unfit, UnknownLayer
from advprop_core.attribution.layers import find_layer
from advprop_core.errors import InputError
from advprop_core.models.dual_bn import private_view


@dataclass(frozen=True)
class Channel:
    """A channel of a layer.

    Attributes:
        layer: Dotted name inside the network.
        index: Which of its channels, from 0.
    """

    layer: str
    index: int

    def __str__(self) -> str:
        """``channel 12 of blocks.4``."""
        return f"channel {self.index} of {self.layer}"


Goal = int | Channel
"""What is maximised: a class, by its index, or a channel."""


class ChannelMeans:
    """A model whose (N, C) outputs are the means of a layer's channels over the picture.

    Args:
        module: A branch in eval mode, not folded: a folded layer gives something else.
        layer: Dotted name of a layer that gives a map (N, C, h, w), or one value a channel (N, C).

    Raises:
        UnknownLayer: If there is no such layer.
    """

    def __init__(self, module: nn.Module, layer: str) -> None:
        self._layer = layer
        self._means: Tensor | None = None
        self._view = private_view(module)  # hooks go on it, not on the shared branch
        find_layer(self._view, layer).register_forward_hook(self._remember)

    def __call__(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) pixels to (N, C) means.

        Raises:
            UnknownLayer: If the network has the layer and does not run it.
            Unfit: If what the layer gives has no channels.
        """
        self._means = None
        self._view(pixels)
        if self._means is None:
            raise UnknownLayer(f"the network does not run its layer {self._layer}: name another")
        return self._means

    def _remember(self, _module: nn.Module, _inputs: object, output: object) -> None:
        if self._means is not None:  # of several runs the first counts
            return
        # Tokens (N, T, C) and maps with channels last (N, h, w, C) would give other means.
        shape = output.shape if isinstance(output, Tensor) else torch.Size()
        if not (len(shape) == 2 or (len(shape) == 4 and shape[2] == shape[3])):
            raise Unfit(
                f"layer {self._layer} has no channels: it gives {_named(output)}, and a map "
                "(N, C, h, w) or one value a channel (N, C) is needed. Name another layer"
            )
        assert isinstance(output, Tensor)
        # At once: the network may go on in place.
        self._means = output.float().flatten(2).mean(2) if len(shape) == 4 else output.float()


def require_channel(means: Tensor, channel: Channel) -> None:
    """Refuse, by an InputError, a channel that (N, C) means do not have."""
    count = means.shape[1]
    if not 0 <= channel.index < count:
        raise InputError(
            f"channel must lie in [0, {count - 1}], layer {channel.layer} has {count} channels, "
            f"got {channel.index}"
        )


def _named(output: object) -> str:
    return str(tuple(output.shape)) if isinstance(output, Tensor) else type(output).__name__
