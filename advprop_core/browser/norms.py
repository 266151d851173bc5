"""A branch's norm layers as one vector, so that one graph serves every branch and every blend.

In eval mode a BatchNorm multiplies each channel by a scale and adds a shift. Branches differ in
nothing else, so a branch is the list of its scales and shifts.
"""

import copy
from collections.abc import Callable
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from advprop_core.models.dual_bn import PixelNetwork, norm_layers


class _Affine(nn.Module):
    """A norm layer whose scale and shift are part of a vector; what follows it stays."""

    def __init__(self, norm: _BatchNorm, part: slice, vector: Callable[[], Tensor]) -> None:
        super().__init__()
        self.part, self.vector = part, vector
        self.rest = nn.Sequential(*norm.children())  # a fused layer's dropout and activation

    def forward(self, features: Tensor) -> Tensor:
        scale, shift = self.vector()[:, self.part]
        shape = (1, -1) + (1,) * (features.ndim - 2)
        output: Tensor = self.rest(features * scale.view(shape) + shift.view(shape))
        return output


def norm_vector(branch: PixelNetwork) -> Tensor:
    """(2, C): scales and shifts of all channels of all norm layers, in module order."""
    scales, shifts = [], []
    for norm in norm_layers(branch).values():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gamma, beta = (norm.weight.float(), norm.bias.float()) if norm.affine else (1.0, 0.0)
        scales.append((norm.running_var.float() + norm.eps).rsqrt() * gamma)
        shifts.append(beta - norm.running_mean.float() * scales[-1])
    return torch.stack([torch.cat(scales), torch.cat(shifts)]).detach()


def with_vector(branch: PixelNetwork, vector: Callable[[], Tensor]) -> PixelNetwork:
    """A float32 copy whose norm layers take their scales and shifts from ``vector()``.

    Args:
        branch: In eval mode; it is left as it is.
        vector: Gives what :func:`norm_vector` gives, at the time of a forward pass.
    """
    # Contiguous, as a graph lays its tensors out.
    network = copy.deepcopy(branch).float().to(memory_format=torch.contiguous_format)
    for name, (norm, part) in norm_parts(network).items():
        network.set_submodule(name, _Affine(norm, part, vector).eval())
    return network.requires_grad_(False)


def norm_parts(branch: nn.Module) -> dict[str, tuple[_BatchNorm, slice]]:
    """Name of each norm layer to itself and to its part of a vector of all channels."""
    layers = norm_layers(branch)
    ends = accumulate(norm.num_features for norm in layers.values())
    return {
        name: (norm, slice(end - norm.num_features, end))
        for (name, norm), end in zip(layers.items(), ends, strict=True)
    }
