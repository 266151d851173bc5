"""Which maps ``explain`` was asked for; loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from advprop_core.attribution.methods import METHODS
from advprop_core.cli.values import split_list
from advprop_core.errors import InputError
from advprop_core.text import did_you_mean

ALL: Final = "all"
STAGES: Final = "stages"


@dataclass(frozen=True)
class Wanted:
    """The maps, as the options name them.

    Attributes:
        methods: Keys of ``METHODS``.
        by_name: Those of them that were named themselves, and not by ``all``.
        layers: Dotted names; or ``stages`` alone; or nothing, for the default layer.
        options: Further arguments of ``explain``, None where the method's own applies.
        seed: Of everything a method draws.
    """

    methods: tuple[str, ...]
    by_name: frozenset[str]
    layers: tuple[str, ...]
    options: Mapping[str, int | None]
    seed: int

    @property
    def all_stages(self) -> bool:
        """Whether layer methods are to map every stage."""
        return self.layers == (STAGES,)


def read_wanted(
    method: Sequence[str] | None,
    layer: Sequence[str] | None,
    options: Mapping[str, int | None],
    seed: int,
) -> Wanted:
    """What the options ask for.

    Args:
        method: Values of --method; grad-cam when there is none.
        layer: Values of --layer.
        options: Values of --window, --stride and --samples by name.
        seed: Value of --seed.

    Raises:
        ValueError: For an unknown method, or an option that no chosen method has a use for.
    """
    named = split_list(method) or ["grad-cam"]
    for name in named:
        if name not in METHODS and name != ALL:
            hint = did_you_mean(name, (ALL, *METHODS))
            raise InputError(f"--method has no {name!r}. {hint}")
    methods = tuple(METHODS) if ALL in named else tuple(named)
    layers = tuple(split_list(layer))
    if STAGES in layers and len(layers) > 1:
        raise ValueError(f"--layer must be {STAGES} alone or names of layers, got {list(layers)}")
    if layers and not any(METHODS[name].needs_layer for name in methods):
        raise ValueError(
            f"--layer is for maps of a layer such as grad-cam, and --method is {', '.join(methods)}"
        )
    for option, value in options.items():
        users = [name for name, one in METHODS.items() if option in one.options]
        if value is not None and not set(users) & set(methods):
            raise ValueError(
                f"--{option} is for {', '.join(users)}, and --method is {', '.join(methods)}"
            )
    return Wanted(methods, frozenset(named) - {ALL}, layers, options, seed)
