"""Saved numbers beside new ones: how far apart are they?"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, eq=False)
class Pair:
    """One array as it was saved and as it is now; None where it is not there.

    Attributes:
        kind: Which of :data:`TOLERANCES` it is judged by.
        title: What it holds, in words.
        saved: The saved one.
        now: The new one.
    """

    kind: Kind
    title: str
    saved: Array | None
    now: Array | None

    @property
    def gap(self) -> float:
        """The largest difference, in the unit of :data:`TOLERANCES`; of unlike shapes, infinity."""
        apart = self._apart
        return math.inf if apart is None else float(apart.max(initial=0.0))

    @property
    def difference(self) -> str | None:
        """What differs, in a sentence; None where it is the same, or within rounding."""
        apart = self._apart
        if apart is None:
            return f"{self.title}: {_extent(self.saved)} saved, {_extent(self.now)} now"
        if self.gap <= TOLERANCES[self.kind]:
            return None
        factor, unit = _UNITS[self.kind]
        count, most = int((apart > 0).sum()), f"{factor * self.gap:.3g}{unit}"
        return f"{self.title}: {count:,} of {apart.size:,} values differ, by at most {most}"

    @property
    def _apart(self) -> NDArray[np.float64] | None:
        """How far each value moved; of maps, as a share of the largest."""
        if self.saved is None or self.now is None or self.saved.shape != self.now.shape:
            return None
        moved: NDArray[np.float64] = np.abs(self.saved.astype(np.float64) - self.now)
        largest = float(np.abs(self.saved).max(initial=0.0)) if self.kind == "maps" else 1.0
        return moved / (largest or 1.0)


def pairs(
    arrays: Mapping[str, Array], maps: Mapping[str, Array], now: Comparison
) -> Iterator[Pair]:
    """Everything that a bundle saved, beside the same of a new comparison."""
    pictures = picture_arrays(now)
    for name, title in _PICTURES.items():
        yield Pair("pixels", f"pixels of {title}", arrays.get(name), pictures[name])
    answers = logit_arrays(now)
    logits = {name: values for name, values in arrays.items() if name.startswith("logits_")}
    for name in {**answers, **logits}:
        kind, _, branch = name.removeprefix("logits_").partition("_")
        title = f"answers of {branch} to {_PICTURES.get(kind, kind)}"
        yield Pair("probabilities", title, _shares(logits.get(name)), _shares(answers.get(name)))
    drawn = map_arrays(now)
    for name in {**drawn, **maps}:
        yield Pair("maps", f"map {legible(name)}", maps.get(name), drawn.get(name))


def _shares(logits: Array | None) -> Array | None:
    """Probabilities, exactly as :class:`~advprop_core.types.Prediction` has them."""
    return None if logits is None else torch.from_numpy(logits).softmax(0).numpy()


def _extent(values: Array | None) -> str:
    return "none" if values is None else "×".join(map(str, values.shape))
