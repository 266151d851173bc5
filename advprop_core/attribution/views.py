"""Private copies of a network: for hooks, and for methods that change the backward pass."""

import copy
from collections import Counter
from collections.abc import Collection
from itertools import cycle
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.models.dual_bn import private_view

_KINDS = {"torch.nn.modules.activation", "torch.nn.modules.pooling"}


class _PerCall(nn.Module):
    """Stands for a module without weights: another copy of it for each call of a forward pass.

    Each copy receives a tensor of its own. Rules of the backward pass are hooks on a module and
    on its input, so they go wrong where a module is called twice or shares its input with a
    shortcut.
    """

    def __init__(self, part: nn.Module, calls: int) -> None:
        super().__init__()
        self.copies = nn.ModuleList(private_view(part) for _ in range(calls))
        self._turn = cycle(self.copies)

    def forward(self, features: Tensor) -> Tensor:
        output: Tensor = next(self._turn)(features.clone())
        return output


class _MaximumByPairs(nn.Module):
    """A max pooling as a chain of max(a, b) = a + ReLU(b − a), one ReLU module each.

    captum's rule for poolings loses part of what it hands back where windows overlap, and lets
    the first image of a batch decide for the others.
    """

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        self.kernel, self.stride = _pair(pool.kernel_size), _pair(pool.stride)
        self.padding = _pair(pool.padding)
        self.steps = nn.ModuleList(nn.ReLU() for _ in range(self.kernel[0] * self.kernel[1] - 1))

    def forward(self, features: Tensor) -> Tensor:
        (up, left), lowest = self.padding, float(features.detach().amin())
        padded = F.pad(features, (left, left, up, up), value=lowest)
        windows = padded.unfold(2, self.kernel[0], self.stride[0])
        first, *others = windows.unfold(3, self.kernel[1], self.stride[1]).flatten(4).unbind(4)
        for step, other in zip(self.steps, others, strict=True):
            first = first + step(other - first)
        return first


def view_for_hooks(module: nn.Module, layers: Collection[nn.Module]) -> nn.Module:
    """A view that owns the layers, for hooks on them, and what they lie in; the rest is shared.

    To copy every layer of a network, as
    :func:`~advprop_core.models.dual_bn.private_view` does, takes as long as a forward pass.
    """
    return _views_for_hooks(module, set(layers), {})[module]


def _views_for_hooks(
    module: nn.Module, layers: set[nn.Module], views: dict[nn.Module, nn.Module]
) -> dict[nn.Module, nn.Module]:
    """Module to its view, added to what is there: a module in several places has one view."""
    if module not in views:
        for child in module.children():
            _views_for_hooks(child, layers, views)
        if module in layers or any(views[child] is not child for child in module.children()):
            views[module] = view = copy.copy(module)
            for name, value in vars(module).items():
                if isinstance(value, dict):  # hooks, tensors and children by name
                    vars(view)[name] = copy.copy(value)
            for name, part in module._modules.items():  # a child under each of its names
                if part is not None:
                    view._modules[name] = views[part]
        else:
            views[module] = module
    return views


def rewired(module: nn.Module, pixels: Tensor, *, split_poolings: bool = False) -> nn.Module:
    """A view whose activations and poolings write into nothing and are called once each.

    With ``split_poolings``, max poolings become chains of ReLUs. Of the pixels the first image is
    run.
    """
    view = private_view(module)
    calls = _calls(view, pixels)
    wrapped: dict[nn.Module, _PerCall] = {}
    for name, layer in list(view.named_modules(remove_duplicate=False)):
        if getattr(layer, "inplace", None) is True:
            layer.inplace = False
        if type(layer).__module__ in _KINDS and calls[layer] and name:
            if layer not in wrapped:
                plain = _MaximumByPairs(layer) if split_poolings and _splits(layer) else layer
                wrapped[layer] = _PerCall(plain, calls[layer])
            view.set_submodule(name, wrapped[layer])
    return view.eval()  # what is new was born in training mode


def _splits(layer: nn.Module) -> TypeGuard[nn.MaxPool2d]:
    return (
        isinstance(layer, nn.MaxPool2d) and _pair(layer.dilation) == (1, 1) and not layer.ceil_mode
    )


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _calls(view: nn.Module, pixels: Tensor) -> Counter[nn.Module]:
    """How often each module is called in a forward pass."""
    counted: Counter[nn.Module] = Counter()

    def count(layer: nn.Module, *_: object) -> None:
        counted[layer] += 1

    handles = [layer.register_forward_hook(count) for layer in view.modules()]
    with torch.no_grad():
        view(pixels[:1].clone())
    for handle in handles:  # the view is this call's own: an error leaves nothing on others
        handle.remove()
    return counted
