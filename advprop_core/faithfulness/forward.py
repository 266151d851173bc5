"""The network under examination: checked once, then run in batches on an own copy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from advprop_core.attacks.inputs import own_pixels
from advprop_core.attribution.question import ClassIndex, class_per_image, require_classes
from advprop_core.errors import InputError
from advprop_core.models.folding import fold
from advprop_core.predict import require_eval


def prepare(
    module: nn.Module, pixels: Tensor, class_index: ClassIndex
) -> tuple[nn.Module, Tensor, tuple[int, ...]]:
    """A folded copy of the module, the pixels in its precision, and a class for each image.

    Raises:
        TypeError: If pixels are not floats.
        ValueError: For a module in training mode, or a class the model has not.
    """
    require_eval(module)
    classes = class_per_image(class_index, len(pixels))
    images = own_pixels(module, pixels)
    network = fold(module, images[:1])
    require_classes(classes, logits(network, images[:1]).shape[1])
    return network, images, classes


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
    if not torch.isfinite(output).all():
        raise InputError("logits must be finite: the network overflowed or has NaN weights")
    return output
