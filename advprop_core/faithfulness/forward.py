"""The network under examination: checked once, then run in batches on an own copy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from advprop_core.faithfulness.maps import map_shape
from advprop_core.models.folding import fold
from advprop_core.predict import require_eval


def prepare(
    module: nn.Module, pixels: Tensor, class_index: int | Sequence[int]
) -> tuple[nn.Module, list[int]]:
    """A folded copy of the module, and a class for each image.

    Args:
        module: Takes (N, 3, H, W) pixels, returns (N, C) logits; in eval mode.
        pixels: (N, 3, H, W).
        class_index: One class for all images, or one each.

    Raises:
        TypeError: If pixels are not floats.
        ValueError: For a module in training mode, no pixels, or a class the model has not.
    """
    require_eval(module)
    count = map_shape(pixels)[0]
    classes = [class_index] * count if isinstance(class_index, int) else list(class_index)
    if len(classes) != count:
        raise ValueError(
            f"class_index must be one class or {count}, one per image, got {len(classes)}"
        )
    own = fold(module, pixels[:1].detach())
    known = logits(own, pixels[:1]).shape[1]
    if min(classes) < 0 or max(classes) >= known:
        raise ValueError(f"class_index must lie in [0, {known - 1}], got {sorted(set(classes))}")
    return own, classes


def first_alike(pixels: Tensor, classes: Sequence[int]) -> list[int]:
    """For each image, the place of the first with the same pixels and the same class.

    What depends on these two alone is measured once for several maps of one image.
    """
    return [
        next(
            first
            for first in range(place + 1)
            if classes[first] == wanted and torch.equal(pixels[first], image)
        )
        for place, (image, wanted) in enumerate(zip(pixels, classes, strict=True))
    ]


def logits(module: nn.Module, pixels: Tensor) -> Tensor:
    """(N, 3, H, W) pixels to (N, C) float32 logits, without gradients.

    Raises:
        ValueError: If they are not finite.
    """
    with torch.no_grad():
        output: Tensor = module(pixels).float()
    if not torch.isfinite(output).all():
        raise ValueError("logits must be finite: the network overflowed or has NaN weights")
    return output
