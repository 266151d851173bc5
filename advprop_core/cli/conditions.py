"""What ``advprop evaluate`` shows to branches, from the text of its options."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.cli import values
from advprop_core.errors import InputError
from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES, CorruptionConfig
from advprop_core.pictures.probes import PROBES, ProbeConfig
from advprop_core.types import AttackConfig

if TYPE_CHECKING:
    from advprop_core.evaluation.conditions import Condition

_AUTOATTACK = "autoattack"
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
    restarts: int | None = None,
    sanity: bool = False,
) -> list[Condition]:
    """Every attack at every radius.

    With several attacks, --steps and --step-size are for those that take steps. With ``sanity``,
    noise of every radius, and PGD with no limit on ε, follow, for each branch through itself.

    Raises:
        InputError: For options of an attack without one, an unknown kind or norm, restarts
            without PGD, or a radius that is 0, given twice or out of its range.
    """
    from advprop_core.evaluation.suite import attack_conditions

    kinds = values.split_list(attacks)
    _require_attacks(kinds)
    if not kinds:
        given = (epsilons, step_size, steps, restarts, attack_branch, sanity or None)
        if any(value not in (None, []) for value in given):
            raise InputError(
                "--epsilon, --step-size, --steps, --restarts, --attack-branch and --sanity need an "
                "attack: name it too, such as --attack pgd"
            )
        return []
    radii = _read_radii(epsilons)
    stepless = ("fgsm", _AUTOATTACK) if len(kinds) > 1 else ()
    configs = [
        _read_attack(
            kind,
            norm,
            radius,
            step_size=None if kind in stepless else step_size,
            steps=None if kind in stepless else steps,
            seed=seed,
        )
        for kind in kinds
        for radius in radii
    ]
    if restarts is not None and "pgd" not in kinds:
        raise InputError("--restarts is for pgd, which starts at random: name it in --attack too")
    return attack_conditions(
        configs,
        attack_branch,
        restarts=1 if restarts is None else restarts,
        sanity=sanity,
        seed=seed,
    )


def read_smallest(
    limit: str | None, *, norm: str, step_size: str | None, steps: int | None, seed: int
) -> AttackConfig | None:
    """PGD at the largest radius that is tried, or None where the option is not given.

    Raises:
        InputError: For a limit that is 0 or out of its range, or an unknown norm.
    """
    if limit is None:
        return None
    if values.read_number(limit, "--smallest-epsilon") == 0:
        raise InputError("--smallest-epsilon must be above 0: it is the largest radius to try")
    try:
        return values.read_attack(
            "pgd", norm=norm, epsilon=limit, step_size=step_size, steps=steps, seed=seed
        )
    except ValueError as error:
        raise InputError(f"--smallest-epsilon {limit}: {error}") from None


def read_corruptions(
    names: Sequence[str] | None, severities: Sequence[str] | None, seed: int
) -> list[Condition]:
    """Every corruption at every severity.

    Raises:
        InputError: For an unknown name, with near matches; for a severity that is none, or
            severities without corruptions.
    """
    from advprop_core.evaluation.conditions import Condition

    asked = values.split_list(names)
    if not asked:
        if severities:
            raise InputError(
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
        raise InputError(f"--corruptions takes all, or names. {error}") from None
    return [Condition(corruption=config) for config in configs]


def read_stored(
    names: Sequence[str] | None,
    severities: Sequence[str] | None,
    there: Sequence[tuple[str, int]],
) -> list[Condition]:
    """The corruptions to read from files: by default the article's 15 kinds that are there.

    Args:
        names: Of kinds, or ``all``.
        severities: By default every one that is there.
        there: Kind and severity of what the files hold.

    Raises:
        InputError: For a kind or severity that the files do not hold; both sides are listed.
    """
    from advprop_core.evaluation.conditions import Condition

    held = list(dict.fromkeys(kind for kind, _ in there))
    usual = [kind for kind in held if kind in CORRUPTIONS] or held
    asked = [k for name in values.split_list(names) for k in (usual if name == "all" else (name,))]
    levels = [_read_severity(text) for text in values.split_list(severities)]
    levels = levels or sorted({level for _, level in there})
    wanted = [(kind, level) for kind in dict.fromkeys(asked or usual) for level in levels]
    if absent := [f"{kind}/{level}" for kind, level in wanted if (kind, level) not in there]:
        raise InputError(
            f"the files hold no {', '.join(absent[:5])}; they hold {', '.join(held)} at severities "
            f"{', '.join(map(str, sorted({level for _, level in there})))}"
        )
    return [Condition(corruption=CorruptionConfig(*one), stored=True) for one in wanted]


def read_probes(probes: Sequence[str] | None, seed: int) -> list[Condition]:
    """Every probe at its strengths: ``low-pass`` at the usual ones, ``low-pass=6`` at one.

    Raises:
        InputError: For an unknown kind, with near matches, or a strength that it does not take.
    """
    from advprop_core.evaluation.conditions import Condition

    asked = [
        part
        for name in values.split_list(probes)
        for part in (PROBES if name == "all" else (name,))
    ]
    try:
        configs = [config for part in asked for config in _read_probe(part, seed)]
    except ValueError as error:
        raise InputError(
            f"--probe takes all, or kinds such as grey,low-pass or low-pass=8. {error}"
        ) from None
    return [Condition(probe=config) for config in dict.fromkeys(configs)]


def _read_probe(text: str, seed: int) -> list[ProbeConfig]:
    kind, given, strength = text.partition("=")
    if not given:
        return [ProbeConfig(kind, usual, seed) for usual in PROBES.get(kind, (None,))]
    try:
        number = float(strength)
    except ValueError:
        raise InputError(f"strength must be a number, got {text!r}.") from None
    return [ProbeConfig(kind, number, seed)]


def _require_attacks(kinds: Sequence[str]) -> None:
    known = (*values.ATTACKS, _AUTOATTACK)
    for kind in kinds:
        if kind not in known:
            raise InputError(f"--attack must be one of {', '.join(known)}, got {kind!r}")


def _read_attack(
    kind: str,
    norm: str,
    radius: str | None,
    *,
    step_size: str | None,
    steps: int | None,
    seed: int,
) -> AttackConfig | AutoAttackConfig:
    if kind != _AUTOATTACK:
        return values.read_attack(
            kind, norm=norm, epsilon=radius, step_size=step_size, steps=steps, seed=seed
        )
    if steps is not None or step_size is not None:
        raise InputError(
            "autoattack has step sizes and numbers of steps of its own: leave out --steps and "
            "--step-size, or use --attack pgd"
        )
    ball = values.read_attack("fgsm", norm=norm, epsilon=radius, step_size=None, steps=None)
    return AutoAttackConfig(ball.norm, ball.epsilon, seed=seed)


def _read_radii(texts: Sequence[str] | None) -> list[str | None]:
    """The radii as they were written; each once and above 0."""
    written = [part.strip() for text in texts or () for part in text.split(",") if part.strip()]
    known = [(values.read_number(text, "--epsilon"), text) for text in written]
    for value, text in known:
        if value <= 0:
            raise InputError(
                f"--epsilon must be above 0, got {text}: clean images are measured anyway"
            )
    for (one, first), (other, second) in combinations(known, 2):
        if abs(one - other) < _SAME:
            raise InputError(f"--epsilon must name each radius once, got {first} and {second}")
    return [*written] or [None]


def _read_severity(text: str) -> int:
    if text not in {str(level) for level in SEVERITIES}:
        raise InputError(f"--severity must be a whole number from 1 (mild) to 5, got {text!r}")
    return int(text)
