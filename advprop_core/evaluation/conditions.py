"""What images go through before a branch sees them."""

from dataclasses import dataclass
from typing import Any

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.errors import InputError, require_count
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.probes import ProbeConfig
from advprop_core.types import AttackConfig

EACH = "each"
"""Stands for every branch of a model as the attack branch, one after the other."""
_KINDS = ("attack", "corruption", "probe")


@dataclass(frozen=True)
class Condition:
    """What the images went through before a branch saw them; nothing, where nothing is given.

    Attributes:
        attack: The attack, or None. AutoAttack leaves an image clean that it could not turn.
        attack_branch: Whose gradient made the perturbation; None means the branch that is
            evaluated (white box), :data:`EACH` every branch of the model in turn.
        corruption: The corruption, or None. It is made at 224 pixels and resized afterwards.
        probe: What images lose on purpose, or None. It is made at the network's own size: lines
            and patches would not survive being resized, and its strengths hold at every size.
        stored: Whether the corrupted images are read from files rather than made here.
        restarts: From how many random starts PGD attacks an image until one turns its answer.

    Raises:
        ValueError: If more than one of attack, corruption and probe is given, or restarts of
            what has no random start.
    """

    attack: AttackConfig | AutoAttackConfig | None = None
    attack_branch: str | None = None
    corruption: CorruptionConfig | None = None
    probe: ProbeConfig | None = None
    stored: bool = False
    restarts: int = 1

    def __post_init__(self) -> None:
        kinds = [name for name in _KINDS if getattr(self, name)]
        if len(kinds) > 1:
            raise InputError(
                "a condition is one attack, corruption or probe, got "
                f"{' and '.join(kinds)}: make {len(kinds)} conditions"
            )
        require_count("restarts", self.restarts, 1)
        if self.restarts > 1 and not takes_restarts(self.attack):
            raise InputError(
                "restarts are for untargeted PGD: without a random start all would be alike"
            )

    @property
    def kind(self) -> str:
        """``clean``, ``attack``, ``corruption`` or ``probe``."""
        return next((name for name in _KINDS if getattr(self, name)), "clean")

    @property
    def attack_name(self) -> str:
        """``PGD-10``, ``PGD-10, 5 restarts``, ``AutoAttack``; empty where there is no attack."""
        if self.attack is None:
            return ""
        return self.attack.name + (f", {self.restarts} restarts" if self.restarts > 1 else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the form ``advprop evaluate --json`` writes."""
        kind: dict[str, Any] = {"kind": self.kind}
        if self.probe is not None:
            return kind | {"probe": self.probe.kind, "strength": self.probe.strength}
        if (corruption := self.corruption) is not None:
            shown = {"corruption": corruption.kind, "severity": corruption.severity}
            return kind | shown | ({"source": "files"} if self.stored else {})
        if (config := self.attack) is None:
            return kind
        names = ["norm", "epsilon", "step_size", "steps"]
        if isinstance(config, AutoAttackConfig):
            names = ["norm", "epsilon", "steps", "targets", "queries"]
        return {
            **kind,
            "attack": self.attack_name,
            **{name: getattr(config, name) for name in names},
            **({"restarts": self.restarts} if takes_restarts(config) else {}),
            "attack_branch": self.attack_branch,
        }


def takes_restarts(config: AttackConfig | AutoAttackConfig | None) -> bool:
    """Whether it is untargeted PGD: what starts at random and stops at a wrong answer."""
    return (
        isinstance(config, AttackConfig)
        and config.random_start
        and config.step_size > 0
        and config.target_class is None
    )
