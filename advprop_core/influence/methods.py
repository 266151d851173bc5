"""The methods by the names that people write; loads no torch."""

from __future__ import annotations

from typing import Literal, get_args

MethodName = Literal["last-layer", "tracin"]
METHODS: tuple[MethodName, ...] = get_args(MethodName)
TITLES: dict[MethodName, str] = {
    "last-layer": "influence function of the last layer",
    "tracin": "TracIn over the checkpoints of the run",
}
