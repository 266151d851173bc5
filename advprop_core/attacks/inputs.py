"""What attacks refuse, and the copies they work on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Model = Callable[[Tensor], Tensor]
"""(N, 3, H, W) pixels to (N, C) logits."""


def own_inputs(model: Model, pixels: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Copies of pixels and labels as an attack needs them, or a refusal of what none can take.

    Raises:
        TypeError: If pixels are not floating point, or labels are not integers.
        ValueError: For a module in training mode, pixels of another shape or outside [0, 1], or
            labels that are not one per image.
    """
    _require_eval(model)
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"labels must be integers, one class per image, got {labels.dtype}")
    images = own_pixels(model, pixels)
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels must have shape ({images.shape[0]},), one per image, got {tuple(labels.shape)}"
        )
    with torch.inference_mode(False):
        return images, labels.long().clone()


def own_pixels(model: Model, pixels: Tensor) -> Tensor:
    """A copy of pixels as gradients need them, or a refusal of what is no batch of pixels.

    It has the precision of the model, and what lies a rounding step outside [0, 1] lies on its
    edge. It does not belong to inference mode, where nothing keeps a graph.

    Raises:
        TypeError: If pixels are not floating point.
        ValueError: If they have another shape or lie outside [0, 1].
    """
    if not pixels.is_floating_point():
        raise TypeError(f"pixels must be floating point in [0, 1], got {pixels.dtype}")
    if pixels.ndim != 4:
        raise ValueError(f"pixels must have shape (N, 3, H, W), got {tuple(pixels.shape)}")
    step = torch.finfo(pixels.dtype).eps  # what a sum or a resize may leave above 1
    if pixels.numel() and not (pixels.min() >= -step and pixels.max() <= 1 + step):
        raise ValueError(
            f"pixels must lie in [0, 1], got [{pixels.min():.3g}, {pixels.max():.3g}]: "
            "pass them before mean/std normalisation"
        )
    weights = model.parameters() if isinstance(model, nn.Module) else iter(())
    like = next((weight for weight in weights if weight.is_floating_point()), pixels)
    with torch.inference_mode(False):
        return pixels.detach().clone().clamp_(0, 1).to(like.dtype)


def _require_eval(model: Model) -> None:
    if isinstance(model, nn.Module) and any(part.training for part in model.modules()):
        raise ValueError(
            "model must be in eval mode, or the attack would move its running statistics: "
            "pass a frozen branch, or attack_view(branch) while training"
        )


def require_labels(labels: Tensor, classes: int) -> None:
    """Refuse labels that the model does not have, with a ValueError that lists them."""
    if labels.numel() and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"labels and target_class must lie in [0, {classes - 1}], the model has {classes} "
            f"classes, got {sorted(set(labels.tolist()))}"
        )
