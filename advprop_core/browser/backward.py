"""Backward passes of layers, written in operators that ONNX has.

PyTorch's own decompositions of these end in ``prims`` operators, which do not export. Each function
here stands for one ``aten`` operator, takes its arguments, and gives what it gives.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from advprop_core.browser.errors import NotExportable

_aten = torch.ops.aten


class _Window(NamedTuple):
    """How the kernel of a convolution moves over its input, and in how many groups."""

    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    groups: int


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
    window = _Window(stride, padding, dilation, groups)
    return (
        _convolution_at_input(gradient, given, weight, window) if mask[0] else None,
        _convolution_at_weight(gradient, given, weight, window) if mask[1] else None,
        None,
    )


def _convolution_at_input(
    gradient: Tensor, layer_input: Tensor, weight: Tensor, window: _Window
) -> Tensor:
    stride, padding, dilation, groups = window
    back: Tensor
    if any(step != 1 for step in stride):
        rest = [
            layer_input.shape[2 + i]
            - ((gradient.shape[2 + i] - 1) * stride[i] - 2 * padding[i])
            - (dilation[i] * (weight.shape[2 + i] - 1) + 1)
            for i in range(2)
        ]
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
    around = [
        dilation[0] * (height - 1) - padding[0],
        dilation[1] * (width - 1) - padding[1],
    ]
    back = _aten.convolution(
        gradient, flipped, None, [1, 1], around, dilation, False, [0, 0], groups
    )
    return back


def _convolution_at_weight(
    gradient: Tensor, layer_input: Tensor, weight: Tensor, window: _Window
) -> Tensor:
    """A correlation of inputs with what is handed back, the batch in the place of channels."""
    if window.groups != 1:
        raise NotExportable("it trains a convolution in groups")
    height, width = weight.shape[2:]
    back: Tensor = _aten.convolution(
        layer_input.transpose(0, 1),
        gradient.transpose(0, 1),
        None,
        window.dilation,
        window.padding,
        window.stride,
        False,
        [0, 0],
        1,
    )
    return back[:, :, :height, :width].transpose(0, 1)


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


def _sigmoid(gradient: Tensor, output: Tensor) -> Tensor:
    return gradient * output * (1 - output)


def _silu(gradient: Tensor, given: Tensor) -> Tensor:
    gate = torch.sigmoid(given)
    return gradient * gate * (1 + given * (1 - gate))


def _hardsigmoid(gradient: Tensor, given: Tensor) -> Tensor:
    return gradient * ((given > -3) & (given < 3)).to(gradient.dtype) / 6


def _hardswish(gradient: Tensor, given: Tensor) -> Tensor:
    middle = ((given >= -3) & (given <= 3)).to(gradient.dtype)
    above = (given > 3).to(gradient.dtype)
    return gradient * (above + middle * (given / 3 + 0.5))


def _max_pool(
    gradient: Tensor,
    given: Tensor,
    _kernel: Sequence[int],
    _stride: Sequence[int],
    _padding: Sequence[int],
    _dilation: Sequence[int],
    _ceil: bool,
    indices: Tensor,
) -> Tensor:
    flat = torch.zeros_like(given).flatten(2)
    return flat.scatter_add(2, indices.flatten(2), gradient.flatten(2)).reshape(given.shape)


def _average_pool(
    gradient: Tensor,
    given: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    _ceil: bool,
    padding_counts: bool,
    divisor: int | None,
) -> Tensor:
    """A transposed convolution with ones, channel by channel, of what each cell hands back."""
    stride = stride or kernel
    height, width = given.shape[2:]
    counts = [
        _cells_in_window(
            gradient.shape[2 + i], given.shape[2 + i], kernel[i], stride[i], padding[i]
        )
        for i in range(2)
    ]
    rows, columns = (
        inside_or_padded if padding_counts else inside for inside, inside_or_padded in counts
    )
    shared = torch.outer(rows, columns) if divisor is None else torch.tensor(float(divisor))
    rest = [
        given.shape[2 + i] - ((gradient.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + kernel[i])
        for i in range(2)
    ]
    back: Tensor = _aten.convolution(
        gradient / shared,
        torch.ones(given.shape[1], 1, *kernel),
        None,
        stride,
        padding,
        [1, 1],
        True,
        [max(0, cells) for cells in rest],
        given.shape[1],
    )
    return back[:, :, :height, :width]  # with ceil_mode, the last windows reach beyond


def _cells_in_window(
    outputs: int, inputs: int, kernel: int, stride: int, padding: int
) -> tuple[Tensor, Tensor]:
    """How many cells each window covers along one side: of the input, and with its padding."""
    starts = torch.arange(outputs) * stride - padding
    ends = (starts + kernel).clamp_max(inputs + padding)
    inside = ends.clamp_max(inputs) - starts.clamp_min(0)
    return inside.float(), (ends - starts).float()


BACKWARD: Mapping[Any, Callable[..., Any]] = MappingProxyType(
    {
        _aten.convolution_backward.default: _convolution,
        _aten.native_batch_norm.default: _batch_norm,
        _aten.native_batch_norm_backward.default: _batch_norm_backward,
        _aten.threshold_backward.default: _threshold,
        _aten.hardtanh_backward.default: _hardtanh,
        _aten.sigmoid_backward.default: _sigmoid,
        _aten.silu_backward.default: _silu,
        _aten.hardsigmoid_backward.default: _hardsigmoid,
        _aten.hardswish_backward.default: _hardswish,
        _aten.max_pool2d_with_indices_backward.default: _max_pool,
        _aten.avg_pool2d_backward.default: _average_pool,
    }
)
"""``aten`` operator to the function that stands for it, as ``make_fx`` takes them."""
