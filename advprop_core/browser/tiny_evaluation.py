"""What a page asks of the network that it trains: how good it is, and all that the lab shows."""

import torch
from torch import Tensor, nn
from torch.func import functional_call

from advprop_core.browser.graph import Step
from advprop_core.browser.tiny_network import shared_weights, split_weights
from advprop_core.browser.tiny_step import EvalBranch, loss_and_hits
from advprop_core.models.dual_bn import DualBNModel


class Evaluation(nn.Module):
    """How a branch answers pictures, clean and attacked in one step through itself."""

    def __init__(self, model: DualBNModel) -> None:
        super().__init__()
        self._branch = EvalBranch(model)

    def forward(
        self,
        weights: Tensor,
        norm: Tensor,
        pixels: Tensor,
        class_one_hot: Tensor,
        epsilon: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """(2,) losses and (2,) hits: of clean pictures, then of adversarial ones.

        Shapes are those of ``tiny_step.StepState`` and ``StepData``; ``norm``: (4, C).
        """
        given = pixels, class_one_hot, epsilon
        clean, attacked = self._branch.attack(weights, norm, pixels, *given)
        both = torch.cat([clean, self._branch(weights, norm, attacked).detach()])
        return loss_and_hits(both, class_one_hot.repeat(2, 1), kinds=2)


class LabStep(nn.Module):
    """The step of attacks and maps that a page's lab runs, with the weights as an input.

    ``size`` is the side of the pictures in pixels.
    """

    def __init__(self, model: DualBNModel, size: int) -> None:
        super().__init__()
        self.step = Step(model, size)
        self._weights = {
            f"network.{name}": weight for name, weight in shared_weights(model).items()
        }

    def forward(
        self,
        pixels: Tensor,
        class_one_hot: Tensor,
        attacks: Tensor,
        norm: Tensor,
        weights: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As in :class:`~advprop_core.browser.graph.Step`, of a network with these weights."""
        tensors = split_weights(weights, self._weights)
        output: tuple[Tensor, Tensor, Tensor] = functional_call(
            self.step, tensors, (pixels, class_one_hot, attacks, norm)
        )
        return output
