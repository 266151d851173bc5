"""What attacks refuse, and the copies they work on."""

from collections.abc import Callable

import torch
from torch import Tensor

from advprop_core.errors import InputError
from advprop_core.pictures.pixels import checked_pixels
from advprop_core.predict import in_precision_of, require_eval

Model = Callable[[Tensor], Tensor]
"""(N, 3, H, W) pixels to (N, C) logits."""


def own_inputs(model: Model, pixels: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Copies of pixels and labels as an attack needs them, or a refusal of what none can take.

    Raises:
        TypeError: If pixels are no tensor of floats, or labels none of integers.
        ValueError: For a module in training mode, pixels of another shape or outside [0, 1], or
            labels that are not one per image.
    """
    require_eval(model)
    images = own_pixels(model, pixels)
    if not isinstance(labels, Tensor):
        raise TypeError(f"labels must be a torch tensor, got {type(labels).__name__}")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"labels must be integers, one class per image, got {labels.dtype}")
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels must have shape ({len(images)},), one per image, got {tuple(labels.shape)}"
        )
    return images, labels.long().clone()


def own_pixels(model: Model, pixels: Tensor) -> Tensor:
    """A checked copy of pixels in the precision of the model, outside inference mode.

    Inference mode keeps no graph, and who needs gradients sets ``requires_grad`` on the copy.
    Raises what :func:`~advprop_core.pictures.pixels.checked_pixels` does.
    """
    with torch.inference_mode(False):
        return in_precision_of(model, checked_pixels(pixels))


def require_labels(labels: Tensor, classes: int) -> None:
    """Refuse labels that the model does not have, with an InputError that lists them."""
    if labels.numel() and not (labels.min() >= 0 and labels.max() < classes):
        raise InputError(
            f"labels and target_class must lie in [0, {classes - 1}], the model has {classes} "
            f"classes, got {sorted(set(labels.tolist()))}"
        )
