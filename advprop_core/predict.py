"""Pixels to logits, and logits to predictions."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from advprop_core.pictures.pixels import checked_pixels, require_batch
from advprop_core.types import Prediction, require_finite


def require_eval(model: Callable[[Tensor], Tensor]) -> None:
    """Raise ValueError if any part of a module is in training mode."""
    if isinstance(model, nn.Module) and any(module.training for module in model.modules()):
        raise ValueError(
            "model must be in eval mode, or images of a batch would change each other's answers "
            "and its running statistics: call .eval() once before sharing it, or attack "
            "attack_view(branch) while training"
        )


def in_precision_of(model: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
    """Pixels in the type of the model's weights; as they are, where it has none."""
    weights = model.parameters() if isinstance(model, nn.Module) else iter(())
    like = next((weight for weight in weights if weight.is_floating_point()), pixels)
    return pixels.to(like.dtype)


def logits_of(module: nn.Module, pixels: Tensor) -> Tensor:
    """(N, 3, H, W) pixels to (N, C) float32 logits on the CPU, without gradients.

    Raises:
        TypeError, ValueError: For pixels that are no batch, or a module in training mode.
        InputError: If logits are not finite.
    """
    require_eval(module)
    require_batch(pixels)
    with torch.no_grad():
        output: Tensor = module(in_precision_of(module, pixels))
    logits = output.float().cpu()
    require_finite(logits)
    return logits


def predict(module: nn.Module, pixels: Tensor) -> tuple[Prediction, ...]:
    """One prediction per image.

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W) floats in [0, 1]; they are brought to the precision of the module.

    Raises:
        TypeError, ValueError: For other pixels, or a module in training mode.
        InputError: If logits are not finite.
    """
    return tuple(map(Prediction.from_logits, logits_of(module, checked_pixels(pixels))))
