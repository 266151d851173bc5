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
from advprop_core.attribution.question import Progress
from advprop_core.methods import Method
from advprop_core.types import AttributionMap, InputKind, freeze

_PARTS = 1000  # of one call's progress


def explain_grid(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    class_index: int,
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

    The inputs of a branch go through it together, whatever is drawn is drawn alike for all, and
    methods that read the same backward pass share it.

    Args:
        branches: Name to frozen module, main first.
        inputs: Kind to (1, 3, H, W) pixels, all of one size.
        class_index: The class to explain.
        methods: Keys of :data:`~advprop_core.methods.METHODS`.
        layer: Dotted name for the layer methods among them; the first branch's
            :func:`default_layer` when not given.
        seed: Of everything a method draws.
        progress: Called with thousandths of maps that are done, and how many there are.
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
    layered = any(method.needs_layer for method in chosen)
    if any(len(pixels) != 1 for pixels in inputs.values()):
        raise ValueError("inputs must hold one image each")
    together = torch.cat(list(inputs.values()))
    if layer is None and layered:
        layer = default_layer(next(iter(branches.values())), together)
    calls = [(name, method) for name in branches for method in chosen]
    questions = {
        name: make_question(module, together, class_index, chosen[0], seed)
        for name, module in branches.items()
        if chosen
    }
    made: dict[tuple[str, InputKind, str], AttributionMap] = {}
    for index, (name, method) in enumerate(calls):
        place, own = layer if method.needs_layer else None, options_of(method, options)
        validate_options(method, place, own)
        report = _part(progress, index, len(calls))
        question = replace(questions[name], method=method, layer=place, progress=report)
        values = answer(with_options(question, own))
        for kind, value in zip(inputs, values, strict=True):
            made[method.name, kind, name] = AttributionMap(
                freeze(value), method.name, name, kind, class_index, place
            )
    order = [(m.name, kind, name) for m in chosen for kind in inputs for name in branches]
    return {cell: made[cell] for cell in order}


def explain_layers(
    module: nn.Module,
    pixels: Tensor,
    class_index: int,
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
    known = known_method(method)
    if method not in FORMULAS:
        raise ValueError(f"method must be one of {', '.join(FORMULAS)}, got {method!r}")
    if len(pixels) != 1:
        raise ValueError(f"pixels must hold one image, got {len(pixels)}")
    if not layers:
        raise ValueError("layers must name at least one layer")
    question = make_question(module, pixels, class_index, known)
    require_gradient(question)
    return finish(torch.cat(strip(question, layers, FORMULAS[method])), known)


def options_of(method: Method, options: Mapping[str, int | None]) -> dict[str, int | None]:
    """Those of the options that the method has."""
    return {name: value for name, value in options.items() if name in method.options}


def _validate(
    methods: Sequence[Method], layer: str | None, options: Mapping[str, int | None]
) -> None:
    names = ", ".join(method.name for method in methods)
    if layer is not None and not any(method.needs_layer for method in methods):
        raise ValueError(f"none of {names} has a layer, got layer={layer!r}")
    for name, value in options.items():
        if value is not None and not any(name in method.options for method in methods):
            raise ValueError(f"none of {names} has a {name}, got {name}={value!r}")


def _part(progress: Progress | None, index: int, calls: int) -> Progress | None:
    if progress is None:
        return None

    def report(done: int, total: int) -> None:
        progress(_PARTS * index + _PARTS * done // total, _PARTS * calls)

    return report
