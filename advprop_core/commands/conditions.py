"""What ``advprop evaluate`` shows to branches, from the text of its options."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from advprop_core.commands import values
from advprop_core.corruptions import CORRUPTIONS, SEVERITIES, CorruptionConfig
from advprop_core.types import AttackConfig

if TYPE_CHECKING:
    from advprop_core.evaluation import Condition

_UNBOUNDED_STEPS = 20
_SAME = 1e-9  # radii that are closer mean the same, such as 2/255 and 0.00784313725


def read_attacks(
    attacks: Sequence[str] | None,
    *,
    norm: str,
    epsilons: Sequence[str] | None,
    step_size: str | None,
    steps: int | None,
    attack_branch: str | None,
    seed: int,
    sanity: bool = False,
) -> list[Condition]:
    """Every attack at every radius.

    With several attacks, --steps and --step-size are for those that take steps. With ``sanity``,
    noise of every radius, and PGD without a bound, follow.

    Raises:
        ValueError: For options of an attack without one, an unknown kind or norm, or a radius
            that is 0, given twice or out of its range.
    """
    from advprop_core.evaluation import Condition

    kinds = values.split_list(attacks)
    if not kinds:
        given = (epsilons, step_size, steps, attack_branch, sanity or None)
        if any(value not in (None, []) for value in given):
            raise ValueError(
                "--epsilon, --step-size, --steps, --attack-branch and --sanity need an attack: "
                "name it too, such as --attack pgd"
            )
        return []
    radii = _read_radii(epsilons)
    several = len(kinds) > 1
    configs = [
        values.read_attack(
            kind,
            norm=norm,
            epsilon=radius,
            step_size=None if several and kind == "fgsm" else step_size,
            steps=None if several and kind == "fgsm" else steps,
            seed=seed,
        )
        for kind in kinds
        for radius in radii
    ]
    if sanity:
        configs += _controls(configs, seed)
    return [Condition(config, attack_branch) for config in dict.fromkeys(configs)]


def read_corruptions(
    names: Sequence[str] | None, severities: Sequence[str] | None, seed: int
) -> list[Condition]:
    """Every corruption at every severity.

    Raises:
        ValueError: For an unknown name, with near matches; for a severity that is none, or
            severities without corruptions.
    """
    from advprop_core.evaluation import Condition

    asked = values.split_list(names)
    if not asked:
        if severities:
            raise ValueError(
                "--severity is of corruptions: name them too, such as --corruptions all"
            )
        return []
    kinds = dict.fromkeys(
        kind for name in asked for kind in (CORRUPTIONS if name == "all" else (name,))
    )
    levels = [_read_severity(text) for text in values.split_list(severities)] or [*SEVERITIES]
    try:
        configs = [CorruptionConfig(kind, level, seed) for kind in kinds for level in levels]
    except ValueError as error:
        raise ValueError(f"--corruptions takes all, or names. {error}") from None
    return [Condition(corruption=config) for config in configs]


def _controls(configs: Sequence[AttackConfig], seed: int) -> list[AttackConfig]:
    """What tells a robust branch from one whose gradient is masked."""
    balls = dict.fromkeys((config.norm, config.epsilon) for config in configs)
    noises = [AttackConfig.noise(epsilon, norm=norm, seed=seed) for norm, epsilon in balls]
    return [*noises, AttackConfig.pgd(1.0, steps=_UNBOUNDED_STEPS, seed=seed)]


def _read_radii(texts: Sequence[str] | None) -> list[str | None]:
    """The radii as they were written; each once and above 0."""
    written = [part.strip() for text in texts or () for part in text.split(",") if part.strip()]
    known = [(values.read_number(text, "--epsilon"), text) for text in written]
    for value, text in known:
        if value == 0:
            raise ValueError(
                f"--epsilon must be above 0, got {text}: clean images are measured anyway"
            )
    for (one, first), (other, second) in combinations(known, 2):
        if abs(one - other) < _SAME:
            raise ValueError(f"--epsilon must name each radius once, got {first} and {second}")
    return [*written] or [None]


def _read_severity(text: str) -> int:
    if text not in {str(level) for level in SEVERITIES}:
        raise ValueError(f"--severity must be a whole number from 1 (mild) to 5, got {text!r}")
    return int(text)
