"""Layers that take less time or memory than torch's and timm's, and give the same.

Convolutions are prepared for what is asked of a folded branch: one thread and few images. For 1×1
convolutions torch multiplies matrices with MKL there, which on AMD's processors takes twice as long
as oneDNN. To pad as TensorFlow does, timm copies what the layer is given.
"""

import copy
from typing import Any, TypeVar

import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.overrides import has_torch_function

_Module = TypeVar("_Module", bound=nn.Module)
_FEW = 2_000_000  # products, which take less time than calling oneDNN from Python
_PADDING, _STRIDE, _DILATION, _GROUPS = (0, 0), (1, 1), (1, 1), 1


def packed(module: nn.Module) -> nn.Module:
    """The module, with ordinary 1×1 and padded depthwise convolutions replaced.

    Args:
        module: A frozen one of its caller's own, whose weights do not change any more. It is
            changed in place.

    Returns:
        The same module: the same outputs and gradients up to float rounding. Of a deep copy, each
        convolution is as it was, for its weight is its own and may change.
    """
    for name, part in list(module.named_modules()):
        if not isinstance(part, nn.Conv2d) or part.weight.requires_grad:
            continue
        if type(part) is nn.Conv2d and _is_pointwise(part):
            module.set_submodule(name, PackedConv2d(part))
        elif type(part) is Conv2dSame and _is_depthwise(part):
            module.set_submodule(name, WideConv2d(part))
    return module


def _is_pointwise(conv: nn.Conv2d) -> bool:
    return (
        torch.backends.mkldnn.is_available()
        and (conv.kernel_size, conv.stride, conv.groups) == ((1, 1), _STRIDE, _GROUPS)
        and conv.padding == _PADDING
        and conv.weight.dtype == torch.float32
        and conv.weight.device.type == "cpu"
    )


def _is_depthwise(conv: nn.Conv2d) -> bool:
    """Whether a larger kernel costs less than padding: each channel has a kernel of its own."""
    return (
        conv.groups == conv.in_channels
        and conv.stride == (2, 2)
        and conv.dilation == _DILATION
        and all(side % 2 for side in conv.kernel_size)
    )


class _Prepared(nn.Conv2d):
    """A frozen convolution that stands for another one and shares its weight."""

    _ordinary: type[nn.Conv2d]

    def __init__(self, conv: nn.Conv2d) -> None:
        vars(self).update(vars(conv))

    def _takes(self, features: Tensor, weight: Tensor) -> bool:
        """Whether the prepared weight fits; LRP's rules step in where torch's functions run."""
        return (
            features.dtype == weight.dtype
            and features.device == weight.device
            and not has_torch_function((features,))
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.Conv2d:
        memo[id(self)] = conv = self._ordinary.__new__(self._ordinary)
        state = {name: value for name, value in vars(self).items() if name != "_weights"}
        vars(conv).update(copy.deepcopy(state, memo))
        return conv


class PackedConv2d(_Prepared):
    """A 1×1 convolution whose weight is held in oneDNN's layout, too."""

    _ordinary = nn.Conv2d

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv)
        weight = conv.weight.detach()
        self._weights = _pack(weight), _pack(weight.transpose(0, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) to (N, K, h, w), channels-last."""
        if features.numel() * self.out_channels < _FEW or not self._takes(
            features, self._weights[0]
        ):
            return super().forward(features)
        output: Tensor = _Pointwise.apply(features, self._weights, self.bias)
        return output


class WideConv2d(_Prepared, Conv2dSame):
    """A depthwise convolution of stride 2 that needs no padded copy of what it is given.

    TensorFlow pads a side of even length by one more at its end than at its beginning. A kernel
    that begins with a line of zeros gives the same with equal padding, which costs nothing.
    """

    _ordinary = Conv2dSame

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv)
        self._weights = conv.weight.detach(), F.pad(conv.weight.detach(), (1, 0, 1, 0))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to (N, K, ⌈h/2⌉, ⌈w/2⌉)."""
        height, width = x.shape[2:]
        weight = self._weights[height % 2 == 0]
        if height % 2 != width % 2 or not self._takes(x, weight):
            output: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
            return output
        padding = [side // 2 for side in self.kernel_size]
        return F.conv2d(x, weight, self.bias, self.stride, padding, groups=self.groups)


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


class LeanReLU6(nn.ReLU6):
    """An in-place ReLU6: the same output and gradient, one tensor less in memory.

    For the gradient, torch's own keeps a copy of what it overwrites. What it gives says as much,
    and the next layer keeps that anyway.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same shape; the input is overwritten where ``inplace`` is set."""
        # LRP's rules step in where torch's own functions are called.
        if not self.inplace or not input.requires_grad or has_torch_function((input,)):
            return super().forward(input)
        output: Tensor = _Clamped.apply(input)
        return output


class _Clamped(Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.mark_dirty(features)
        ctx.save_for_backward(features.clamp_(0, 6))
        return features

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        result: Tensor = torch.ops.aten.hardtanh_backward(gradient, output, 0, 6)
        return result


def with_lean_activations(module: _Module) -> _Module:
    """The module, changed in place: each in-place ReLU6 becomes a :class:`LeanReLU6`."""
    for name, part in list(module.named_modules(remove_duplicate=False)):
        if type(part) is nn.ReLU6 and part.inplace and name:
            module.set_submodule(name, LeanReLU6(inplace=True).train(part.training))
    return module
