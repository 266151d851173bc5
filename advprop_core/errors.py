"""What a person can mend, and the checks that find it: of fields, and of whole numbers.

The command and the app show the sentence of an :class:`AdvPropError` and nothing more. Any other
exception is a defect of this project, and is shown as one.
"""

from __future__ import annotations

import operator
import re
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le

if TYPE_CHECKING:  # pydantic is loaded by those who check with it
    from pydantic import TypeAdapter, ValidationError


class AdvPropError(Exception):
    """Something a person can mend; the text says what is wrong and what to do."""


class InputError(AdvPropError, ValueError):
    """A value, a file or a folder that a person gave and that cannot be used."""


@contextmanager
def about(subject: object) -> Iterator[None]:
    """Begin the sentence of what is refused within by what it is about, such as a file's name."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{subject}: {error}") from None


def as_input_error(refusal: ValidationError) -> InputError:
    """The first thing that pydantic refused: ``results[3].steps must be at least 1, got 0``."""
    first = refusal.errors(include_url=False)[0]
    kind, text = first["type"], first["msg"]
    steps = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in first["loc"])
    name = "".join(steps).removeprefix(".")
    if kind == "missing":
        return InputError(f"{name} is missing")
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return InputError(f"{name} is not a field here: check its spelling, or leave it out")
    if kind == "value_error":  # a rule of ours, in our own words
        return InputError(": ".join(filter(None, [name, text.removeprefix("Value error, ")])))
    rule = re.sub(r"^\w+ should", f"{name} must", text)
    for pydantic_words, shorter in _SHORTER.items():
        rule = rule.replace(pydantic_words, shorter)
    return InputError(f"{rule}, got {reprlib.repr(first['input'])}")


_SHORTER = {
    "a valid integer": "an integer",
    "a valid array": "a list",
    "a valid ": "a ",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
}

LARGEST_COUNT = 2**62  # a generator's seed has 64 bits, and evaluations count up from it

Count = Annotated[int, Ge(1), Le(LARGEST_COUNT)]
Index = Annotated[int, Ge(0), Le(LARGEST_COUNT)]
"""Of a class; and what a seed may be."""


class Checked:
    """Base of frozen dataclasses that people fill in: each field must fit its annotation.

    The check is strict: no ``"3"`` for 3, no ``True`` for 1, no 1.5 for an integer, no NaN.
    An integer of numpy or of a 0-d tensor becomes the ``int`` it means, and a list the tuple, for
    files have lists alone. Bounds are written as ``Annotated[int, Ge(1)]``. A subclass with rules
    across fields extends ``__post_init__``.

    Raises:
        InputError: Names the field, the rule and the value.
    """

    def __post_init__(self) -> None:
        # Not pydantic's own dataclass: importing pydantic would slow `advprop --help` by half.
        from pydantic import ValidationError

        values = {name: plain_integer(value) for name, value in vars(self).items()}
        try:
            checked = _rules(cast("Any", type(self))).validate_python(values)
        except ValidationError as error:
            raise as_input_error(error) from None
        for name, value in checked.items():
            object.__setattr__(self, name, value)


@cache
def _rules(checked_class: type[Any]) -> TypeAdapter[dict[str, Any]]:
    from pydantic import BeforeValidator, ConfigDict, TypeAdapter, with_config
    from typing_extensions import TypedDict

    hints = get_type_hints(checked_class, include_extras=True)
    annotations = {
        field.name: Annotated[hint, BeforeValidator(_no_list)] if _has_tuple(hint) else hint
        for field in fields(checked_class)
        for hint in [hints[field.name]]
    }
    make_typed_dict: Any = TypedDict  # mypy only takes fields that it can read
    strict = ConfigDict(strict=True, allow_inf_nan=False)
    return TypeAdapter(with_config(strict)(make_typed_dict(checked_class.__name__, annotations)))


def _has_tuple(hint: Any) -> bool:
    """Whether an annotation is a tuple, ``None | tuple``, or one with bounds."""
    return get_origin(hint) is tuple or any(map(_has_tuple, get_args(hint)))


def _no_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def plain_integer(value: Any) -> Any:
    """The ``int`` that a numpy integer or a 0-d integer tensor means; anything else as it came."""
    if isinstance(value, int) or getattr(value, "shape", None) != () or "bool" in str(value.dtype):
        return value
    try:
        return operator.index(value)
    except TypeError:  # a floating point number
        return value


def require_count(name: str, value: object, low: int = 1) -> None:
    """Refuse what is no whole number, or below ``low``; the message names it."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    if not low <= value <= LARGEST_COUNT:
        limit = f"at least {low}" if value < low else f"at most {LARGEST_COUNT}"
        raise InputError(f"{name} must be {limit}, got {value}")
