"""What a person has chosen on the Transfer page."""

from dataclasses import dataclass

from advprop_core.errors import InputError
from app.language.text import N_, _
from app.shell.view import View, one_of, tab_of, within

PARTS = (N_("Images"), N_("Differences"), N_("Blocks"), N_("Epochs"))
"""Tabs of a result, where it has something for them."""
TASKS = {"shapes": N_("Drawn scenes"), "folder": N_("Photos of your folder")}
MOST_IMAGES = 400
_MOST_AMOUNTS = 6


def read_amounts(text: str) -> tuple[int, ...]:
    """Numbers of training images as people write them: ``20, 50, 100``.

    Raises:
        InputError: If they are no such numbers, too many, or beyond what a page should train on.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    are_numbers = all(word.isdecimal() and len(word) < 10 for word in words)
    if not are_numbers or not 1 <= len(words) <= _MOST_AMOUNTS:
        raise InputError(
            _(
                "Training images must be 1 to {most} whole numbers with commas between them.",
                most=_MOST_AMOUNTS,
            )
        )
    amounts = tuple(sorted({int(word) for word in words}))
    if amounts[0] < 2 or amounts[-1] > MOST_IMAGES:
        raise InputError(
            _(
                "Training images must lie between 2 and {most} here: `advprop transfer` takes any "
                "number.",
                most=MOST_IMAGES,
            )
        )
    return amounts


@dataclass(frozen=True)
class TransferView(View):
    """What is compared, and whose results are shown.

    Attributes:
        contenders: Networks, with ``:BRANCH`` behind those of another branch than main; empty until
            the page is opened.
        new_task: What they learn; a key of :data:`TASKS`.
        amounts: Numbers of training images, as people write them.
        repeats: How many seeds.
        rounds: Epochs.
        learned: ``run``, ``file`` or the name of bundled results; empty for the first there is.
        learned_part: Which tab is open; one of :data:`PARTS`.
        drawn: Which networks the figures show beside the first; empty for the best of them.
    """

    contenders: tuple[str, ...] = ()
    new_task: str = one_of("shapes", TASKS)
    amounts: str = "20, 50, 100"
    repeats: int = within(3, 2, 10)
    rounds: int = within(60, 3, 300)
    learned: str = ""
    learned_part: str = tab_of(PARTS)
    drawn: tuple[str, ...] = ()
