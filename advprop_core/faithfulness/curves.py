"""Insertion and deletion: what becomes of the class when pixels go, or come, in the map's order.

Petsiuk et al., "RISE", arXiv 1806.07421.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attacks.inputs import own_pixels
from advprop_core.attribution.progress import Counter
from advprop_core.attribution.question import ClassIndex, batch_size, class_per_image
from advprop_core.faithfulness.maps import Undefined, check_maps, first_alike, flaw
from advprop_core.models.folding import fold
from advprop_core.predict import logits_of
from advprop_core.types import Progress, freeze

_STEP = 0.02  # share of the pixels that change at a time
_RANDOM_ORDERS = 3
_GREY = 0.5
_BLUR_SHARE = 1 / 16  # of the shorter side: 14 px at 224


@dataclass(frozen=True, eq=False)
class Curve:
    """Class probability along the way.

    Attributes:
        shares: (K,) share of the pixels changed so far, from 0 to 1.
        probabilities: (K,) probability of the class, in [0, 1].
    """

    shares: Tensor
    probabilities: Tensor

    @property
    def area(self) -> float:
        """Area under the curve by trapezoids, in [0, 1]."""
        return float(torch.trapezoid(self.probabilities.double(), self.shares.double()))


@dataclass(frozen=True, eq=False)
class Curves:
    """Both curves of one map, each beside that of random orders.

    Attributes:
        deletion: The most important pixels go first: a good map falls early.
        insertion: They come first, onto a blurred picture: a good map rises early.
        random_deletion: Mean curve of pixels in random order.
        random_insertion: Mean curve of pixels in random order.
    """

    deletion: Curve
    insertion: Curve
    random_deletion: Curve
    random_insertion: Curve

    @property
    def deletion_gain(self) -> float:
        """How much smaller the area is than that of random orders; above 0 is better."""
        return self.random_deletion.area - self.deletion.area

    @property
    def insertion_gain(self) -> float:
        """How much larger the area is than that of random orders; above 0 is better."""
        return self.insertion.area - self.random_insertion.area


@dataclass(frozen=True)
class _Walk:
    """Images whose pixels change, so many at a time."""

    network: nn.Module
    images: Tensor
    classes: Sequence[int]
    counts: Tensor
    counter: Counter

    def __call__(self, index: int, order: Tensor) -> Tensor:
        """(2, K) probabilities of an image's class during deletion and insertion, in order."""
        image = self.images[index]
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order))
        rank = rank.view(image.shape[1:]).to(image.device)
        lines = []
        for before, after in ((image, torch.full_like(image, _GREY)), (blur(image), image)):
            for counts in self.counts.split(batch_size(image[None])):
                changed = rank < counts.to(rank.device).view(-1, 1, 1)
                shown = torch.where(changed[:, None], after, before)
                lines.append(logits_of(self.network, shown).softmax(1)[:, self.classes[index]])
                self.counter.add(len(counts))
        return freeze(torch.cat(lines).view(2, -1))


def measure_curves(
    module: nn.Module,
    pixels: Tensor,
    maps: Tensor,
    class_index: ClassIndex,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Curves | Undefined, ...]:
    """Insertion and deletion curves, an image at a time, in steps of 2 % of the pixels.

    Deletion ends at mid-grey. Insertion starts from the picture blurred with a sigma of a
    sixteenth of its shorter side (the paper's 5 px at 224 leave much to be recognised). Where a
    map gives several pixels the same value, they go in random order, since their place says
    nothing. The three random orders are the same for all images of one size, and are gone
    through once for several maps of the same image and class.

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W) in [0, 1].
        maps: (N, H, W), most important largest.
        class_index: The class whose probability is followed, one for all images or one each.
        seed: Of the random orders.
        progress: Called with (pictures shown, all pictures); it may raise to stop.

    Returns:
        One result per image; undefined where the map puts no pixel before another.
    """
    maps = check_maps(maps, (len(pixels), *pixels.shape[2:]))
    classes = class_per_image(class_index, len(pixels))
    images = own_pixels(module, pixels)
    flaws = [flaw(values) for values in maps]
    generator, count = torch.Generator().manual_seed(seed), maps[0].numel()
    ties, *orders = (torch.randperm(count, generator=generator) for _ in range(1 + _RANDOM_ORDERS))
    # Numbers of changed pixels: 0, every step, all. Less 1e-9, or rounding of the share of a step
    # could add one more step just before the end.
    steps = math.ceil(1 / _STEP - 1e-9)
    counts = torch.tensor(sorted({*(round(n * _STEP * count) for n in range(steps)), count}))
    shares = counts.float() / count
    alike = first_alike(images, classes)
    sound = [index for index, reason in enumerate(flaws) if reason is None]
    references = {alike[index] for index in sound}
    walks = len(sound) + _RANDOM_ORDERS * len(references)
    counter = Counter(progress, 2 * len(counts) * walks)
    walk = _Walk(fold(module, images[:1]), images, classes, counts, counter)
    random = {index: torch.stack([walk(index, order) for order in orders]) for index in references}

    def curves(index: int) -> Curves:
        # In falling order of the map, equal values as shuffled.
        falling = maps[index].flatten()[ties].argsort(descending=True, stable=True)
        rows = torch.cat([walk(index, ties[falling]), random[alike[index]].mean(0)])
        return Curves(*(Curve(shares, probabilities) for probabilities in rows))

    return tuple(reason or curves(index) for index, reason in enumerate(flaws))


def blur(image: Tensor) -> Tensor:
    """(3, H, W), Gaussian: outlines go, the mean colours of regions stay.

    Pixels beyond the border weigh nothing, so a constant picture stays what it is.
    """
    sigma = _BLUR_SHARE * min(image.shape[1:])

    def weights(side: int) -> Tensor:
        positions = torch.arange(side, device=image.device, dtype=image.dtype)
        bell = torch.exp(-((positions[:, None] - positions) ** 2) / (2 * sigma**2))
        return bell / bell.sum(1, keepdim=True)

    return weights(image.shape[1]) @ image @ weights(image.shape[2]).T
