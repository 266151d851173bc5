"""Backward passes of layers, written in operators that ONNX has.

Each function here stands for one ``aten`` operator, takes its arguments, and gives what it gives.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._decomp import get_decompositions
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing

from advprop_core.browser.errors import NotExportable

_aten = torch.ops.aten


def _convolution(
    gradient: Tensor,
    given: Tensor,
    weight: Tensor,
    _bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    _output_padding: Sequence[int],
    groups: int,
    mask: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, None]:
    """The gradients at the input and at the weight, where asked; a bias is asked of no network."""
    if transposed:
        raise NotExportable("it has a transposed convolution")
    at_input = at_weight = None
    if mask[0]:
        at_input = _at_input(gradient, given, weight, stride, padding, dilation, groups)
    if mask[1]:
        if groups != 1:
            raise NotExportable("it trains a convolution in groups")
        # A correlation of inputs with what is handed back, the batch in the place of channels:
        # what was the stride is now the dilation, and the other way round.
        sides = given.transpose(0, 1), gradient.transpose(0, 1)
        height, width = weight.shape[2:]
        correlation = _aten.convolution(*sides, None, dilation, padding, stride, False, [0, 0], 1)
        at_weight = correlation[:, :, :height, :width].transpose(0, 1)
    return at_input, at_weight, None


def _at_input(
    gradient: Tensor,
    given: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    """The gradient of a convolution at its input, or a little more at the bottom and right.

    Pooling with ``ceil_mode`` has last windows that reach beyond the input.
    """
    back: Tensor
    around = [dilation[i] * (weight.shape[2 + i] - 1) - padding[i] for i in range(2)]
    if any(step != 1 for step in stride):
        rest = [
            given.shape[2 + i]
            - (gradient.shape[2 + i] - 1) * stride[i]
            + padding[i]
            - around[i]
            - 1
            for i in range(2)
        ]
        rest = [max(0, cells) for cells in rest]
        back = _aten.convolution(
            gradient, weight, None, stride, padding, dilation, True, rest, groups
        )
        return back
    # With a stride of 1 it is a correlation with the flipped weights: faster than a transposed one.
    outputs, inputs, height, width = weight.shape
    flipped = (
        weight.reshape(groups, outputs // groups, inputs, height, width)
        .transpose(1, 2)
        .flip(3, 4)
        .reshape(groups * inputs, outputs // groups, height, width)
    )
    back = _aten.convolution(
        gradient, flipped, None, [1, 1], around, dilation, False, [0, 0], groups
    )
    return back


def _batch_norm(
    given: Tensor,
    scale: Tensor,
    shift: Tensor,
    _running_mean: Tensor | None,
    _running_variance: Tensor | None,
    training: bool,
    _momentum: float,
    epsilon: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """With the statistics of the batch: the output, their mean, and 1 / their deviation."""
    assert training  # in eval mode it is a scale and a shift: see norms.py
    mean = given.mean((0, 2, 3))
    centred = given - _channels(mean)
    inverse = ((centred * centred).mean((0, 2, 3)) + epsilon).rsqrt()
    factor = inverse * scale
    return given * _channels(factor) + _channels(shift - mean * factor), mean, inverse


def _batch_norm_backward(
    gradient: Tensor,
    given: Tensor,
    scale: Tensor,
    _running_mean: Tensor | None,
    _running_variance: Tensor | None,
    mean: Tensor,
    inverse: Tensor,
    _training: bool,
    _epsilon: float,
    _mask: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """At the input, the scale and the shift.

    The gradient at the input is linear in the output's gradient and in the input, channel by
    channel: two products of whole batches, where the textbook's formula has five.
    """
    count = given.numel() // given.shape[1]
    at_shift = gradient.sum((0, 2, 3))
    at_scale = ((gradient * given).sum((0, 2, 3)) - mean * at_shift) * inverse
    slope = scale * inverse
    bend = -slope * inverse * at_scale / count
    rest = -slope * at_shift / count - bend * mean
    at_input = gradient * _channels(slope) + given * _channels(bend) + _channels(rest)
    return at_input, at_scale, at_shift


def _channels(values: Tensor) -> Tensor:
    """(C,) to (1, C, 1, 1)."""
    return values.view(1, -1, 1, 1)


def _threshold(gradient: Tensor, given: Tensor, threshold: float) -> Tensor:
    return gradient * (given > threshold).to(gradient.dtype)


def _hardtanh(gradient: Tensor, given: Tensor, low: float, high: float) -> Tensor:
    return gradient * ((given > low) & (given < high)).to(gradient.dtype)


def _average_pool(
    gradient: Tensor,
    given: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil: bool,
    padding_counts: bool,
    divisor: int | None,
) -> Tensor:
    """A transposed convolution with ones, channel by channel, of what each cell hands back.

    A window shares its gradient among the cells of the input inside it; what it counts besides,
    such as padding, is seen in the pool of an input of ones.
    """
    stride = stride or kernel
    height, width = given.shape[2:]
    with disable_proxy_modes_tracing():  # it is a constant of the graph
        cells = torch.ones(1, 1, height, width)
        inside, weighed = (
            _aten.avg_pool2d(cells, kernel, stride, padding, ceil, padding_counts, by)
            for by in (1, divisor)
        )
        shared = weighed / inside
        ones = torch.ones(given.shape[1], 1, *kernel)
    back = _at_input(gradient * shared, given, ones, stride, padding, [1, 1], given.shape[1])
    return back[:, :, :height, :width]  # with ceil_mode, the last windows reach beyond


BACKWARD: dict[Any, Callable[..., Any]] = {
    **get_decompositions(
        [
            _aten.sigmoid_backward,
            _aten.silu_backward,
            _aten.hardsigmoid_backward,
            _aten.hardswish_backward,
            _aten.max_pool2d_with_indices_backward,
        ]
    ),
    # PyTorch has none of its own for these two.
    _aten.convolution_backward.default: _convolution,
    _aten.avg_pool2d_backward.default: _average_pool,
    # PyTorch's own take up to three times as long in a browser's runtime.
    _aten.native_batch_norm.default: _batch_norm,
    _aten.native_batch_norm_backward.default: _batch_norm_backward,
    _aten.threshold_backward.default: _threshold,
    _aten.hardtanh_backward.default: _hardtanh,
}
"""``aten`` operator to the function that stands for it, as ``make_fx`` takes them."""
