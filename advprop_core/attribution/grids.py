"""Many maps at once: all branches and inputs, or all layers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from advprop_core.attribution.cams import ForwardPass, strip
from advprop_core.attribution.layers import default_layer
from advprop_core.attribution.maps import (
    answer,
    checked_method,
    finish,
    make_question,
    require_gradient,
)
from advprop_core.attribution.methods import METHODS, Method
from advprop_core.attribution.progress import split
from advprop_core.attribution.question import Question
from advprop_core.types import AttributionMap, InputKind, Progress, freeze

_PARTS = 1000  # of one call's progress


class MapMaker:
    """Makes maps of several branches on several inputs, method by method.

    The inputs of a branch go through it together, and whatever is drawn is drawn alike for all.
    Methods that read the same backward pass share it for as long as the maker lives.

    Args:
        branches: Name to frozen module, main first.
        inputs: Kind to (1, 3, H, W) pixels, all of one size.
        class_index: The class to explain, or one for each (kind, branch).
        seed: Of everything a method draws.
        passes: Branch to a forward pass that began with the inputs, in their order; maps of its
            layer alone need no other one.
    """

    def __init__(
        self,
        branches: Mapping[str, nn.Module],
        inputs: Mapping[InputKind, Tensor],
        class_index: int | Mapping[tuple[InputKind, str], int],
        *,
        seed: int = 0,
        passes: Mapping[str, ForwardPass] | None = None,
    ) -> None:
        self._kinds = tuple(inputs)
        self._questions: dict[str, Question] = {}
        pixels = torch.cat([*inputs.values()])
        any_method = METHODS["saliency"]  # each call of `make` says which it is
        for branch, module in branches.items():
            classes = [
                class_index[kind, branch] if isinstance(class_index, Mapping) else class_index
                for kind in inputs
            ]
            question = make_question(module, pixels, classes, any_method, seed)
            if (recorded := (passes or {}).get(branch)) is not None:
                question.made["pass", *recorded.outputs] = recorded
            self._questions[branch] = question

    def make(
        self,
        method: str,
        layer: str | None = None,
        *,
        progress: Progress | None = None,
        **options: int | None,
    ) -> dict[tuple[InputKind, str], AttributionMap]:
        """The maps of one method: (kind, branch) to map; kinds vary slowest.

        Takes and refuses what :func:`~advprop_core.attribution.maps.explain` does, but the default
        layer is the first branch's for all, and progress is told in thousandths of maps.
        """
        first = next(iter(self._questions.values()))
        chosen = checked_method(method, layer, options, min(first.pixels.shape[2:]))
        if layer is None and chosen.needs_layer:
            layer = default_layer(first.module, first.pixels)
        maps: dict[tuple[InputKind, str], AttributionMap] = {}
        listeners = split(progress, [_PARTS] * len(self._questions))
        for (branch, common), report in zip(self._questions.items(), listeners, strict=True):
            question = replace(common, method=chosen, layer=layer, options=options, progress=report)
            values = answer(question)
            for kind, drawn, index in zip(self._kinds, values, question.targets, strict=True):
                maps[kind, branch] = AttributionMap(
                    freeze(drawn), method, branch, kind, index, layer
                )
        return {(kind, name): maps[kind, name] for kind in self._kinds for name in self._questions}


def explain_layers(
    module: nn.Module, pixels: Tensor, class_index: int, layers: Sequence[str]
) -> Tensor:
    """Grad-CAM of one image, (1, 3, H, W), at several layers, from one backward pass.

    Returns:
        (L, H, W) float32 on the CPU, unscaled; each layer has a scale of its own.

    Raises:
        UnknownLayer: For a layer that the network does not have or never runs.
        NoGradient: If the score does not depend on the pixels or on a layer.
    """
    question = make_question(module, pixels, class_index, METHODS["grad-cam"])
    require_gradient(question)
    with torch.inference_mode(False):
        return finish(torch.cat(strip(question, layers)), question.method)


def options_of(method: Method, options: Mapping[str, int | None]) -> dict[str, int | None]:
    """Those of the options that the method has."""
    return {name: value for name, value in options.items() if name in method.options}
