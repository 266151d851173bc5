"""Radii, shares, intervals and results as people read them: the one formatter.

Loads nothing heavy, so that pages can write before torch is there.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from advprop_core.errors import InputError
from advprop_core.language import _, ngettext

if TYPE_CHECKING:
    from advprop_core.types import Comparison

NORM_TITLES = {"linf": "L∞", "l2": "L2"}
NORM_UNITS = {"linf": 255, "l2": 1}
"""Parts of a pixel's range that radii are counted in: people think of L∞ in its 255 levels."""


def parse_radius(text: str, name: str = "epsilon") -> float:
    """Read a radius or a step as people write it: ``4/255``, ``0.0157`` or ``0.5``.

    Args:
        text: A fraction or a decimal number, in pixel units on [0, 1].
        name: What the message calls it.

    Raises:
        InputError: If the text is neither.
    """
    try:
        # Not fractions.Fraction: it would spend hours on 1e999999999, and texts come from links.
        above, *below = (float(part) for part in text.split("/"))
        (divisor,) = below or [1.0]
        value = above / divisor
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{name} must be a fraction such as 4/255 or a number such as 0.0157, got {text!r}"
        )
    return value


def radius(value: float, norm: str) -> str:
    """A radius or a step as people read it: ``4/255``, ``0.812/255``; ``0.5`` for L2.

    Up to two decimals are written as they are, and anything longer with three digits.
    """
    unit = NORM_UNITS[norm]
    scaled = unit * value
    short = round(scaled, 2)
    is_short = abs(scaled - short) < 1e-6 and bool(short or not scaled)
    digits = f"{short:g}" if is_short else f"{scaled:.3g}"
    return digits if unit == 1 else f"{digits}/{unit}"


def ball(norm: str, epsilon: float) -> str:
    """A norm and its radius: ``L∞ ε = 2/255``."""
    return f"{NORM_TITLES[norm]} ε = {radius(epsilon, norm)}"


def exact_radius(value: float) -> str:
    """A radius that :func:`parse_radius` reads back as the very same number, for commands."""
    levels = round(255 * value)
    return f"{levels}/255" if levels / 255 == value else repr(value)


def shorten(text: str, letters: int) -> str:
    """The text, or its beginning and an ellipsis where it is longer than so many letters."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def trained_blocks(trainable: str) -> str:
    """What a cell of a transfer experiment trains: ``head only``, ``1 block``, ``all blocks``."""
    if trainable == "0":
        return _("head only")
    if trainable == "all":
        return _("all blocks")
    return ngettext("{count} block", "{count} blocks", int(trainable)).format(count=trainable)


def percent(share: float) -> str:
    """``93 %``; only none is 0 % and only all is 100 %."""
    whole = math.floor(100 * share + 0.5)  # round() would send 0.5 to 0
    if whole == 0 and share > 0:
        return "<1 %"
    if whole == 100 and share < 1:
        return ">99 %"
    return f"{whole} %"


def percent_in_tenths(share: float) -> str:
    """``93.1 %``: a share where one decimal counts, as in tables and on hovering."""
    return f"{share:.1%}".replace("%", " %")


def points(difference: float) -> str:
    """A difference of two shares in percentage points: ``+3.1``, ``−0.4``."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def ends(interval: Sequence[float]) -> tuple[str, str]:
    """``("85", "98")``, in percent; with a decimal where whole ones would hide the difference."""
    low, high = interval
    edge = any(0 < end < 0.005 or 0.995 <= end < 1 for end in interval)
    digits = 1 if edge or round(100 * low) == round(100 * high) else 0
    return f"{100 * low:.{digits}f}", f"{100 * high:.{digits}f}"


_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))  # Unicode's bidi marks


def legible(text: str) -> str:
    r"""Text that can be shown and sent: half a character is written as ``\udce9``.

    File names that are no UTF-8, and names in foreign files, may hold such halves. Marks that turn
    the direction of writing are left out, for they make ``exe.jpg`` of ``gpj.exe``.
    """
    return text.translate(_TURNING).encode("utf-8", "backslashreplace").decode("utf-8")


def join(words: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def listing(names: Sequence[str], most: int = 10) -> str:
    """The first names, and how many more there are: ``a, b and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """``Did you mean pgd or fgsm?``, or what there is where nothing is near."""
    names = list(dict.fromkeys(choices))
    if near := difflib.get_close_matches(name, names, 3, 0.5):
        return f"Did you mean {join(near, 'or')}?"
    if not names:
        return "There is none."
    return f"Choose from {listing(names, 12)}."


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells that are fit for one."""
    written = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in written)


_FAR_LESS = 0.5
"""Of the confidence before: below it an answer that stays is said to be far less sure."""


def branch_outcomes(comparison: Comparison, names: Sequence[str]) -> list[tuple[str, str]]:
    """What happened to each branch: ``("main", "was fooled: church 93 % → tench 71 %")``.

    Args:
        comparison: Any result of :func:`advprop_core.compare.compare.compare`.
        names: Class names in class-index order.
    """
    return [(branch, _outcome(comparison, branch, names)) for branch in comparison.branches]


def _outcome(comparison: Comparison, branch: str, names: Sequence[str]) -> str:
    before = comparison.predictions["clean", branch]
    after = comparison.predictions["adversarial", branch]
    truth = comparison.true_class
    move = " → ".join(
        f"{names[prediction.class_index]} {percent(prediction.confidence)}"
        for prediction in (before, after)
    )
    wrong = truth is not None and before.class_index != truth
    # The app groups branches by these verbs: `_OUTCOMES` in app/shell/messages.py has each of them.
    if before.class_index == after.class_index:
        verb = "was wrong before and stays so" if wrong else "kept its answer"
        if not wrong and after.confidence < _FAR_LESS * before.confidence:
            verb = "kept its answer, but is far less sure"
    elif truth is None:
        verb = "changed its answer"
    elif not wrong:
        verb = "was fooled"
    elif after.class_index == truth:
        verb = "was wrong before and is now right"
    else:
        verb = "was wrong before and changed its answer"
    return f"{verb}: {move}"


def spreadsheet_cell(text: str) -> str:
    """Text as a cell of a CSV: a spreadsheet would run a name that begins like a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
