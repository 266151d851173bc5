"""A network whose answer is a sum, and scenes drawn by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from advprop_core.datasets.texture_shapes.scenes import Scene


class Sum(nn.Module):
    """Probability of class 0: an offset plus a weight for each pixel's mean over the channels."""

    def __init__(self, weights: Tensor, offset: float) -> None:
        super().__init__()
        self.weights = weights
        self.offset = offset

    def forward(self, pixels: Tensor) -> Tensor:
        share = self.offset + (self.weights * pixels.mean(1)).sum((1, 2))
        return torch.stack([share, 1 - share], 1).log()


@pytest.fixture(scope="session")
def make_sum() -> Callable[..., nn.Module]:
    """(weights (H, W), offset) to a network whose softmax is a sum over the pixels."""
    return lambda weights, offset=0.1: Sum(torch.as_tensor(weights), offset).eval()


@pytest.fixture(scope="session")
def make_linear() -> Callable[..., nn.Module]:
    """Weights (C, 3, H, W) to a network with C logits, without biases."""

    def make(weights: Tensor) -> nn.Module:
        linear = nn.Linear(weights[0].numel(), len(weights), bias=False)
        with torch.no_grad():
            linear.weight.copy_(weights.flatten(1))
        return nn.Sequential(nn.Flatten(), linear).eval().requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    """A mask, as rows of 0 and 1, to a grey scene with that object."""

    def make(rows: object, shape: int = 0) -> Scene:
        mask = np.array(rows, dtype=bool)
        return Scene(np.full((*mask.shape, 3), 128, np.uint8), mask, shape, 1)

    return make
