"""Training images on the page; each opens in the Playground."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.influence import words
from app.language.text import _
from app.shell.layout import page_button, small_picture

if TYPE_CHECKING:
    from app.influence.work import Example

_WIDTH = 96  # px: four beside each other in half a page, three on a phone


def tiles(
    name: str,
    examples: Sequence[Example],
    model: str,
    size: int,
    more: Callable[[Example, str], None] | None = None,
) -> None:
    """Images in a row that wraps.

    Args:
        name: Of this row; no other on the page has it.
        examples: What is shown, in order.
        model: The network that the Playground opens them with.
        size: Side at which they are shown.
        more: Draws what stands below an image, under a key of its own.
    """
    if not examples:
        st.caption(_("There is none."))
        return
    with st.container(horizontal=True, gap="small", key=f"tiles-{name}"):
        for place, example in enumerate(examples):
            with st.container(width=_WIDTH, gap=None):
                _tile(example, model, size, f"{name}.{place}", more)


def _tile(
    example: Example,
    model: str,
    size: int,
    key: str,
    more: Callable[[Example, str], None] | None,
) -> None:
    small_picture(example.source, size, _WIDTH, words.alt(example))
    st.markdown(f"**{example.label}**  \n{words.score(example)}")
    page_button(
        _("Open"),
        "playground",
        {"model": model, "image": example.source, "true_class": ""},
        key=f"influence.open.{key}",
        icon=":material/open_in_new:",
        help=_("{title}: opens in the Playground, with {model}.").format(
            title=example.title, model=model
        ),
        type="tertiary",
    )
    if more:
        more(example, key)
