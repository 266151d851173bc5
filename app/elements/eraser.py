"""A picture on which regions are marked with a mouse, a pen or a finger."""

from __future__ import annotations

import base64

import streamlit as st

from advprop_core.pictures.regions import MOST_REGIONS, parse_regions
from app.elements.declare import declare
from app.shell import state
from app.shell.state import key

_KEY = "eraser"
_SERIAL = "eraser.serial"

_mount = declare("eraser")


def eraser(png: bytes, caption: str, alt: str) -> None:
    """The picture, the regions of the view on it, and buttons to take them back.

    Args:
        png: The clean picture.
        caption: Below it.
        alt: For those who do not see it.
    """
    _mount(
        key=_KEY,
        data={
            "picture": f"data:image/png;base64,{base64.b64encode(png).decode()}",
            "caption": caption,
            "alt": alt,
            "regions": st.session_state[key("regions")],
            "serial": st.session_state.get(_SERIAL, 0),
            "most": MOST_REGIONS,
        },
        on_drawn_change=_take,
    )


def _take() -> None:
    """What was drawn becomes part of the view; what is no region is not taken."""
    drawn = st.session_state[_KEY].get("drawn")
    try:
        text, serial = str(drawn["text"]), int(drawn["serial"])
        parse_regions(text)
    except (KeyError, TypeError, ValueError):  # from a browser anything may come
        return
    st.session_state[_SERIAL] = serial
    state.choose(regions=text)
