"""Auxiliary branches at their best: an attack may break later what it made at first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

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
        self._sums: dict[str, Tensor] = {}
        self.state: dict[str, dict[str, Any]] = {}
        """Branch to its lowest ``loss``, its ``last`` one and the ``tensors`` of the lowest."""

    def add(self, step: int, figures: Mapping[str, Figures]) -> None:
        """Note the losses of a step (from 0), after the weights have moved."""
        if step < self._first:
            return
        for name, (loss, _) in figures.items():
            branch = name.split("/")[0]
            self._sums[branch] = self._sums.get(branch, torch.zeros(())) + loss.cpu()
        if (step - self._first + 1) % WINDOW:
            return
        sums, self._sums = self._sums, {}
        for branch, total in sums.items():
            mean_loss = float(total) / WINDOW
            best = self.state.get(branch)
            if math.isfinite(mean_loss) and (best is None or mean_loss < best["loss"]):
                best = {"loss": mean_loss, "step": step + 1, "tensors": self._copy(branch)}
                self.state[branch] = best
            if best is not None:
                best["last"] = mean_loss

    def put_back(self) -> list[str]:
        """Return to its best each branch that ends well above it; a sentence for each."""
        sentences = []
        for branch, known in self.state.items():
            state = self._model.branch(branch).network.state_dict()
            now = [state[key] for key in known["tensors"]]
            is_finite = all(tensor.isfinite().all() for tensor in now)
            if is_finite and known["last"] <= _WORSE * known["loss"]:  # false for what is NaN
                continue
            for tensor, best in zip(now, known["tensors"].values(), strict=True):
                tensor.copy_(best)
            sentences.append(
                f"{branch} is kept as it was after step {known['step']}: its loss was "
                f"{known['loss']:.2f} there and rose afterwards. Lower --epsilon or "
                "--learning-rate to train it to the end"
            )
        return sentences

    def _copy(self, branch: str) -> dict[str, Tensor]:
        network = self._model.branch(branch).network
        return {
            f"{layer}.{key}": tensor.detach().clone()
            for layer, norm in norm_layers(network).items()
            for key, tensor in norm.state_dict().items()
        }
