"""Does the map change when the network forgets what it learnt?

Adebayo et al., "Sanity Checks for Saliency Maps", arXiv 1810.03292.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from advprop_core.attribution.progress import Counter
from advprop_core.faithfulness.agreement import spearman
from advprop_core.faithfulness.maps import (
    Score,
    Undefined,
    call_maker,
    check_maps,
    defined,
    map_shape,
    mean,
)
from advprop_core.faithfulness.stages import cascade_stages, layers_by_stage, randomise
from advprop_core.predict import require_eval
from advprop_core.processes import Progress
from advprop_core.types import require_count

Verdict = Literal["follows the weights", "partly the picture", "mostly the picture", "undefined"]

_LITTLE, _MUCH = 0.2, 0.5  # the paper names no bounds

_WORDS: dict[Verdict, str] = {
    "follows the weights": "it depends on what the network learnt",
    "partly the picture": "part of its order comes from the picture, whatever was learnt",
    "mostly the picture": "most of its order comes from the picture, whatever was learnt",
}


@dataclass(frozen=True)
class RandomisationStep:
    """The map after one more stage lost its weights.

    Attributes:
        stage: The stage that was randomised last; all deeper ones were before.
        correlations: Spearman's rank correlation with the original map, draw by draw and within
            a draw image by image.
        absolute_correlations: The same of the absolute values, for signed maps whose sign
            alone flips.
    """

    stage: str
    correlations: tuple[Score, ...]
    absolute_correlations: tuple[Score, ...]

    @property
    def mean(self) -> Score:
        """Mean of the correlations that exist."""
        return mean(self.correlations)

    @property
    def absolute_mean(self) -> Score:
        """Mean of the correlations of absolute values that exist."""
        return mean(self.absolute_correlations)


@dataclass(frozen=True)
class RandomisationCheck:
    """The whole cascade, from the head down.

    Attributes:
        steps: One per stage, the head first; at the last, every weight is random.
        verdict: By the larger mean of the last step: below 0.2 the map follows the weights,
            from 0.5 on it is mostly the picture. The bounds are this project's own.
        words: The verdict as a sentence.
    """

    steps: tuple[RandomisationStep, ...]
    verdict: Verdict
    words: str

    @property
    def kept(self) -> Score:
        """What is left with every weight random: the larger mean, by which the verdict goes."""
        last = self.steps[-1]
        means = defined([last.mean, last.absolute_mean])
        return max(means, key=abs) if means else last.mean

    def of_picture(self, index: int, count: int) -> RandomisationCheck:
        """What it says of one of ``count`` pictures that were shown together."""
        steps = tuple(
            RandomisationStep(
                step.stage,
                step.correlations[index::count],
                step.absolute_correlations[index::count],
            )
            for step in self.steps
        )
        return _judged(steps)


@torch.inference_mode(False)  # copies made in that mode could not have a gradient
def check_randomisation(
    module: nn.Module,
    pixels: Tensor,
    make_map: Callable[[nn.Module, Tensor], Tensor],
    *,
    stages: Sequence[str] | None = None,
    draws: int = 1,
    original: Tensor | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> RandomisationCheck:
    """Cascading model randomisation (Adebayo et al., arXiv 1810.03292).

    Only private copies are randomised and handed to ``make_map``. One picture's correlations
    scatter widely, so show it several pictures or draw several times. Random networks react to
    edges and textures too, so unsigned maps seldom fall to 0.

    Args:
        module: A frozen branch, never touched.
        pixels: (N, 3, H, W) in [0, 1].
        make_map: (network, pixels) to maps (N, H, W). It must go on explaining the class of the
            trained network, not the one that a random network predicts.
        stages: Dotted names inside the network, shallow to deep;
            :func:`~advprop_core.faithfulness.stages.cascade_stages` when not given.
        draws: How often the weights are drawn.
        original: (N, H, W) maps of the module itself, where they have been made already.
        seed: Of the weights.
        progress: Called with (maps made, all maps); it may raise to stop.

    Raises:
        TypeError: If pixels or maps are not floats.
        ValueError: For a module in training mode, an argument out of its range, a stage that
            does not exist, or maps of another shape.
    """
    require_count("draws", draws)
    require_eval(module)
    map_shape(pixels)
    names = tuple(stages) if stages is not None else cascade_stages(module)
    layers_by_stage(module, names)  # refuses unknown stages before any work is done
    clean = pixels.detach()
    counter = Counter(progress, (original is None) + draws * len(names))
    if original is None:
        original = call_maker(lambda shown: make_map(copy.deepcopy(module), shown), clean)
        counter.add()
    original = check_maps(original, map_shape(clean), "original")
    maps_by_stage: dict[str, list[Tensor]] = {name: [] for name in reversed(names)}
    generator = torch.Generator().manual_seed(seed)
    for _ in range(draws):
        for name, maps in _cascade(module, clean, make_map, names, generator):
            maps_by_stage[name].append(maps)
            counter.add()
    return _judged(tuple(_step(name, original, maps) for name, maps in maps_by_stage.items()))


def _cascade(
    module: nn.Module,
    pixels: Tensor,
    make_map: Callable[[nn.Module, Tensor], Tensor],
    stages: Sequence[str],
    generator: torch.Generator,
) -> Iterator[tuple[str, Tensor]]:
    """(stage, maps) from the head down, with one copy of the network in memory."""
    network = copy.deepcopy(module)
    for name, layers in reversed(layers_by_stage(network, stages).items()):
        randomise(layers, generator)
        yield name, call_maker(lambda shown: make_map(network, shown), pixels)


def _step(name: str, original: Tensor, maps: Sequence[Tensor]) -> RandomisationStep:
    plain = [score for drawn in maps for score in spearman(original, drawn)]
    absolute = [score for drawn in maps for score in spearman(original.abs(), drawn.abs())]
    return RandomisationStep(name, tuple(plain), tuple(absolute))


def _judged(steps: tuple[RandomisationStep, ...]) -> RandomisationCheck:
    check = RandomisationCheck(steps, "undefined", "")
    if isinstance(check.kept, Undefined):
        words = f"With every weight random nothing can be compared: {check.kept}."
        return replace(check, words=words)
    verdict: Verdict = "partly the picture"
    if abs(check.kept) < _LITTLE:
        verdict = "follows the weights"
    elif abs(check.kept) >= _MUCH:
        verdict = "mostly the picture"
    what = "map" if check.kept == steps[-1].mean else "absolute map"
    words = (
        f"With every weight random the {what} has a rank correlation of {check.kept:.2f} with the "
        f"original: {_WORDS[verdict]}."
    )
    return RandomisationCheck(steps, verdict, words)
