"""What images go through before a branch sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from advprop_core.corruptions import CorruptionConfig
from advprop_core.types import AttackConfig


@dataclass(frozen=True)
class Condition:
    """What the images went through before a branch saw them; nothing, where nothing is given.

    Attributes:
        attack: The attack, or None.
        attack_branch: Whose gradient made the perturbation; None means the branch that is
            evaluated (white box).
        corruption: The corruption, or None. It is made at 224 pixels and resized afterwards.

    Raises:
        ValueError: If both an attack and a corruption are given.
    """

    attack: AttackConfig | None = None
    attack_branch: str | None = None
    corruption: CorruptionConfig | None = None

    def __post_init__(self) -> None:
        if self.attack is not None and self.corruption is not None:
            raise ValueError("a condition is an attack or a corruption, got both: make two of it")

    @property
    def kind(self) -> Literal["clean", "attack", "corruption"]:
        """``clean``, ``attack`` or ``corruption``."""
        if self.corruption is not None:
            return "corruption"
        return "clean" if self.attack is None else "attack"

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the form ``advprop evaluate --json`` writes."""
        if (made := self.corruption) is not None:
            return {"kind": self.kind, "corruption": made.kind, "severity": made.severity}
        if (config := self.attack) is None:
            return {"kind": self.kind}
        return {
            "kind": self.kind,
            "attack": config.name,
            "norm": config.norm,
            "epsilon": config.epsilon,
            "step_size": config.step_size,
            "steps": config.steps,
            "attack_branch": self.attack_branch,
        }
