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
            known = self.state.setdefault(branch, {"sum": torch.zeros(()), "count": 0})
            known["sum"] = known["sum"].to(loss.device) + loss
            known["count"] += 1
            if known["count"] == WINDOW:
                self._close(branch, known, step + 1)

    def put_back(self, model: DualBNModel) -> dict[str, int]:
        """Return to its best each branch of a model that ends well above it, or is not finite.

        Args:
            model: What is kept of the run: the one that was trained, or its average.

        Returns:
            Branch to the step that it was returned to.
        """
        steps = {}
        for branch, known in self.state.items():
            if "tensors" not in known:
                continue
            state = model.branch(branch).network.state_dict()
            now = [state[key] for key in known["tensors"]]
            is_finite = all(tensor.isfinite().all() for tensor in now)
            if is_finite and known["last"] <= _WORSE * known["loss"]:  # false for what is NaN
                continue
            for tensor, best in zip(now, known["tensors"].values(), strict=True):
                tensor.copy_(best)
            steps[branch] = known["step"]
        return steps

    def _close(self, branch: str, known: dict[str, Any], step: int) -> None:
        mean = float(known["sum"]) / WINDOW
        known |= {"sum": torch.zeros(()), "count": 0, "last": mean}
        if math.isfinite(mean) and mean < known.get("loss", math.inf):
            network = self._model.branch(branch).network
            tensors = {
                f"{layer}.{key}": tensor.detach().clone()
                for layer, norm in norm_layers(network).items()
                for key, tensor in norm.state_dict().items()
            }
            known |= {"loss": mean, "step": step, "tensors": tensors}
