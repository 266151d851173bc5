"""A linear network, whose margins are known, and a frozen branch with its own answers."""

import pytest
import torch
from torch import nn


class Linear(nn.Module):
    """Four logits that are linear in the pixels."""

    def __init__(self, side=6, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = torch.randn(4, 3 * side * side, generator=generator) / 4

    def forward(self, pixels):
        return (pixels - 0.5).flatten(1) @ self.weight.T


@pytest.fixture
def linear():
    return Linear().eval()


@pytest.fixture
def grey():
    """(N) to nearly grey images, far from the edges of [0, 1]."""

    def make(count=6, side=6):
        noise = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))
        return 0.5 + 0.1 * (noise - 0.5)

    return make


@pytest.fixture
def branch(dual):
    return dual.branch("aux")


@pytest.fixture
def answered():
    """(network, pixels) to the labels that the network gives, so that nothing is wrong before."""

    def ask(network, pixels):
        with torch.no_grad():
            return network(pixels).argmax(1)

    return ask
