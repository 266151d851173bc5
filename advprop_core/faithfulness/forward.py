"""Networks under examination: run in batches, and once for what several maps have in common."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from advprop_core.types import require_finite


def first_alike(pixels: Tensor, classes: Sequence[int]) -> list[int]:
    """For each image, the place of the first with the same pixels and the same class.

    What depends on these two alone is measured once for several maps of one image.
    """
    return [
        next(
            first
            for first in range(index + 1)
            if classes[first] == class_index and torch.equal(pixels[first], image)
        )
        for index, (image, class_index) in enumerate(zip(pixels, classes, strict=True))
    ]


def logits(module: nn.Module, pixels: Tensor) -> Tensor:
    """(N, 3, H, W) pixels to (N, C) float32 logits, without gradients.

    Raises:
        InputError: If they are not finite.
    """
    with torch.no_grad():
        output: Tensor = module(pixels).float()
    require_finite(output)
    return output
