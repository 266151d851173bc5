"""Auxiliary branches at their best: an attack may break later what it made at first."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.training.batch import Figures

WINDOW = 25  # steps over which a loss is averaged
_WORSE = 1.25  # times the lowest loss: further above it than batches differ


class BestBranches:
    """The norm layers of each auxiliary branch after the steps on which its loss was lowest.

    Args:
        model: Which is trained; only its auxiliary branches are looked at.
        first: The step from which losses can be compared: before it the attack still grows.
    """

    def __init__(self, model: DualBNModel, first: int) -> None:
        self._model, self._first = model, first
        self.state: dict[str, dict[str, Any]] = {}
        """Branch to the ``sum`` and ``count`` of losses since its last average; once there is one,
        to the lowest ``loss``, its ``step`` and ``tensors``, and the ``last`` average."""

    def add(self, step: int, figures: Mapping[str, Figures]) -> None:
        """Note the losses of a step (from 0), after the weights have moved.

        The device is waited for at the end of a window alone.
        """
        if step < self._first:
            return
        for name, (loss, _) in figures.items():
            branch = name.split("/")[0]
            losses = self.state.setdefault(branch, {"sum": torch.zeros(()), "count": 0})
            losses["sum"] = losses["sum"].to(loss.device) + loss
            losses["count"] += 1
            if losses["count"] < WINDOW:
                continue
            mean = float(losses["sum"]) / WINDOW
            losses |= {"sum": torch.zeros(()), "count": 0, "last": mean}
            if math.isfinite(mean) and mean < losses.get("loss", math.inf):
                tensors = {
                    f"{layer}.{key}": tensor.detach().clone()
                    for layer, norm in norm_layers(self._model.branch(branch).network).items()
                    for key, tensor in norm.state_dict().items()
                }
                losses |= {"loss": mean, "step": step + 1, "tensors": tensors}

    def put_back(self, model: DualBNModel) -> dict[str, int]:
        """Return to its best each branch of a model that ends well above it, or is not finite.

        Args:
            model: What is kept of the run: the one that was trained, or its average.

        Returns:
            Branch to the step that it was returned to.
        """
        steps = {}
        for branch, losses in self.state.items():
            best = losses.get("tensors", {})
            state = model.branch(branch).network.state_dict()
            is_finite = all(state[key].isfinite().all() for key in best)
            # Written so that a last average of NaN is worse, too.
            is_near = not best or losses["last"] <= _WORSE * losses["loss"]
            if is_finite and is_near:
                continue
            for key, tensor in best.items():
                state[key].copy_(tensor)
            steps[branch] = losses["step"]
        return steps
