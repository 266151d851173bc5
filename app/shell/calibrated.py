"""Which calibrated auxiliary branch a network is given; loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

from advprop_core.types import AttackConfig
from app.shell.samples import Source

ATTACK = AttackConfig.pgd(4 / 255, steps=5)  # what pictures are attacked with


@dataclass(frozen=True)
class Calibration:
    """All that decides a calibrated auxiliary branch.

    Attributes:
        model: Name of the network.
        source: What it is made from.
        attack: What these pictures are attacked with.
    """

    model: str
    source: Source
    attack: AttackConfig = ATTACK
