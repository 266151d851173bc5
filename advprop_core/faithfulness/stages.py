"""A network's stages from shallow to deep, and random weights for them."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from advprop_core.attribution.layers import network_of

_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)
_NEARLY_ALL = 0.8  # a part that holds this share of the layers is a wrapping, not a stage


def cascade_stages(module: nn.Module) -> tuple[str, ...]:
    """Dotted names of the stages that own weights, in order of definition, shallow to deep.

    They are the network's children; a child that holds nearly all layers is opened, and norm
    layers on their own belong to the stage before them. A network that is one layer is one
    stage, with no name.
    """
    network = network_of(module)
    everything = len(_layers(network))
    heads = _open(network, "", _NEARLY_ALL * everything)
    names: list[str] = []
    for name in heads:
        layers = _layers(network.get_submodule(name))
        if not names or not all(isinstance(layer, _NORMS) for layer in layers.values()):
            names.append(name)
    return tuple(names) or ("",)


def layers_by_stage(module: nn.Module, stages: Sequence[str]) -> dict[str, tuple[nn.Module, ...]]:
    """Stage to the layers whose weights are randomised with it.

    The stages are some of its :func:`cascade_stages`, shallow to deep. A layer outside all of
    them goes with the stage that was named before it, or the first.
    """
    members: dict[str, list[nn.Module]] = {name: [] for name in stages}
    current = stages[0]
    for name, layer in _layers(network_of(module)).items():
        current = next((s for s in stages if not s or f"{name}.".startswith(f"{s}.")), current)
        members[current].append(layer)
    return {name: tuple(layers) for name, layers in members.items()}


def randomise(layers: Sequence[nn.Module], generator: torch.Generator) -> None:
    """Gives layers, in place, weights as before any training, drawn on the CPU.

    Norm layers neither shift nor scale. Other weights are normal with a variance of two over
    the fan-in (He et al., arXiv 1502.01852) and biases zero; further vectors, such as the
    scales of residual branches, keep their values in random order.
    """
    with torch.no_grad():
        for layer in layers:
            for name, tensor in _own_tensors(layer):
                if isinstance(layer, _NORMS):
                    tensor.fill_(1 if name in ("weight", "running_var") else 0)
                elif tensor.is_floating_point():
                    tensor.copy_(_draw(name, tensor, generator))


def _draw(name: str, tensor: Tensor, generator: torch.Generator) -> Tensor:
    if name == "bias":
        return torch.zeros_like(tensor)
    if tensor.ndim < 2:
        order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
        return tensor.flatten()[order].view_as(tensor)
    spread = math.sqrt(2 / tensor[0].numel())
    if tensor.shape[0] == 1:  # a position embedding or a token has no fan-in
        spread = float(tensor.float().std(correction=0))
    return spread * torch.randn(tensor.shape, generator=generator)


def _open(module: nn.Module, prefix: str, nearly_all: float) -> Iterator[str]:
    for name, child in module.named_children():
        inside = _layers(child)
        if len(inside) > nearly_all and any(inside):  # a name that is not "" is a child's
            yield from _open(child, f"{prefix}{name}.", nearly_all)
        elif inside:
            yield f"{prefix}{name}"


def _layers(module: nn.Module) -> dict[str, nn.Module]:
    """Dotted name to each module that owns tensors itself, in order of definition."""
    return {
        name: layer
        for name, layer in module.named_modules()
        if any(tensor.numel() for _, tensor in _own_tensors(layer))
    }


def _own_tensors(layer: nn.Module) -> list[tuple[str, Tensor]]:
    tensors: list[tuple[str, Tensor]] = [*layer.named_parameters(recurse=False)]
    return [*tensors, *layer.named_buffers(recurse=False)] if isinstance(layer, _NORMS) else tensors
