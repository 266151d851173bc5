"""1×1 convolutions with weights in oneDNN's own layout, for one thread and few images.

There torch multiplies matrices with MKL, which on AMD's processors takes twice as long.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.overrides import has_torch_function

_PADDING, _STRIDE, _DILATION, _GROUPS = (0, 0), (1, 1), (1, 1), 1


def packed(module: nn.Module) -> nn.Module:
    """The module, with each ordinary 1×1 convolution replaced by a :class:`PackedConv2d`.

    Args:
        module: A frozen one of its caller's own, whose weights do not change any more. It is
            changed in place.

    Returns:
        The same module: the same outputs and gradients up to float rounding. It is as it was
        where weights are no float32 on a CPU, or torch comes without oneDNN.
    """
    if torch.backends.mkldnn.is_available():
        for name, part in list(module.named_modules()):
            if type(part) is nn.Conv2d and _is_pointwise(part):
                module.set_submodule(name, PackedConv2d(part))
    return module


def _is_pointwise(conv: nn.Conv2d) -> bool:
    return (
        (conv.kernel_size, conv.stride, conv.groups) == ((1, 1), _STRIDE, _GROUPS)
        and conv.padding == _PADDING
        and conv.weight.dtype == torch.float32
        and conv.weight.device.type == "cpu"
        and not conv.weight.requires_grad
    )


class PackedConv2d(nn.Conv2d):
    """A frozen 1×1 convolution whose weight is held in oneDNN's layout, too.

    A deep copy is an ordinary convolution, for its weight is its own and may change.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv.in_channels, conv.out_channels, 1, device="meta")  # draws nothing
        self.weight, self.bias = conv.weight, conv.bias
        self.eval()
        weight = conv.weight.detach()
        self._packed = _pack(weight), _pack(weight.transpose(0, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) to (N, K, h, w), channels-last."""
        is_plain = features.dtype == torch.float32 and features.device.type == "cpu"
        # LRP's rules step in where torch's own functions are called.
        if not is_plain or has_torch_function((features,)):
            return super().forward(features)
        output: Tensor = _Pointwise.apply(features, self._packed, self.bias)
        return output

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.Conv2d:
        memo[id(self)] = conv = nn.Conv2d.__new__(nn.Conv2d)
        state = {name: value for name, value in vars(self).items() if name != "_packed"}
        vars(conv).update(copy.deepcopy(state, memo))
        return conv


class _Pointwise(Function):
    """The convolution, and its gradient for what it is given: one with the weight transposed."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weights: tuple[Tensor, Tensor], bias: Tensor | None
    ) -> Tensor:
        forwards, ctx.backwards = weights
        return _convolve(features, forwards, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _convolve(gradient, ctx.backwards, None), None, None


def _pack(weight: Tensor) -> Tensor:
    weight = weight.contiguous().to_mkldnn()
    return torch._C._nn.mkldnn_reorder_conv2d_weight(
        weight, list(_PADDING), list(_STRIDE), list(_DILATION), _GROUPS
    )


def _convolve(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    features = features.contiguous(memory_format=torch.channels_last)
    output: Tensor = torch.ops.mkldnn._convolution_pointwise(
        features, weight, bias, _PADDING, _STRIDE, _DILATION, _GROUPS, "none", [], ""
    )
    return output
