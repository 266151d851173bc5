"""Insertion and deletion: what becomes of the class when pixels go, or come, in the map's order.

Petsiuk et al., "RISE", arXiv 1806.07421.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attribution.progress import Counter
from advprop_core.attribution.question import ClassIndex
from advprop_core.faithfulness import forward
from advprop_core.faithfulness.baselines import Fill, fill
from advprop_core.faithfulness.maps import (
    Undefined,
    check_maps,
    flaw,
    map_shape,
    require_fraction,
)
from advprop_core.processes import Progress
from advprop_core.types import freeze, require_count


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
    """Everything that is the same for all images."""

    network: nn.Module
    counts: Tensor
    removed_to: Fill
    batch_size: int
    counter: Counter

    def both(self, image: Tensor, order: Tensor, class_index: int) -> tuple[Curve, Curve]:
        """Deletion and insertion."""
        removed, blurred = (fill(image[None], kind)[0] for kind in (self.removed_to, "blurred"))
        deletion = self.curve(image, removed, order, class_index)
        return deletion, self.curve(blurred, image, order, class_index)

    def curve(self, before: Tensor, after: Tensor, order: Tensor, class_index: int) -> Curve:
        """Pixels of (3, H, W) ``before`` become those of ``after``, in order."""
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order))
        rank = rank.view(before.shape[1:]).to(before.device)
        rows = []
        for counts in self.counts.split(self.batch_size):
            changed = rank < counts.to(rank.device).view(-1, 1, 1)
            shown = torch.where(changed[:, None], after, before)
            rows.append(forward.logits(self.network, shown).softmax(1)[:, class_index])
            self.counter.add(len(counts))
        return Curve(self.counts.float() / len(order), freeze(torch.cat(rows)))


def measure_curves(
    module: nn.Module,
    pixels: Tensor,
    maps: Tensor,
    class_index: ClassIndex,
    *,
    step: float = 0.02,
    removed_to: Fill = "grey",
    random_orders: int = 3,
    seed: int = 0,
    batch_size: int = 32,
    progress: Progress | None = None,
) -> tuple[Curves | Undefined, ...]:
    """Insertion and deletion curves (Petsiuk et al., arXiv 1806.07421), an image at a time.

    Deletion ends at mid-grey unless another end is chosen. Insertion starts from the picture
    blurred with a sigma of a sixteenth of its shorter side (the paper's 5 px at 224 leave much
    to be recognised). Where a map gives several pixels the same value, they go in random order,
    since their place says nothing. Random orders are the same for all images of one size, and are
    gone through once for several maps of the same image and class.

    Args:
        module: A frozen branch; an own copy of it is run.
        pixels: (N, 3, H, W) in [0, 1].
        maps: (N, H, W), most important largest.
        class_index: The class whose probability is followed, one for all images or one each.
        step: Share of the pixels that change at a time, in (0, 1].
        removed_to: What a deleted pixel becomes.
        random_orders: How many random orders the reference is the mean of, at least 1.
        seed: Of the random orders.
        batch_size: Pictures at a time in the network.
        progress: Called with (pictures shown, all pictures); it may raise to stop.

    Returns:
        One result per image; undefined where the map puts no pixel before another.

    Raises:
        TypeError: If pixels or maps are not floats.
        ValueError: For an argument out of its range, or logits that are not finite.
    """
    require_fraction("step", step)
    require_count("random_orders", random_orders)
    require_count("batch_size", batch_size)
    maps = check_maps(maps, map_shape(pixels))
    network, images, classes = forward.prepare(module, pixels, class_index)
    flaws = [flaw(values) for values in maps]
    generator = torch.Generator().manual_seed(seed)
    shuffles = [
        torch.randperm(maps[0].numel(), generator=generator) for _ in range(1 + random_orders)
    ]
    counts = _counts(maps[0].numel(), step)
    alike = forward.first_alike(images, classes)
    sound = [index for index, reason in enumerate(flaws) if reason is None]
    references = dict.fromkeys(alike[index] for index in sound)
    orders = len(sound) + random_orders * len(references)
    counter = Counter(progress, 2 * len(counts) * orders)
    walk = _Walk(network, counts, removed_to, batch_size, counter)
    random = {
        index: _random(walk, images[index], shuffles[1:], classes[index]) for index in references
    }
    return tuple(
        reason
        or Curves(
            *walk.both(images[index], _order(maps[index], shuffles[0]), classes[index]),
            *random[alike[index]],
        )
        for index, reason in enumerate(flaws)
    )


def _random(
    walk: _Walk, image: Tensor, orders: Sequence[Tensor], class_index: int
) -> tuple[Curve, Curve]:
    """Mean deletion and mean insertion of random orders."""
    pairs = [walk.both(image, order, class_index) for order in orders]
    return _mean([deletion for deletion, _ in pairs]), _mean([insertion for _, insertion in pairs])


def _counts(pixels: int, step: float) -> Tensor:
    """(K,) numbers of changed pixels: 0, every step, all."""
    steps = math.ceil(1 / step - 1e-9)
    on_the_way = {round(index * step * pixels) for index in range(steps)}
    return torch.tensor(sorted(on_the_way | {pixels}))


def _order(values: Tensor, shuffle: Tensor) -> Tensor:
    """Places (H·W,) in falling order of the map, equal values as shuffled."""
    return shuffle[values.flatten()[shuffle].argsort(descending=True, stable=True)]


def _mean(curves: Sequence[Curve]) -> Curve:
    return Curve(curves[0].shares, torch.stack([curve.probabilities for curve in curves]).mean(0))
