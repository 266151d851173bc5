"""What a person can mend.

The command and the app show the sentence of an :class:`AdvPropError` and nothing more. Any other
exception is a defect of this project, and is shown as one.
"""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pydantic is loaded by those who check with it
    from pydantic import ValidationError


class AdvPropError(Exception):
    """Something a person can mend; the text says what is wrong and what to do."""


class InputError(AdvPropError, ValueError):
    """A value, a file or a folder that a person gave and that cannot be used."""


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
