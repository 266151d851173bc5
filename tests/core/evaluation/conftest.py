"""A network whose answers can be told by hand, and even images."""

import pytest
import torch
from torch import nn

from advprop_core.models.dual_bn import DualBNModel


class Brightness(nn.Module):
    """Logits (0, 10·(m − b)) of the mean pixel m, with b from each branch's own norm layer."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3, eps=0.0)

    def forward(self, x):
        score = 10 * self.norm(x).mean((1, 2, 3))
        return torch.stack([torch.zeros_like(score), score], 1)


@pytest.fixture
def model():
    """Main calls bright what lies above 0.5, aux what lies above 0.7."""
    model = DualBNModel(Brightness(), (0.0,) * 3, (1.0,) * 3).freeze()
    model.branch("main").network.norm.running_mean.fill_(0.5)
    model.branch("aux").network.norm.running_mean.fill_(0.7)
    return model


@pytest.fixture
def images():
    """Ten even images of brightness 0.05, 0.15 … 0.95, as bytes, and what main says of them."""
    levels = torch.linspace(0.05, 0.95, 10)
    pixels = (levels * 255).round().byte().view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    return pixels.contiguous(), (levels > 0.5).long()


@pytest.fixture
def photos():
    """The same even images, 64 pixels wide: corruptions take any size of at least 32."""
    levels = torch.linspace(0.05, 0.95, 10)
    return (levels * 255).round().byte().view(-1, 1, 1, 1).expand(-1, 3, 64, 64).contiguous()
