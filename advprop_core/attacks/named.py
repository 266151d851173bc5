"""Attacks and radii as people name and write them; loads no torch."""

from collections.abc import Iterable, Sequence

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.errors import InputError
from advprop_core.text import NORM_UNITS, parse_radius
from advprop_core.types import AttackConfig, Norm

GRADIENT_ATTACKS = ("pgd", "fgsm", "i-fgsm")
AUTOATTACK = "autoattack"
STEPLESS = ("fgsm", AUTOATTACK)
"""Those whose number of steps is not chosen."""
_SAME = 1e-9  # radii that are closer mean the same, such as 2/255 and 0.00784313725


def gradient_attack(
    kind: str,
    norm: Norm,
    epsilon: float,
    *,
    steps: int | None = None,
    step_size: float | None = None,
    seed: int = 0,
) -> AttackConfig:
    """``pgd``, ``fgsm`` or ``i-fgsm``; ``None`` leaves steps and step size to the attack.

    Raises:
        InputError: For another kind, a value out of its range, or steps of FGSM, which it would
            ignore.
    """
    if kind not in GRADIENT_ATTACKS:
        raise InputError(f"--attack must be one of {', '.join(GRADIENT_ATTACKS)}, got {kind!r}")
    if kind == "fgsm":
        if steps not in (None, 1) or step_size is not None:
            raise InputError(
                "fgsm is one step of size epsilon: leave out --steps and --step-size, "
                "or use --attack i-fgsm"
            )
        return AttackConfig.fgsm(epsilon, norm=norm)
    return AttackConfig.pgd(
        epsilon,
        norm=norm,
        steps=10 if steps is None else steps,
        step_size=step_size,
        random_start=kind == "pgd",
        seed=seed,
    )


def attack_grid(
    kinds: Sequence[str],
    norm: Norm,
    radii: Iterable[float],
    *,
    steps: int | None = None,
    step_size: float | None = None,
    seed: int = 0,
) -> list[AttackConfig | AutoAttackConfig]:
    """Every kind of attack at every radius; of several kinds, steps are for those that take them.

    Raises:
        InputError: For what :func:`gradient_attack` refuses, or steps of AutoAttack alone.
    """
    radii = tuple(radii)
    attacks: list[AttackConfig | AutoAttackConfig] = []
    for kind in kinds:
        chosen = (None, None) if kind in STEPLESS and len(kinds) > 1 else (steps, step_size)
        if kind == AUTOATTACK:
            if chosen != (None, None):
                raise InputError(
                    "autoattack has step sizes and numbers of steps of its own: leave out --steps "
                    "and --step-size, or use --attack pgd"
                )
            attacks += [AutoAttackConfig(norm, radius, seed=seed) for radius in radii]
        else:
            attacks += [
                gradient_attack(kind, norm, radius, steps=chosen[0], step_size=chosen[1], seed=seed)
                for radius in radii
            ]
    return attacks


def read_radius(text: str, norm: str, name: str) -> float:
    """A radius such as ``4/255`` or ``0.0157``, in pixel units on [0, 1].

    Raises:
        InputError: For what is no number; or for a whole one of L-infinity, which is meant in steps
            of 255 and would be the whole range of pixels.
    """
    value = parse_radius(text, name)
    if NORM_UNITS[norm] > 1 and text.strip().isdecimal() and value > 0:
        raise InputError(
            f"{name} is on a scale where pixels lie between 0 and 1: {text} would be "
            f"{'all of it' if value == 1 else 'beyond it'}; did you mean {text}/255?"
        )
    return value


def read_radii(texts: Iterable[str], norm: str, name: str) -> tuple[float, ...]:
    """The radii in texts such as ``1/255, 2/255``, in their order.

    Raises:
        InputError: For what :func:`read_radius` refuses, a radius that is not above 0, or one that
            is there twice.
    """
    written = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    radii: dict[float, str] = {}
    for part in written:
        value = read_radius(part, norm, name)
        if value <= 0:
            raise InputError(
                f"{name} must be above 0, got {part}: clean images are measured anyway"
            )
        for other, first in radii.items():
            if abs(value - other) < _SAME:
                raise InputError(f"{name} must name each radius once, got {first} and {part}")
        radii[value] = part
    return tuple(radii)
