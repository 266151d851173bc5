"""Does a map predict what happens to the score, and does it stay the same when the picture moves?

Yeh et al., "On the (In)fidelity and Sensitivity of Explanations", arXiv 1901.09392, computed by
captum. Captum's own perturbations come from global generators; these are drawn here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import captum.metrics
import torch
from torch import Tensor, nn

from advprop_core.attribution.progress import Counter
from advprop_core.attribution.question import ClassIndex
from advprop_core.faithfulness import forward
from advprop_core.faithfulness.baselines import Fill, fill
from advprop_core.faithfulness.maps import (
    MakeMap,
    Score,
    Undefined,
    call_maker,
    check_maps,
    flaw,
    map_shape,
    require_fraction,
)
from advprop_core.processes import Progress
from advprop_core.types import require_count


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
        """0 predicts everything, 1 is as good as an empty map, more is worse."""
        if self.reference == 0:
            return Undefined("the score changes under no perturbation")
        return self.value / self.reference


@dataclass(frozen=True)
class Sensitivity:
    """How much maps change when their pictures change a little.

    Attributes:
        values: Per image the largest change found, as a share of the map's own length (L2).
        radius: Largest change of a channel value, pixel units.
        samples: Number of perturbations.
    """

    values: tuple[Score, ...]
    radius: float
    samples: int


class _Windows:
    """Rectangles that are taken away, in the order in which captum asks for them."""

    def __init__(self, shape: Sequence[int], share: float, samples: int, seed: int) -> None:
        self.shape = tuple(shape)
        self.sides = tuple(max(1, round(share * side)) for side in shape)
        room = [side - length + 1 for side, length in zip(self.shape, self.sides, strict=True)]
        generator = torch.Generator().manual_seed(seed)
        self.corners = torch.stack(
            [torch.randint(0, limit, (samples,), generator=generator) for limit in room], 1
        )

    def masks(self, start: int, count: int) -> Tensor:
        """(count, 1, H, W), 1 where pixels are taken away."""
        inside = []
        for axis, side in enumerate(self.shape):
            low = self.corners[start : start + count, axis, None]
            positions = torch.arange(side)
            inside.append((positions >= low) & (positions < low + self.sides[axis]))
        return (inside[0][:, :, None] & inside[1][:, None, :])[:, None].float()


class _Answers:
    """What the network says of an image and its perturbed copies: asked once, then told again.

    Captum asks in the same order for every map of the image: copies, image, copies, image.
    """

    def __init__(self, network: nn.Module, counter: Counter) -> None:
        self._network = network
        self._counter = counter
        self._given: list[Tensor] = []
        self._turn = 0

    def rewind(self) -> None:
        self._turn = 0

    def __call__(self, shown: Tensor) -> Tensor:
        turn, self._turn = self._turn, self._turn + 1
        if turn == len(self._given):
            self._given.append(forward.logits(self._network, shown))
            self._counter.add(0 if turn % 2 else len(shown))
        return self._given[turn]


@dataclass(frozen=True)
class _Removal:
    """Everything that is the same for all images."""

    windows: _Windows
    removed_to: Fill
    batch_size: int
    rescale: bool

    def measure(
        self, answers: _Answers, image: Tensor, values: Tensor, class_index: int
    ) -> Infidelity:
        value, reference = (
            self._error(answers, image, guess, class_index)
            for guess in (values, torch.zeros_like(values))
        )
        return Infidelity(value, reference, len(self.windows.corners))

    def _error(self, answers: _Answers, image: Tensor, values: Tensor, class_index: int) -> float:
        removed = fill(image, self.removed_to)
        drawn = 0
        answers.rewind()

        def perturb(copies: Tensor) -> tuple[Tensor, Tensor]:
            nonlocal drawn
            masks = self.windows.masks(drawn, len(copies)).to(copies)
            drawn += len(copies)
            return masks.expand_as(copies), torch.where(masks > 0, removed, copies)

        samples = len(self.windows.corners)
        # Captum wants a value per channel: a third each adds up to the pixel's.
        shared = (values / image.shape[1]).to(image).expand_as(image)
        error: Tensor = captum.metrics.infidelity(
            answers,
            perturb,
            image,
            shared,
            target=class_index,
            n_perturb_samples=samples,
            max_examples_per_batch=min(self.batch_size, samples),
            normalize=self.rescale,
        )
        return max(0.0, error.item())  # rescaling subtracts large numbers


def measure_infidelity(
    module: nn.Module,
    pixels: Tensor,
    maps: Tensor,
    class_index: ClassIndex,
    *,
    removed_to: Fill = "black",
    window: float = 0.25,
    rescale: bool = True,
    samples: int = 64,
    seed: int = 0,
    batch_size: int = 32,
    progress: Progress | None = None,
) -> tuple[Infidelity | Undefined, ...]:
    """Infidelity (Yeh et al., arXiv 1901.09392) under the removal of random rectangles.

    The values of a map inside a rectangle should add up to what the class's logit loses when
    the rectangle is removed. All images lose the same rectangles, so that a result does not
    depend on the batch an image is in, and the network is asked once for several maps of the same
    image and class.

    Args:
        module: A frozen branch; an own copy of it is run.
        pixels: (N, 3, H, W) in [0, 1].
        maps: (N, H, W), summed over the channels.
        class_index: The class whose logit is predicted, one for all images or one each.
        removed_to: What a removed pixel becomes; black for maps that are measured from black,
            as those of integrated gradients are here.
        window: Sides of a rectangle as a share of the picture's, in (0, 1].
        rescale: Give every map its best factor first. Needed for maps without a unit, such as
            Grad-CAM; without it a map must be right in logits.
        samples: Number of rectangles.
        seed: Of their places.
        batch_size: Pictures at a time in the network.
        progress: Called with (pictures shown, all pictures); it may raise to stop.

    Returns:
        One result per image; undefined where the map puts no pixel before another.

    Raises:
        TypeError: If pixels or maps are not floats.
        ValueError: For an argument out of its range, or logits that are not finite.
    """
    require_fraction("window", window)
    require_count("samples", samples)
    require_count("batch_size", batch_size)
    maps = check_maps(maps, map_shape(pixels))
    network, images, classes = forward.prepare(module, pixels, class_index)
    windows = _Windows(maps.shape[1:], window, samples, seed)
    flaws = [flaw(values) for values in maps]
    images = images.contiguous()  # captum takes views, which need this order
    alike = forward.first_alike(images, classes)
    asked = {first for first, reason in zip(alike, flaws, strict=True) if reason is None}
    counter = Counter(progress, len(asked) * samples)
    answers = {first: _Answers(network, counter) for first in asked}
    removal = _Removal(windows, removed_to, batch_size, rescale)
    return tuple(
        reason or removal.measure(answers[first], image, values, target)
        for reason, first, image, values, target in zip(
            flaws, alike, images.split(1), maps, classes, strict=True
        )
    )


def max_sensitivity(
    make_map: MakeMap,
    pixels: Tensor,
    *,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> Sensitivity:
    """Max-sensitivity (Yeh et al., arXiv 1901.09392) under noise in an L-infinity ball.

    It is the largest change found, so it grows with the number of samples. All images get the
    same noise, cut to [0, 1], so that a result does not depend on the batch an image is in.

    Args:
        make_map: Pixels to maps. It is given all images at a time.
        pixels: (N, 3, H, W) in [0, 1].
        radius: Largest change of a channel value, pixel units, above 0.
        samples: Number of perturbations.
        seed: Of the noise.
        progress: Called with (perturbations done, all of them); it may raise to stop.

    Returns:
        One value per image; undefined where the unperturbed map is constant, or a map of a
        perturbed picture is not finite.

    Raises:
        TypeError: If pixels or maps are not floats.
        ValueError: For an argument out of its range, or maps of another shape.
    """
    require_fraction("radius", radius)
    require_count("samples", samples)
    map_shape(pixels)
    clean = pixels.detach()
    generator = torch.Generator().manual_seed(seed)
    flaws = [flaw(values) for values in call_maker(make_map, clean)]
    counter, under_way = Counter(progress, samples), 0

    def perturb(copies: Tensor) -> Tensor:
        nonlocal under_way
        counter.add(under_way)
        under_way = 1
        noise = torch.rand(clean.shape[1:], generator=generator) * 2 - 1
        return (copies + radius * noise.to(copies)).clamp(0, 1)

    def explain(given: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        # A tuple, because captum would take a bare tensor of maps for several inputs of one each.
        return (call_maker(make_map, given if isinstance(given, Tensor) else given[0]),)

    # As many pictures as images: captum then asks for one perturbation of each at a time.
    largest = captum.metrics.sensitivity_max(
        explain,
        clean,
        perturb_func=perturb,
        n_perturb_samples=samples,
        max_examples_per_batch=len(clean),
    )
    counter.add(under_way)
    values = [
        reason or _finite(value) for reason, value in zip(flaws, largest.tolist(), strict=True)
    ]
    return Sensitivity(tuple(values), radius, samples)


def _finite(value: float) -> Score:
    if math.isfinite(value):
        return value
    return Undefined("the map of a perturbed picture is not finite")
