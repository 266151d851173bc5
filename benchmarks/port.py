"""AdvProp as its public PyTorch ports do it, written from the paper: what ours is compared with.

One network whose BatchNorm layers hold two sets and a flag; the attack runs inside ``forward``;
clean and adversarial images go through in one concatenated batch, which the layers split in half.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.types import AttackConfig


class FlagBatchNorm2d(nn.BatchNorm2d):
    """Main and auxiliary statistics in one layer; ``status`` is clean, adversarial or mixed."""

    def __init__(self, features: int) -> None:
        super().__init__(features)
        self.auxiliary = nn.BatchNorm2d(features)
        self.status = "clean"

    def forward(self, x: Tensor) -> Tensor:
        if self.status == "clean":
            return super().forward(x)
        if self.status == "adversarial":
            return self.auxiliary(x)
        clean, adversarial = x.chunk(2)
        return torch.cat([super().forward(clean), self.auxiliary(adversarial)])


class PortedAdvProp(nn.Module):
    """Takes normalised images and labels, gives the logits of 2N images."""

    def __init__(self, network: nn.Module, config: AttackConfig, std: float) -> None:
        super().__init__()
        self.network = with_flags(network)
        self.config = config
        self.scale = 1 / std

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        self.set_status("adversarial")
        self.network.eval()
        adversarial = self._attack(x, labels)
        self.network.train()
        self.set_status("mixed")
        return self.network(torch.cat([x, adversarial]))

    def set_status(self, status: str) -> None:
        for module in self.modules():
            if isinstance(module, FlagBatchNorm2d):
                module.status = status

    def _attack(self, x: Tensor, labels: Tensor) -> Tensor:
        radius, step = self.config.epsilon * self.scale, self.config.step_size * self.scale
        adversarial = x + torch.empty_like(x).uniform_(-radius, radius)
        for _ in range(self.config.steps):
            adversarial.requires_grad_(True)
            loss = F.cross_entropy(self.network(adversarial), labels)
            (gradient,) = torch.autograd.grad(loss, adversarial)
            moved = adversarial.detach() + step * gradient.sign()
            adversarial = torch.max(torch.min(moved, x + radius), x - radius)
        return adversarial.detach()


def with_flags(network: nn.Module) -> nn.Module:
    """The network with every BatchNorm2d replaced; a fused activation is kept after it."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            flagged: nn.Module = FlagBatchNorm2d(child.num_features)
            rest = [part for _, part in child.named_children()]
            network.set_submodule(name, nn.Sequential(flagged, *rest) if rest else flagged)
        else:
            with_flags(child)
    return network


def port_step(
    model: PortedAdvProp, optimizer: torch.optim.Optimizer, x: Tensor, labels: Tensor
) -> None:
    """One step: clean and adversarial loss, added."""
    clean, adversarial = model(x, labels).chunk(2)
    loss = F.cross_entropy(clean, labels) + F.cross_entropy(adversarial, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
