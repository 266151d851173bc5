"""Maps as the checks take them, and what is said where nothing can be."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from advprop_core.pictures.digests import raw_bytes

_FLAT = 1e-6  # a spread this small beside the largest value is rounding, as after interpolation


@dataclass(frozen=True)
class Undefined:
    """A figure that does not exist for this map.

    Attributes:
        reason: Why, as a clause: "the map is constant".
    """

    reason: str

    def __str__(self) -> str:
        return f"undefined: {self.reason}"


Score = float | Undefined
"""A figure, or why there is none."""

_Value = TypeVar("_Value")


def plain(result: Any) -> Any:
    """A result as JSON holds it, field by field; ``{"undefined": reason}`` where there is none."""
    if isinstance(result, Undefined):
        return {"undefined": result.reason}
    if is_dataclass(result):
        return {field.name: plain(getattr(result, field.name)) for field in fields(result)}
    return result


def flaw(values: Tensor) -> Undefined | None:
    """Why a map (H, W) puts no pixel before another; None for a sound map."""
    if not values.numel():
        return Undefined("the map is empty")
    if not torch.isfinite(values).all():
        return Undefined("the map is not finite")
    low, high = values.min().item(), values.max().item()
    if low == high == 0:
        return Undefined("the map is zero everywhere")
    if high - low <= _FLAT * max(abs(low), abs(high)):
        return Undefined("the map is constant")
    return None


def as_evidence(values: Tensor, method: str) -> Tensor:
    """A map whose 0 means nothing and whose positive values speak for the class.

    The gradient of the loss speaks against it, and RISE's values never come near 0, so only
    their height above the lowest of (…, H, W) counts.
    """
    if method == "loss-gradient":
        return -values
    return values - values.amin((-2, -1), keepdim=True) if method == "rise" else values


def check_maps(maps: Tensor, shape: Sequence[int]) -> Tensor:
    """Maps on the CPU in float32, detached; raises ValueError if they have another shape."""
    if maps.shape != tuple(shape):
        raise ValueError(f"maps must have shape {tuple(shape)}, got {tuple(maps.shape)}")
    return maps.detach().float().cpu().contiguous()


def first_alike(pixels: Tensor, classes: Sequence[int]) -> list[int]:
    """For each image, the place of the first with the same pixels and the same class.

    What depends on these two alone is measured once for several maps of one image.
    """
    first: dict[tuple[bytes, int], int] = {}
    keys = zip(map(raw_bytes, pixels), classes, strict=True)
    return [first.setdefault(key, index) for index, key in enumerate(keys)]


def defined(values: Iterable[_Value | Undefined]) -> list[_Value]:
    """Those of the values that exist, in their order."""
    return [value for value in values if not isinstance(value, Undefined)]


def reasons(values: Iterable[object]) -> dict[str, int]:
    """Why values are undefined, each with how many are, the most frequent first."""
    counted = Counter(value.reason for value in values if isinstance(value, Undefined))
    return dict(counted.most_common())


def mean(values: Sequence[Score]) -> Score:
    """Mean of the values that exist; undefined where none does."""
    numbers = defined(values)
    return sum(numbers) / len(numbers) if numbers else why_none(values)


def why_none(values: Iterable[object]) -> Undefined:
    """The reason most values give for not existing."""
    return Undefined(next(iter(reasons(values)), "there is no value"))
