"""What a visualisation is of: a class, or a channel of a named layer."""

from dataclasses import dataclass

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


class ChannelMean:
    """A model whose (N,) outputs are the means of a channel over the picture.

    Args:
        module: A branch in eval mode, not folded: a folded layer gives something else.
        channel: Of a layer that gives a map (N, C, h, w), or one value a channel (N, C).

    Raises:
        UnknownLayer: If there is no such layer.
    """

    def __init__(self, module: nn.Module, channel: Channel) -> None:
        self._channel = channel
        self._means: Tensor | None = None
        self._view = private_view(module)  # hooks go on it, not on the shared branch
        find_layer(self._view, channel.layer).register_forward_hook(self._remember)

    def __call__(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) pixels to (N,) means.

        Raises:
            UnknownLayer: If the network has the layer and does not run it.
            Unfit: If what the layer gives has no channels.
            InputError: If the layer has no such channel.
        """
        layer, index = self._channel.layer, self._channel.index
        self._means = None
        self._view(pixels)
        if self._means is None:
            raise UnknownLayer(f"the network does not run its layer {layer}: name another")
        count = self._means.shape[1]
        if not 0 <= index < count:
            raise InputError(
                f"channel must lie in [0, {count - 1}], layer {layer} has {count} channels, "
                f"got {index}"
            )
        return self._means[:, index]

    def _remember(self, _module: nn.Module, _inputs: object, output: object) -> None:
        if self._means is not None:  # of several runs the first counts
            return
        given = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        # Tokens (N, T, C) and maps with channels last (N, h, w, C) would give other means.
        is_map = isinstance(output, Tensor) and output.ndim == 4 and given[2] == given[3]
        if not isinstance(output, Tensor) or not (output.ndim == 2 or is_map):
            raise Unfit(
                f"layer {self._channel.layer} has no channels: it gives {given}, and a map "
                "(N, C, h, w) or one value a channel (N, C) is needed. Name another layer"
            )
        # At once: the network may go on in place.
        self._means = output.float().flatten(2).mean(2) if is_map else output.float()
