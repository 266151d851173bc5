"""How the text of options becomes values; every refusal names the option."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from advprop_core.errors import InputError
from advprop_core.models.class_names import exact, find_class
from advprop_core.text import did_you_mean, parse_radius
from advprop_core.types import NORMS, AttackConfig, ModelInfo, Norm

if TYPE_CHECKING:
    from advprop_core.models.dual_bn import DualBNModel

ATTACKS = ("pgd", "fgsm", "i-fgsm")
_DEFAULT_RADIUS: dict[Norm, str] = {"linf": "4/255", "l2": "1"}


def split_list(values: Iterable[str] | None) -> list[str]:
    """What repeats and commas name, each once, in order; an existing path may hold a comma."""
    parts: dict[str, None] = {}
    for value in values or ():
        pieces = [value] if _exists(value) else value.split(",")
        parts |= dict.fromkeys(piece.strip() for piece in pieces if piece.strip())
    return list(parts)


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError:  # a list that is longer than a file's name may be
        return False


def read_branches(model: DualBNModel, values: Iterable[str] | None) -> tuple[str, ...]:
    """The branches that were named, main first; every branch when none was.

    Raises:
        InputError: For a branch that the model does not have.
    """
    named = split_list(values)
    for name in named:
        model.branch(name)
    return tuple(name for name in model.branch_names if not named or name in named)


def read_number(text: str, option: str) -> float:
    """A radius or a step size, ``4/255`` or ``0.0157``.

    Raises:
        InputError: If it is neither; the message names the option.
    """
    try:
        return parse_radius(text)
    except ValueError:
        raise InputError(
            f"{option} must be a fraction such as 4/255 or a number such as 0.0157, got {text!r}"
        ) from None


def refuse_whole_radius(text: str, norm: str, option: str) -> None:
    """A whole number is meant in steps of 255; as it stands it would be the whole range of pixels.

    Raises:
        InputError: For ``1`` and more of linf.
    """
    if norm == "linf" and text.strip().isdecimal() and int(text) > 0:
        raise InputError(
            f"{option} is on a scale where pixels lie between 0 and 1: {text} would be "
            f"{'all of it' if int(text) == 1 else 'beyond it'}; did you mean {text}/255?"
        )


def read_norm(text: str) -> Norm:
    """One of the norms; raises InputError with their names for any other text."""
    for norm in NORMS:
        if text == norm:
            return norm
    raise InputError(f"--norm must be one of {', '.join(NORMS)}, got {text!r}")


def read_attack(
    kind: str,
    *,
    norm: str,
    epsilon: str | None,
    step_size: str | None,
    steps: int | None,
    target_class: int | None = None,
    seed: int = 0,
) -> AttackConfig:
    """The attack that the options describe.

    Raises:
        InputError: For an unknown kind or norm, a value out of its range, or an option that
            the kind has no use for (which would otherwise be ignored in silence).
    """
    if kind not in ATTACKS:
        raise InputError(f"--attack must be one of {', '.join(ATTACKS)}, got {kind!r}")
    ball = read_norm(norm)
    radius = read_number(epsilon or _DEFAULT_RADIUS[ball], "--epsilon")
    refuse_whole_radius(epsilon or "", ball, "epsilon")
    if kind == "fgsm":
        if steps not in (None, 1) or step_size is not None:
            raise InputError(
                "fgsm is one step of size epsilon: leave out --steps and --step-size, "
                "or use --attack i-fgsm"
            )
        return AttackConfig.fgsm(radius, norm=ball, target_class=target_class)
    return AttackConfig.pgd(
        radius,
        norm=ball,
        steps=10 if steps is None else steps,
        step_size=None if step_size is None else read_number(step_size, "--step-size"),
        random_start=kind == "pgd",
        target_class=target_class,
        seed=seed,
    )


def read_class(info: ModelInfo, text: str, option: str) -> int:
    """The class index that an id, a name or a number means.

    Raises:
        InputError: If there is no such class; the message names near matches.
    """
    index = find_class(info.classes, text)
    if index is not None:
        return index
    if text.strip().lstrip("+-").isdecimal():
        raise InputError(
            f"{option} must lie in [0, {info.num_classes - 1}], the model has "
            f"{info.num_classes} classes, got {text}"
        )
    if exact(text) in info.class_names:
        raise InputError(f"{option}: several classes are named {text!r}, give the id or the index")
    raise InputError(
        f"{option} must be a name, an id or an index of one of the model's {info.num_classes} "
        f"classes, got {text!r}. {did_you_mean(text, info.class_names)}"
    )


def find_true_class(info: ModelInfo, image: Path, text: str | None) -> tuple[int | None, str]:
    """The photo's true class, and in words how it is known.

    Raises:
        InputError: If the text names no class.
    """
    if text is not None:
        return read_class(info, text, "--true-class"), "given"
    folder = image.absolute().parent.name  # of the photo, not of what it may be a link to
    index = find_class(info.classes, folder)
    return index, "unknown" if index is None else f"taken from the folder {folder}"
