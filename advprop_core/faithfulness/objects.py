"""Does the map look at the object? On TextureShapes, whose true masks are known."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from advprop_core.attribution.progress import Counter
from advprop_core.datasets.texture_shapes.scenes import Scene
from advprop_core.evaluation.bootstrap import percentile_interval, resampled_means
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.faithfulness.maps import (
    Score,
    Undefined,
    check_maps,
    defined,
    flaw,
    reasons,
    why_none,
)
from advprop_core.types import Progress

_Figure = TypeVar("_Figure")

MakeSceneMap = Callable[[Tensor, tuple[int, ...]], Tensor]
"""(N, 3, H, W) pixels and the N true classes to (N, H, W) maps."""


@dataclass(frozen=True)
class Estimate:
    """A mean over n pictures that have a value, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class ObjectShare:
    """How much of maps lies on the object, over a set of scenes.

    Attributes:
        share: Mean share of the positive values that lies inside the object, with a seeded
            bootstrap interval.
        pointing: Share of scenes whose largest value lies on the object, with Wilson's.
        area: Mean share of the picture that the object covers: what a map would score that
            knows nothing.
        shares: The share of each scene.
        hits: The hit of each scene.
        areas: The object's share of each scene.
        undefined: Why scenes have no share, each with how many; they are left out above.
    """

    share: Estimate | Undefined
    pointing: Estimate | Undefined
    area: float
    shares: tuple[Score, ...]
    hits: tuple[bool | Undefined, ...]
    areas: tuple[float, ...]
    undefined: dict[str, int]


@dataclass(frozen=True)
class ObjectDifference:
    """Second minus first, scene by scene, over scenes where both have a value.

    Attributes:
        share: Mean difference of the shares inside the object, with a bootstrap interval.
        pointing: Mean difference of the hits, likewise.
        words: What the share's interval allows to say.
    """

    share: Estimate | Undefined
    pointing: Estimate | Undefined
    words: str


def object_share(
    make_map: MakeSceneMap,
    scenes: Sequence[Scene],
    *,
    seed: int = 0,
    batch_size: int = 16,
    progress: Progress | None = None,
) -> ObjectShare:
    """Pointing game (Zhang et al., arXiv 1608.00507) and share inside the object, over scenes.

    Scenes are of one size. Maps may explain the predicted class instead of the true one. The seed
    is that of the bootstrap; progress is called with (scenes done, all scenes), and may raise to
    stop.
    """
    counter = Counter(progress, len(scenes))
    shares: list[Score] = []
    hits: list[bool | Undefined] = []
    areas: list[float] = []
    for pixels, masks, classes in _batches(scenes, batch_size):
        maps = make_map(pixels, classes)
        shares += inside_shares(maps, masks)
        hits += pointing_hits(maps, masks)
        areas += masks.double().mean((1, 2)).tolist()
        counter.add(len(maps))
    return ObjectShare(
        estimate_mean(shares, seed=seed),
        estimate_share(hits),
        sum(areas) / len(areas),
        tuple(shares),
        tuple(hits),
        tuple(areas),
        reasons(shares),
    )


def compare_object_shares(
    first: ObjectShare, second: ObjectShare, *, seed: int = 0
) -> ObjectDifference:
    """Whether the second looks at the object more than the first, on the same scenes.

    Taking differences scene by scene removes what makes a scene easy or hard, so this tells
    more than two intervals beside each other.
    """
    share = estimate_mean([*map(_difference, first.shares, second.shares)], seed=seed)
    pointing = estimate_mean([*map(_difference, first.hits, second.hits)], seed=seed)
    if isinstance(share, Undefined):
        words = f"Nothing can be said: {share.reason}."
    elif share.low <= 0 <= share.high:
        words = f"No difference is established: the share inside the object moves by {share}."
    else:
        more = "more" if share.value > 0 else "less"
        words = f"The second looks at the object {more}: the share inside it moves by {share}."
    return ObjectDifference(share, pointing, words)


def estimate_mean(values: Sequence[Score], *, seed: int = 0) -> Estimate | Undefined:
    """Mean with a percentile bootstrap (1000 resamples), over the values that exist.

    A bootstrap stays within the range of the values, which an interval by Student's t does not.
    Undefined where fewer than two pictures have a value.
    """
    numbers = defined(values)
    if not numbers:
        return why_none(values)
    if len(numbers) == 1:
        return Undefined("one picture has no interval")
    data = torch.tensor(numbers, dtype=torch.float64)
    low, high = percentile_interval(resampled_means(data[:, None], seed)[:, 0])
    return Estimate(float(data.mean()), low, high, len(data))


def estimate_share(hits: Sequence[bool | Undefined]) -> Estimate | Undefined:
    """Share of hits with Wilson's score interval, over those that exist."""
    counted = defined(hits)
    if not counted:
        return why_none(hits)
    low, high = wilson_interval(sum(counted), len(counted))
    return Estimate(sum(counted) / len(counted), low, high, len(counted))


def inside_shares(maps: Tensor, masks: Tensor) -> tuple[Score, ...]:
    """Share of the positive values of (N, H, W) maps that lies inside (N, H, W) bool masks.

    Returns:
        Values in [0, 1]; undefined for a map that puts no pixel before another or has no
        positive value, and for an empty mask.
    """
    return _each(maps, masks, _inside)


def pointing_hits(maps: Tensor, masks: Tensor) -> tuple[bool | Undefined, ...]:
    """Whether each map's largest value lies on its mask; of several, all must.

    Shapes and what is undefined are those of :func:`inside_shares`.
    """
    return _each(maps, masks, lambda values, mask: bool(mask[values == values.max()].all()))


def _batches(
    scenes: Sequence[Scene], batch_size: int
) -> Iterator[tuple[Tensor, Tensor, tuple[int, ...]]]:
    for start in range(0, len(scenes), batch_size):
        batch = scenes[start : start + batch_size]
        images = torch.from_numpy(np.stack([scene.image for scene in batch]))
        masks = torch.from_numpy(np.stack([scene.mask for scene in batch]))
        pixels = images.permute(0, 3, 1, 2).contiguous().float() / 255
        yield pixels, masks, tuple(scene.shape for scene in batch)


def _each(
    maps: Tensor, masks: Tensor, measure: Callable[[Tensor, Tensor], _Figure]
) -> tuple[_Figure | Undefined, ...]:
    no_object = Undefined("the scene shows no object")
    return tuple(
        flaw(values) or (measure(values, mask) if mask.any() else no_object)
        for values, mask in zip(check_maps(maps, masks.shape), masks.bool(), strict=True)
    )


def _inside(values: Tensor, mask: Tensor) -> Score:
    positive = values.double().clamp_min(0)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total else Undefined("the map is never positive")


def _difference(first: Score, second: Score) -> Score:
    if isinstance(first, Undefined):
        return first
    return second if isinstance(second, Undefined) else second - first
