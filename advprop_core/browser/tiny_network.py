"""The tiny network that a page trains, and its tensors as flat vectors.

A graph takes and gives each kind of tensor as one vector, so that a page need not know the layers.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from advprop_core.models.dual_bn import MAIN, DualBNModel, norm_layers

SIZE = 32
"""Side of its pictures in pixels."""
_WIDTHS = (3, 16, 32, 64)
_SEED = 0
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
"""That it subtracts and divides by, per channel."""


def tiny_model(classes: int, auxiliaries: int) -> DualBNModel:
    """Three strided convolutions, each with BatchNorm and ReLU, and a linear layer.

    Its weights are the same each time.
    """
    classifier = nn.Linear(_WIDTHS[-1], classes)
    layers: dict[str, nn.Module] = {
        f"stage{index}": _stage(*widths) for index, widths in enumerate(pairwise(_WIDTHS), 1)
    }
    layers |= {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "classifier": classifier}
    network = nn.Sequential(OrderedDict(layers))
    draw = torch.Generator().manual_seed(_SEED)
    for weight in network.parameters():
        if weight.ndim > 1:
            nn.init.kaiming_uniform_(weight, generator=draw)
    nn.init.zeros_(classifier.bias)
    return DualBNModel(network, MEAN, STD, auxiliaries)


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(outputs), activation=nn.ReLU()))


def shared_weights(model: DualBNModel) -> dict[str, Tensor]:
    """Dotted name in a branch to parameter, of all that branches share, in module order."""
    main = model.branch(MAIN)
    norms = tuple(f"{name}." for name in norm_layers(main))
    return {name: weight for name, weight in main.named_parameters() if not name.startswith(norms)}


def flat_weights(model: DualBNModel) -> Tensor:
    """(W,): the weights that branches share, one after the other."""
    return torch.cat([weight.detach().flatten() for weight in shared_weights(model).values()])


def flat_norms(model: DualBNModel) -> Tensor:
    """(branches, 4, C): γ, β, running mean and running variance of all channels of all layers."""
    layers = [norm_layers(branch).values() for branch in model.branches.values()]
    tensors = ("weight", "bias", "running_mean", "running_var")
    rows = [
        [torch.cat([getattr(norm, name).detach() for norm in norms]) for name in tensors]
        for norms in layers
    ]
    return torch.stack([torch.stack(row) for row in rows])


def split_weights(flat: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name to tensor: the parts of a flat vector, in the shapes of others."""
    parts = flat.split([weight.numel() for weight in like.values()])
    return {
        name: part.view(weight.shape)
        for (name, weight), part in zip(like.items(), parts, strict=True)
    }


def start_deviations(model: DualBNModel) -> list[dict[str, float]]:
    """The number of entries and the standard deviation of each shared weight when training starts.

    Normal numbers with the variance 2 / fan-in (He et al., arXiv 1502.01852); biases start at 0.
    """
    return [
        {
            "entries": weight.numel(),
            "deviation": math.sqrt(2 / weight[0].numel()) if weight.ndim > 1 else 0.0,
        }
        for weight in shared_weights(model).values()
    ]
