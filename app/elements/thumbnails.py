"""Small pictures, of which one is chosen by a click or from the keyboard."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.elements.declare import declare

_KEY = "thumbnails"
_mount = declare("thumbnails")


def thumbnails(
    pictures: Sequence[dict[str, Any]], return_to: str, on_choose: Callable[[str], None]
) -> None:
    """Pictures in a grid.

    Args:
        pictures: Each has a ``name``, a ``title``, an ``image`` address, whether it ``isChosen``,
            and a ``refusal``, empty where it can be chosen.
        return_to: CSS selector of what gets the keyboard's focus after a choice.
        on_choose: Is called with the name of the one that is chosen.
    """
    names = {picture["name"] for picture in pictures if not picture["refusal"]}

    def take() -> None:
        name = st.session_state[_KEY].get("chosen")
        if name in names:  # from a browser anything may come
            on_choose(name)

    _mount(
        key=_KEY,
        data={"pictures": pictures, "returnTo": return_to},
        on_chosen_change=take,
    )
