"""ReLU6 that keeps for its gradient what it gives, and no copy of what it was given."""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.overrides import has_torch_function

_Module = TypeVar("_Module", bound=nn.Module)


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
