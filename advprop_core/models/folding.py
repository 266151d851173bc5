"""BatchNorm folded into the convolution before it: the same outputs, one pass over memory less."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_conv_bn_weights

from advprop_core.models.dual_bn import attack_view
from advprop_core.models.packing import packed, with_lean_activations

_Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def fold(module: nn.Module, example: Tensor) -> nn.Module:
    """A frozen eval-mode copy with each BatchNorm folded into the convolution that feeds it.

    A pair is folded only where the autograd graph of a forward pass shows that the convolution
    is that layer's input and feeds nothing else, so names and definition order do not matter.

    Args:
        module: Any module in eval mode.
        example: An input it accepts, (N, 3, H, W); one small image is enough.

    Returns:
        An independent module with the same outputs up to float rounding, channels-last and
        :func:`~advprop_core.models.packing.packed`. Its weights must not change; those of a deep
        copy may.

    Raises:
        ValueError: If any part is in training mode, where statistics depend on the batch.
    """
    if any(part.training for part in module.modules()):
        raise ValueError("fold needs a module in eval mode: call .eval() on your copy first")
    folded = copy.deepcopy(module)
    for pair in _foldable_pairs(module, example):
        _replace(folded, *pair)
    return packed(with_lean_activations(_settled(folded)))


def moved_by_folding(module: nn.Module, example: Tensor, layers: Iterable[str]) -> set[str]:
    """The layers that give something else after :func:`fold`: their last norm lies outside them.

    Module and example are those of :func:`fold`; layers are dotted names within the module.
    """
    pairs = _foldable_pairs(module, example)
    return {
        layer
        for layer in layers
        for conv, norm in pairs
        if f"{conv}.".startswith(f"{layer}.") and not f"{norm}.".startswith(f"{layer}.")
    }


def folded_attack_view(module: nn.Module, example: Tensor) -> Callable[[], nn.Module]:
    """Like :func:`~advprop_core.models.dual_bn.attack_view`, and folded as :func:`fold` does.

    The module must be where it will be trained, for the view shares its storages.

    Returns:
        A function that folds the weights and statistics of the moment into the view, and hands
        the view out. It is the same module each time.
    """
    view = attack_view(module)
    pairs = [
        (*_modules(view, *names), _replace(view, *names))
        for names in _foldable_pairs(module, example)
    ]
    _settled(view)

    @torch.no_grad()
    def current() -> nn.Module:
        for conv, norm, folded in pairs:
            assert norm.running_mean is not None
            assert norm.running_var is not None
            fused = fuse_conv_bn_weights(
                conv.weight,
                conv.bias,
                norm.running_mean,
                norm.running_var,
                norm.eps,
                norm.weight,
                norm.bias,
            )
            for parameter, value in zip(folded.parameters(), fused, strict=True):
                parameter.copy_(value)
        # Layers that keep what they computed from their weights in eval mode (timm's attention
        # biases) forget it on the way through training mode.
        return view.train().eval()

    return current


def _modules(module: nn.Module, conv_name: str, norm_name: str) -> tuple[_Conv, _BatchNorm]:
    conv, norm = module.get_submodule(conv_name), module.get_submodule(norm_name)
    assert isinstance(conv, _CONVOLUTIONS)
    assert isinstance(norm, _BatchNorm)
    return conv, norm


def _replace(module: nn.Module, conv_name: str, norm_name: str) -> _Conv:
    """One convolution for the pair; what a fused layer does after its norm stays."""
    conv, norm = _modules(module, conv_name, norm_name)
    folded = fuse_conv_bn_eval(conv, norm).to(memory_format=torch.channels_last)
    module.set_submodule(conv_name, folded)
    rest = [child for _, child in norm.named_children()]
    module.set_submodule(norm_name, nn.Sequential(*rest) if rest else nn.Identity())
    return folded


def _settled(module: nn.Module) -> nn.Module:
    """What replaced the norm layers is born in training mode."""
    return module.eval().requires_grad_(False)


def _foldable_pairs(module: nn.Module, example: Tensor) -> list[tuple[str, str]]:
    """(convolution, norm) names where the norm is the convolution's only consumer, once each."""
    module = copy.deepcopy(module).eval().requires_grad_(True)
    with torch.enable_grad():
        output: Tensor = module(example)
    owner = {
        id(p): (name, m) for name, m in module.named_modules() for p in m.parameters(recurse=False)
    }
    consumers: dict[Any, list[Any]] = {}
    owned: dict[Any, tuple[str, nn.Module]] = {}
    uses: dict[str, set[Any]] = {}
    pending: list[Any] = [output.grad_fn] if output.grad_fn else []
    seen = set(pending)
    while pending:
        node = pending.pop()
        for parent, _ in node.next_functions:
            if parent is None:
                continue
            consumers.setdefault(parent, []).append(node)
            if id(variable := getattr(parent, "variable", None)) in owner:
                owned[node] = owner[id(variable)]
                uses.setdefault(owned[node][0], set()).add(node)
            if parent not in seen:
                seen.add(parent)
                pending.append(parent)
    return [
        (owned[source][0], name)
        for node, (name, norm) in owned.items()
        if isinstance(norm, _BatchNorm)
        and norm.running_mean is not None
        and (source := node.next_functions[0][0]) in owned
        and isinstance(owned[source][1], _CONVOLUTIONS)
        and len(consumers[source]) == 1
        and len(uses[name]) == len(uses[owned[source][0]]) == 1
    ]
