"""Which maps the options of ``explain`` ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from advprop_core.attribution.methods import METHODS, STAGES, MapChoice
from advprop_core.cli.values import split_list
from advprop_core.errors import InputError
from advprop_core.text import did_you_mean

ALL: Final = "all"


def read_choice(
    method: Sequence[str] | None,
    layer: Sequence[str] | None,
    options: Mapping[str, int | None],
    seed: int,
) -> MapChoice:
    """What the options ask for.

    Args:
        method: Values of --method; grad-cam when there is none.
        layer: Values of --layer.
        options: Values of --window, --stride and --samples by name.
        seed: Value of --seed.

    Raises:
        InputError: For an unknown method, or an option that no chosen method has a use for.
    """
    named = split_list(method) or ["grad-cam"]
    for name in named:
        if name not in METHODS and name != ALL:
            hint = did_you_mean(name, (ALL, *METHODS))
            raise InputError(f"--method has no {name!r}. {hint}")
    methods = tuple(METHODS) if ALL in named else tuple(named)
    layers = tuple(split_list(layer))
    if STAGES in layers and len(layers) > 1:
        raise InputError(f"--layer must be {STAGES} alone or names of layers, got {list(layers)}")
    if layers and not any(METHODS[name].needs_layer for name in methods):
        raise InputError(
            f"--layer is for maps of a layer such as grad-cam, and --method is {', '.join(methods)}"
        )
    for option, value in options.items():
        users = [name for name, accepting in METHODS.items() if option in accepting.options]
        if value is not None and not set(users) & set(methods):
            raise InputError(
                f"--{option} is for {', '.join(users)}, and --method is {', '.join(methods)}"
            )
    return MapChoice(methods, frozenset(named) - {ALL}, layers, options, seed)
