"""Logits to predictions; the branch × input grid."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from advprop_core.types import InputKind, Prediction


def require_eval(module: nn.Module) -> None:
    """Raise ValueError if any part of the module is in training mode."""
    if any(part.training for part in module.modules()):
        raise ValueError(
            "model must be in eval mode, where a prediction depends on its own image alone: "
            "load it through checkpoints.load, or call .eval() once before sharing it"
        )


def logits_of(module: nn.Module, pixels: Tensor) -> Tensor:
    """(N, 3, H, W) pixels to (N, C) float32 logits on the CPU, without gradients."""
    require_eval(module)
    with torch.no_grad():
        output: Tensor = module(pixels)
    return output.float().cpu()


def predict(module: nn.Module, pixels: Tensor) -> tuple[Prediction, ...]:
    """One prediction per image.

    Raises:
        ValueError: If the module is in training mode or its logits are not finite.
    """
    return tuple(Prediction.from_logits(row) for row in logits_of(module, pixels))


def predict_grid(
    branches: Mapping[str, nn.Module], inputs: Mapping[InputKind, Tensor]
) -> dict[tuple[InputKind, str], Prediction]:
    """Every branch on every input, one forward pass per branch.

    Args:
        branches: Name to frozen module, in the order they are shown.
        inputs: Kind to (1, 3, H, W) pixels.

    Returns:
        (kind, branch) to prediction; kinds vary slowest.
    """
    together = torch.cat(list(inputs.values()))
    rows = {name: predict(module, together) for name, module in branches.items()}
    return {(kind, name): rows[name][index] for index, kind in enumerate(inputs) for name in rows}
