"""Does the map change when the network forgets what it learnt?

Adebayo et al., "Sanity Checks for Saliency Maps", arXiv 1810.03292.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from advprop_core.faithfulness.agreement import spearman
from advprop_core.faithfulness.maps import Score, Undefined, defined, mean
from advprop_core.faithfulness.stages import layers_by_stage, randomise

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
        correlation: Spearman's rank correlation with the original map, mean over the draws.
        absolute_correlation: The same of the absolute values, for signed maps whose sign alone
            flips.
        draws: How often the weights were drawn.
    """

    stage: str
    correlation: Score
    absolute_correlation: Score
    draws: int


@dataclass(frozen=True)
class RandomisationCheck:
    """The whole cascade of one map, from the head down.

    Attributes:
        steps: One per stage, the head first; at the last, every weight is random.
        refused: Why a random network has no map, where the method refuses.
    """

    steps: tuple[RandomisationStep, ...]
    refused: str = ""

    @property
    def kept(self) -> Score:
        """What is left with every weight random: the larger mean, by which the verdict goes."""
        last = self.steps[-1]
        means = defined([last.correlation, last.absolute_correlation])
        return max(means, key=abs) if means else last.correlation

    @property
    def verdict(self) -> Verdict:
        """Below 0.2 the map follows the weights, from 0.5 on it is mostly the picture.

        The bounds are this project's own.
        """
        if isinstance(self.kept, Undefined):
            return "undefined"
        if abs(self.kept) < _LITTLE:
            return "follows the weights"
        return "mostly the picture" if abs(self.kept) >= _MUCH else "partly the picture"

    @property
    def words(self) -> str:
        """The verdict as a sentence."""
        if isinstance(self.kept, Undefined):
            why = f"nothing can be compared: {self.kept}"
            return f"With every weight random {self.refused or why}."
        what = "map" if self.kept == self.steps[-1].correlation else "absolute map"
        return (
            f"With every weight random the {what} has a rank correlation of {self.kept:.2f} with "
            f"the original: {_WORDS[self.verdict]}."
        )


@torch.inference_mode(False)  # copies made in that mode could not have a gradient
def check_randomisation(
    module: nn.Module,
    pixels: Tensor,
    make_map: Callable[[nn.Module, Tensor], Tensor],
    original: Tensor,
    *,
    stages: Sequence[str],
    draws: int,
    seed: int = 0,
) -> tuple[RandomisationCheck, ...]:
    """Cascading model randomisation, a check for each picture.

    Only private copies are randomised and handed to ``make_map``. One picture's correlations
    scatter widely, so draw several times. Random networks react to edges and textures too, so
    unsigned maps seldom fall to 0.

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W) in [0, 1].
        make_map: (network, pixels) to maps (N, H, W). It must go on explaining the class of the
            trained network, not the one that a random network predicts.
        original: (N, H, W) maps of the module itself.
        stages: Some of the :func:`~advprop_core.faithfulness.stages.cascade_stages`.
        draws: How often the weights are drawn.
        seed: Of the weights.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn: dict[str, list[tuple[tuple[Score, ...], tuple[Score, ...]]]]
    drawn = {name: [] for name in reversed(stages)}
    for _ in range(draws):
        network = copy.deepcopy(module)  # one at a time in memory
        # Never brought back, so that each step has all weights from the head down at random.
        for name, layers in reversed(layers_by_stage(network, stages).items()):
            randomise(layers, generator)
            maps = make_map(network, pixels)
            drawn[name].append((spearman(original, maps), spearman(original.abs(), maps.abs())))

    def step(name: str, index: int) -> RandomisationStep:
        plain, absolute = (
            mean([scores[index] for scores in kind]) for kind in zip(*drawn[name], strict=True)
        )
        return RandomisationStep(name, plain, absolute, draws)

    return tuple(
        RandomisationCheck(tuple(step(name, index) for name in drawn))
        for index in range(len(pixels))
    )
