"""A picture on which regions are marked with a mouse, a pen or a finger."""

import base64
from collections.abc import Callable

import streamlit as st

from advprop_core.pictures.regions import MOST_REGIONS, parse_regions
from app.elements.declare import declare
from app.language.text import _

_KEY = "eraser"
_SERIAL = "eraser.serial"

_mount = declare("eraser")


def eraser(
    png: bytes, caption: str, alt: str, regions: str, on_drawn: Callable[[str], None]
) -> None:
    """The picture, the regions on it, and buttons to take them back.

    ``regions`` is written as :mod:`advprop_core.pictures.regions` does; ``on_drawn`` is called with
    them after they were changed by hand.
    """
    _mount(
        key=_KEY,
        data={
            "picture": f"data:image/png;base64,{base64.b64encode(png).decode()}",
            "caption": caption,
            "alt": alt,
            "regions": regions,
            "serial": st.session_state.get(_SERIAL, 0),
            "most": MOST_REGIONS,
            "words": {
                "undo": _("Take back"),
                "clear": _("Clear"),
                "none": _("Drag over the picture to erase a part."),
                "some": _("{count} erased"),
                "full": _("{count} erased, which is the limit: undo one first"),
            },
        },
        on_drawn_change=lambda: _take(on_drawn),
    )


def _take(on_drawn: Callable[[str], None]) -> None:
    """Hand on what was drawn; what is no region is not taken."""
    drawn = st.session_state[_KEY].get("drawn")
    try:
        text, serial = str(drawn["text"]), int(drawn["serial"])
        parse_regions(text)
    except (KeyError, TypeError, ValueError):  # from a browser anything may come
        return
    st.session_state[_SERIAL] = serial
    on_drawn(text)
