"""Networks so small that their maps can be worked out by hand."""

import pytest
import torch
from torch import nn

from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS

FEW = {"window": 8, "stride": 8, "samples": 6}


@pytest.fixture(scope="session")
def linear_net():
    """(C, 3, H, W) weights to a network with one score per row."""

    def make(weights):
        head = nn.Linear(weights[0].numel(), len(weights), bias=False)
        with torch.no_grad():
            head.weight.copy_(weights.flatten(1))
        return nn.Sequential(nn.Flatten(), head).eval().requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def pooled_net():
    """(channels, 3) and (classes, channels) to 1×1 convolution, ReLU if wanted, mean and scores."""

    def make(convolution, head, *, rectify=False):
        conv, linear = nn.Conv2d(3, len(convolution), 1, bias=False), nn.Linear(*head.T.shape)
        with torch.no_grad():
            conv.weight.copy_(convolution[:, :, None, None])
            linear.weight.copy_(head)
        activation = nn.ReLU(inplace=True) if rectify else nn.Identity()
        parts = (conv, activation, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
        return nn.Sequential(*parts).eval().requires_grad_(False)

    return make


@pytest.fixture
def weights():
    return torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def dual(make_dual):
    """One for all tests, for a map leaves nothing behind; who changes it makes one of its own."""
    return make_dual()


@pytest.fixture
def branch(dual):
    return dual.branch("aux")


@pytest.fixture(scope="session")
def hooks_of():
    """A module to every hook on any of its parts."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

    def find(module):
        parts = module.modules()
        return [hook for part in parts for kind in kinds for hook in getattr(part, kind).values()]

    return find


@pytest.fixture(scope="session")
def quick():
    """`explain` with few random copies and large steps where a method takes such options."""

    def ask(module, pixels, class_index, method, **more):
        options = {name: FEW[name] for name in METHODS[method].options if name in FEW}
        return explain(module, pixels, class_index, method, **{**options, **more})

    return ask
