"""Many maps at once: all branches and inputs, or all layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from advprop_core.attribution.cams import FORMULAS, strip
from advprop_core.attribution.layers import default_layer
from advprop_core.attribution.maps import (
    answer,
    finish,
    known_method,
    make_question,
    require_gradient,
    validate_options,
    with_options,
)
from advprop_core.attribution.methods import Method
from advprop_core.attribution.progress import split
from advprop_core.attribution.question import ClassIndex, Question, class_per_image
from advprop_core.errors import InputError
from advprop_core.processes import Progress
from advprop_core.types import AttributionMap, InputKind, freeze

_PARTS = 1000  # of one call's progress


class MapMaker:
    """Makes maps of several branches on several inputs, method by method; all of one class.

    The inputs of a branch go through it together, and whatever is drawn is drawn alike for all.
    Methods that read the same backward pass share it for as long as the maker lives.
    """

    def __init__(
        self,
        branches: Mapping[str, nn.Module],
        inputs: Mapping[InputKind, Tensor],
        class_index: ClassIndex,
        *,
        seed: int = 0,
    ) -> None:
        """Say what is explained; nothing is computed yet.

        Args:
            branches: Name to frozen module, main first.
            inputs: Kind to (1, 3, H, W) pixels, all of one size.
            class_index: The class to explain.
            seed: Of everything a method draws.

        Raises:
            ValueError: If an input holds another number of images than one.
        """
        if any(len(pixels) != 1 for pixels in inputs.values()):
            raise InputError("inputs must hold one image each")
        self._branches = branches
        self._kinds = tuple(inputs)
        self._pixels = torch.cat(list(inputs.values()))
        (self._class_index,) = class_per_image(class_index, 1)
        self._seed = seed
        self._questions: dict[str, Question] = {}

    def make(
        self,
        method: str,
        layer: str | None = None,
        *,
        progress: Progress | None = None,
        window: int | None = None,
        stride: int | None = None,
        samples: int | None = None,
    ) -> dict[tuple[InputKind, str], AttributionMap]:
        """The maps of one method.

        Args:
            method: A key of :data:`~advprop_core.attribution.methods.METHODS`.
            layer: Dotted name for a layer method; the first branch's :func:`default_layer` when
                not given.
            progress: Called with thousandths of maps that are done, and how many there are.
            window: Side of the square in pixels, for methods that have one.
            stride: How far that square moves, for methods that have one.
            samples: Number of random copies or masks, for methods that have them.

        Returns:
            (kind, branch) to map; kinds vary slowest.

        Raises:
            ValueError: For what :func:`explain` refuses.
        """
        chosen = known_method(method)
        options = {"window": window, "stride": stride, "samples": samples}
        validate_options(chosen, layer, options, min(self._pixels.shape[2:]))
        if layer is None and chosen.needs_layer:
            layer = default_layer(next(iter(self._branches.values())), self._pixels)
        maps: dict[tuple[InputKind, str], AttributionMap] = {}
        listeners = split(progress, [_PARTS] * len(self._branches))
        for branch, report in zip(self._branches, listeners, strict=True):
            question = replace(
                self._question(branch, chosen), method=chosen, layer=layer, progress=report
            )
            values = answer(with_options(question, options))
            for kind, value in zip(self._kinds, values, strict=True):
                maps[kind, branch] = AttributionMap(
                    freeze(value), method, branch, kind, self._class_index, layer
                )
        return {(kind, name): maps[kind, name] for kind in self._kinds for name in self._branches}

    def _question(self, branch: str, first: Method) -> Question:
        if branch not in self._questions:
            self._questions[branch] = make_question(
                self._branches[branch], self._pixels, self._class_index, first, self._seed
            )
        return self._questions[branch]


def explain_grid(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    class_index: ClassIndex,
    methods: Sequence[str],
    layer: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    samples: int | None = None,
) -> dict[tuple[str, InputKind, str], AttributionMap]:
    """Maps of every branch on every input by every method; all explain the same class.

    What :class:`MapMaker` makes of several methods, all at the same layer.

    Args:
        branches: Name to frozen module, main first.
        inputs: Kind to (1, 3, H, W) pixels, all of one size.
        class_index: The class to explain.
        methods: Keys of :data:`~advprop_core.attribution.methods.METHODS`.
        layer: Dotted name for the layer methods among them; the first branch's
            :func:`default_layer` when not given.
        seed: Of everything a method draws.
        progress: Called with thousandths of methods that are done, and how many there are.
        window: Side of the square in pixels, for the methods that have one.
        stride: How far that square moves, for the methods that have one.
        samples: Number of random copies or masks, for the methods that have them.

    Returns:
        (method, kind, branch) to map; methods vary slowest, then kinds.

    Raises:
        ValueError: For a layer or an option that no method has a use for, and what
            :func:`explain` refuses.
    """
    chosen = [known_method(name) for name in methods]
    options = {"window": window, "stride": stride, "samples": samples}
    _validate(chosen, layer, options)
    maker = MapMaker(branches, inputs, class_index, seed=seed)
    if layer is None and any(method.needs_layer for method in chosen):
        layer = default_layer(next(iter(branches.values())), torch.cat(list(inputs.values())))
    return {
        (method.name, *cell): attribution
        for method, report in zip(chosen, split(progress, [_PARTS] * len(chosen)), strict=True)
        for cell, attribution in maker.make(
            method.name,
            layer if method.needs_layer else None,
            progress=report,
            **options_of(method, options),
        ).items()
    }


def explain_layers(
    module: nn.Module,
    pixels: Tensor,
    class_index: ClassIndex,
    layers: Sequence[str],
    method: str = "grad-cam",
) -> Tensor:
    """Maps of one image at several layers, from one forward and one backward pass.

    Args:
        module: A frozen branch, plain or folded.
        pixels: (1, 3, H, W) in [0, 1].
        class_index: The class to explain.
        layers: Dotted names, such as those of :func:`stages`.
        method: ``grad-cam``, ``grad-cam-plus-plus``, ``layer-cam``, ``hires-cam`` or
            ``eigen-cam``.

    Returns:
        (L, H, W) float32 on the CPU, unscaled; each layer has a scale of its own.

    Raises:
        UnknownLayer: For a layer that the network does not have or never runs.
        NoGradient: If the score does not depend on the pixels or on a layer.
        ValueError: For another method, more than one image, or no layer.
    """
    chosen = known_method(method)
    if method not in FORMULAS:
        raise InputError(f"method must be one of {', '.join(FORMULAS)}, got {method!r}")
    if len(pixels) != 1:
        raise InputError(f"pixels must hold one image, got {len(pixels)}")
    if not layers:
        raise InputError("layers must name at least one layer")
    question = make_question(module, pixels, class_index, chosen)
    require_gradient(question)
    with torch.inference_mode(False):
        return finish(torch.cat(strip(question, layers, FORMULAS[method])), chosen)


def options_of(method: Method, options: Mapping[str, int | None]) -> dict[str, int | None]:
    """Those of the options that the method has."""
    return {name: value for name, value in options.items() if name in method.options}


def _validate(
    methods: Sequence[Method], layer: str | None, options: Mapping[str, int | None]
) -> None:
    names = ", ".join(method.name for method in methods)
    if layer is not None and not any(method.needs_layer for method in methods):
        raise InputError(f"none of {names} has a layer, got layer={layer!r}")
    for name, value in options.items():
        if value is not None and not any(name in method.options for method in methods):
            raise InputError(f"none of {names} has a {name}, got {name}={value!r}")
