"""Saved numbers beside new ones: how far apart are they?"""

import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from advprop_core.compare.bundles.archive import Array
from advprop_core.compare.bundles.write import logit_arrays, map_arrays, picture_arrays
from advprop_core.text import legible
from advprop_core.types import Comparison

Kind = Literal["pixels", "probabilities", "maps"]
TOLERANCES: Mapping[Kind, float] = {"pixels": 1e-6, "probabilities": 1e-5, "maps": 1e-4}
"""What counts as rounding. Of maps, as a share of the largest value."""
_UNITS: Mapping[Kind, tuple[float, str]] = {
    "pixels": (255, "/255"),
    "probabilities": (100, " percentage points"),
    "maps": (100, " % of the largest"),
}
_PICTURES = {"clean": "the clean picture", "adversarial": "the perturbed picture"}


class Pair(NamedTuple):
    """One array as it was saved beside the same as it is now.

    Attributes:
        kind: Which of :data:`TOLERANCES` it is judged by.
        gap: The largest difference, in their unit; infinity where one is missing or the shapes
            differ.
        difference: What differs, in a sentence; None where it is the same, or within rounding.
    """

    kind: Kind
    gap: float
    difference: str | None


def pairs(
    arrays: Mapping[str, Array], maps: Mapping[str, Array], now: Comparison
) -> Iterator[Pair]:
    """Everything that a bundle saved, beside the same of a new comparison."""
    pictures = picture_arrays(now)
    for name, title in _PICTURES.items():
        yield _pair("pixels", f"pixels of {title}", arrays.get(name), pictures[name])
    answers = logit_arrays(now)
    logits = {name: values for name, values in arrays.items() if name.startswith("logits_")}
    for name in {**answers, **logits}:
        kind, _, branch = name.removeprefix("logits_").partition("_")
        title = f"answers of {branch} to {_PICTURES.get(kind, kind)}"
        yield _pair("probabilities", title, _shares(logits.get(name)), _shares(answers.get(name)))
    drawn = map_arrays(now)
    for name in {**drawn, **maps}:
        yield _pair("maps", f"map {legible(name)}", maps.get(name), drawn.get(name))


def _pair(kind: Kind, title: str, saved: Array | None, now: Array | None) -> Pair:
    if saved is None or now is None or saved.shape != now.shape:
        return Pair(kind, math.inf, f"{title}: {_extent(saved)} saved, {_extent(now)} now")
    moved: NDArray[np.float64] = np.abs(saved.astype(np.float64) - now)
    if kind == "maps":
        moved /= np.abs(saved).max(initial=0.0) or 1.0
    gap = float(moved.max(initial=0.0))
    if gap <= TOLERANCES[kind]:
        return Pair(kind, gap, None)
    factor, unit = _UNITS[kind]
    count, most = int((moved > 0).sum()), f"{factor * gap:.3g}{unit}"
    return Pair(kind, gap, f"{title}: {count:,} of {moved.size:,} values differ, by at most {most}")


def _shares(logits: Array | None) -> Array | None:
    """Probabilities, exactly as :class:`~advprop_core.types.Prediction` has them."""
    return None if logits is None else torch.from_numpy(logits).softmax(0).numpy()


def _extent(values: Array | None) -> str:
    return "none" if values is None else "×".join(map(str, values.shape))
