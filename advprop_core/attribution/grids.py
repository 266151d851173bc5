"""Many maps at once: all branches and inputs, or all layers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from advprop_core.attribution.cams import ForwardPass, strip
from advprop_core.attribution.layers import default_layer
from advprop_core.attribution.maps import (
    answer,
    finish,
    make_question,
    method_named,
    require_gradient,
    validate_options,
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
        self._branches = branches
        self._kinds = tuple(inputs)
        self._pixels = torch.cat(list(inputs.values()))
        cells = [(kind, branch) for kind in inputs for branch in branches]
        self._classes = (
            class_index if isinstance(class_index, Mapping) else dict.fromkeys(cells, class_index)
        )
        self._seed = seed
        self._passes = passes or {}
        self._questions: dict[str, Question] = {}

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
        chosen = method_named(method)
        validate_options(chosen, layer, options, min(self._pixels.shape[2:]))
        if layer is None and chosen.needs_layer:
            layer = default_layer(next(iter(self._branches.values())), self._pixels)
        maps: dict[tuple[InputKind, str], AttributionMap] = {}
        listeners = split(progress, [_PARTS] * len(self._branches))
        for branch, report in zip(self._branches, listeners, strict=True):
            question = replace(
                self._question(branch, chosen),
                method=chosen,
                layer=layer,
                options=options,
                progress=report,
            )
            for kind, values in zip(self._kinds, answer(question), strict=True):
                maps[kind, branch] = AttributionMap(
                    freeze(values), method, branch, kind, self._classes[kind, branch], layer
                )
        return {(kind, name): maps[kind, name] for kind in self._kinds for name in self._branches}

    def _question(self, branch: str, first: Method) -> Question:
        if branch not in self._questions:
            classes = [self._classes[kind, branch] for kind in self._kinds]
            self._questions[branch] = question = make_question(
                self._branches[branch], self._pixels, classes, first, self._seed
            )
            if (recorded := self._passes.get(branch)) is not None:
                question.made["pass", *recorded.outputs] = recorded
        return self._questions[branch]


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
