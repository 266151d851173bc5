"""How the text of options becomes values; every refusal names the option."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from advprop_core.errors import InputError, about
from advprop_core.models.class_names import exact, find_class
from advprop_core.text import did_you_mean, parse_radius
from advprop_core.types import ModelInfo

if TYPE_CHECKING:
    from PIL import Image

    from advprop_core.models.dual_bn import DualBNModel

Choice = TypeVar("Choice", bound=str)

DEFAULT_RADII: Mapping[str, str] = {"linf": "4/255", "l2": "1"}


def split_list(values: Iterable[str] | None) -> list[str]:
    """What repeats and commas name, each once, in order; an existing path may hold a comma."""
    parts: dict[str, None] = {}
    for value in values or ():
        # False for a list that is longer than the name of a file may be.
        pieces = [value] if os.path.exists(value) else value.split(",")
        parts |= dict.fromkeys(piece.strip() for piece in pieces if piece.strip())
    return list(parts)


def read_branches(model: DualBNModel, values: Iterable[str] | None) -> tuple[str, ...]:
    """The branches that were named, main first, or every one; refuses what the model has not."""
    named = split_list(values)
    for name in named:
        model.branch(name)
    return tuple(name for name in model.branch_names if not named or name in named)


def read_photo(path: Path) -> tuple[bytes, Image.Image]:
    """The bytes of a photo's file, and the photo.

    Raises:
        InputError: If it cannot be read; the message names the file.
    """
    from advprop_core.pictures import decoding
    from advprop_core.pictures.files import read_file

    if not path.exists():
        raise InputError(f"{path} does not exist: give the file of a photo.")
    with about(path):
        data = read_file(path)
        return data, decoding.decode(data)


def read_choice(text: str, choices: Iterable[Choice], option: str) -> Choice:
    """The choice that was written; raises InputError with all of them for any other text."""
    for choice in choices:
        if text == choice:
            return choice
    raise InputError(f"{option} must be one of {', '.join(choices)}, got {text!r}")


def read_step_size(text: str | None) -> float | None:
    """A step, in the unit of epsilon; None where the attack has one of its own."""
    return None if text is None else parse_radius(text, "--step-size")


def read_class(info: ModelInfo, text: str | None, option: str) -> int | None:
    """The class index that an id, a name or a number means; None where the option is not given.

    Raises:
        InputError: If there is no such class; the message names near matches.
    """
    index = None if text is None else find_class(info.classes, text)
    if text is None or index is not None:
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
