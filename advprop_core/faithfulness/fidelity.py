"""Does a map predict what happens to the score, and does it stay the same when the picture moves?

Yeh et al., "On the (In)fidelity and Sensitivity of Explanations", arXiv 1901.09392.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attacks.inputs import own_pixels
from advprop_core.attribution.progress import Counter
from advprop_core.attribution.question import ClassIndex, batch_size, class_per_image
from advprop_core.faithfulness.maps import Score, Undefined, check_maps, first_alike, flaw
from advprop_core.models.folding import fold
from advprop_core.predict import logits_of
from advprop_core.types import Progress

_RECTANGLES = 64
_SIDES = 0.25  # of a rectangle, as a share of the picture's
_RADIUS = 0.02  # of the noise, in pixel units


@dataclass(frozen=True)
class Infidelity:
    """How far a map is from predicting changes of the score.

    Attributes:
        value: Mean squared error of the predicted change, in squared logits.
        reference: The same for a map of zeros: the mean squared change itself.
        samples: Number of perturbations.
    """

    value: float
    reference: float
    samples: int

    @property
    def relative(self) -> Score:
        """0 predicts everything, 1 is as good as an empty map."""
        if self.reference == 0:
            return Undefined("the score changes under no perturbation")
        return self.value / self.reference


def measure_infidelity(
    module: nn.Module,
    pixels: Tensor,
    maps: Tensor,
    class_index: ClassIndex,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Infidelity | Undefined, ...]:
    """Infidelity when random rectangles turn black.

    The values of a map inside a rectangle should add up to what the class's logit loses when the
    rectangle is removed, but for a factor: every map gets its best one, because maps such as
    Grad-CAM have no unit. All images lose the same rectangles, so that a result does not depend
    on the batch an image is in, and the network is asked once for several maps of the same image
    and class. Arguments are those of :func:`~advprop_core.faithfulness.curves.measure_curves`, for
    maps that are summed over the channels.

    Returns:
        One result per image; undefined where the map puts no pixel before another.
    """
    maps = check_maps(maps, (len(pixels), *pixels.shape[2:]))
    classes = class_per_image(class_index, len(pixels))
    images = own_pixels(module, pixels)
    network = fold(module, images[:1])
    masks = _rectangles(maps.shape[1:], seed)
    flaws = [flaw(values) for values in maps]
    alike = first_alike(images, classes)
    asked = {first for first, reason in zip(alike, flaws, strict=True) if reason is None}
    counter = Counter(progress, len(asked) * len(masks))

    def losses_of(index: int) -> Tensor:
        """(S,) what the class's logit loses with each rectangle."""
        image, class_index = images[index], classes[index]
        whole_image_logit = logits_of(network, image[None])[0, class_index]
        losses = []
        for some in masks.split(batch_size(image[None])):
            shown = torch.where(some[:, None].to(image.device), 0.0, image)
            losses.append(whole_image_logit - logits_of(network, shown)[:, class_index])
            counter.add(len(some))
        return torch.cat(losses).double()

    losses = {first: losses_of(first) for first in asked}
    return tuple(
        reason or _infidelity(values, losses[first], masks)
        for reason, first, values in zip(flaws, alike, maps, strict=True)
    )


def _rectangles(shape: Sequence[int], seed: int) -> Tensor:
    """(S, H, W) bool, true where pixels are taken away."""
    generator = torch.Generator().manual_seed(seed)
    inside = []
    for side in shape:
        length = max(1, round(_SIDES * side))
        low = torch.randint(0, side - length + 1, (_RECTANGLES, 1), generator=generator)
        positions = torch.arange(side)
        inside.append((positions >= low) & (positions < low + length))
    return inside[0][:, :, None] & inside[1][:, None, :]


def _infidelity(values: Tensor, losses: Tensor, masks: Tensor) -> Infidelity:
    predicted = masks.flatten(1).double() @ values.flatten().double()
    # The best factor by least squares.
    length = predicted.square().sum()
    factor = (predicted @ losses) / length if length else 0.0
    error = (factor * predicted - losses).square().mean()
    return Infidelity(float(error), float(losses.square().mean()), len(masks))


def max_sensitivity(
    make_map: Callable[[Tensor], Tensor],
    pixels: Tensor,
    original: Tensor,
    *,
    samples: int,
    seed: int = 0,
) -> tuple[Score, ...]:
    """Max-sensitivity: the largest change of a map under noise, as a share of its length (L2).

    The noise lies in an L-infinity ball of radius 0.02. The largest change grows with the number
    of samples. All images get the same noise, cut to [0, 1], so that a result does not depend on
    the batch an image is in.

    Args:
        make_map: (N, 3, H, W) pixels to (N, H, W) maps. It is given all images at a time.
        pixels: (N, 3, H, W) in [0, 1].
        original: (N, H, W), the maps of the pixels as they are.
        samples: Number of perturbations.
        seed: Of the noise.

    Returns:
        One value per image; undefined where the map is constant, or a map of a perturbed
        picture is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    changes = []
    for _ in range(samples):
        noise = torch.rand(pixels.shape[1:], generator=generator) * 2 - 1
        moved = make_map((pixels + _RADIUS * noise.to(pixels)).clamp(0, 1))
        changes.append((moved - original).flatten(1).norm(dim=1))
    largest = torch.stack(changes).amax(0) / original.flatten(1).norm(dim=1)
    broken = Undefined("the map of a perturbed picture is not finite")
    return tuple(
        flaw(values) or (value if math.isfinite(value) else broken)
        for values, value in zip(original, largest.tolist(), strict=True)
    )
