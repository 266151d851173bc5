"""Erasing by hand: the controls that need no drawing, and what was erased in words."""

from __future__ import annotations

import streamlit as st

from advprop_core.pictures.regions import (
    FILLS,
    MOST_REGIONS,
    WHOLE,
    Region,
    format_regions,
    parse_regions,
)
from app.shell import state
from app.shell.state import key
from app.shell.view import View

FILL_TITLES = {"grey": "Grey", "black": "Black", "blur": "Blur"}
_NUMBERS = {
    "left": ("Left", 30),
    "top": ("Top", 30),
    "width": ("Width", 40),
    "height": ("Height", 40),
}


def controls() -> None:
    """How to fill, and regions in numbers for those who cannot draw or want to be exact."""
    st.segmented_control(
        "Fill with",
        list(FILLS),
        format_func=FILL_TITLES.__getitem__,
        key=key("fill"),
        required=True,
        help="Grey and black cover the marked parts. Blur removes their detail and keeps their "
        "colours.",
    )
    st.caption("On the Playground, drag over the clean picture to mark what is erased.")
    regions = _regions()
    with st.expander("Regions in numbers"):
        for number, region in enumerate(regions, 1):
            st.caption(f"{number}. {in_words(region)}")
        _new_region(full=len(regions) >= MOST_REGIONS)
        st.button(
            "Remove the last",
            key="erase.undo",
            on_click=_choose,
            args=(regions[:-1],),
            disabled=not regions,
            width="stretch",
        )
        st.button(
            "Remove all",
            key="erase.clear",
            on_click=_choose,
            args=((),),
            disabled=not regions,
            width="stretch",
        )


def in_words(region: Region) -> str:
    """``left 10 %, top 20 %, 30 % wide, 5.5 % high``."""
    left, top, width, height = (
        f"{value / 10:g} %" for value in (region.left, region.top, region.width, region.height)
    )
    return f"left {left}, top {top}, {width} wide, {height} high"


def describe(view: View) -> str:
    """What was erased, for captions."""
    count = len(parse_regions(view.regions))
    if not count:
        return "nothing is erased yet"
    how = "blurred" if view.fill == "blur" else f"painted {view.fill}"
    return f"{count} region{'s' if count > 1 else ''} {how} by hand"


def _new_region(full: bool) -> None:
    columns = [*st.columns(2), *st.columns(2)]
    for column, (name, (title, value)) in zip(columns, _NUMBERS.items(), strict=True):
        column.number_input(
            f"{title}, in %",
            0 if name in ("left", "top") else 1,
            99 if name in ("left", "top") else 100,
            value=value,
            key=f"erase.{name}",
            help="Of the picture's side. What would reach beyond the picture is cut off.",
        )
    st.button(
        "Erase this region",
        key="erase.add",
        on_click=_add,
        disabled=full,
        width="stretch",
        type="primary",
    )


def _add() -> None:
    unit = WHOLE // 100
    left, top, width, height = (st.session_state[f"erase.{name}"] * unit for name in _NUMBERS)
    region = Region(left, top, min(width, WHOLE - left), min(height, WHOLE - top))
    _choose((*_regions(), region))


def _regions() -> tuple[Region, ...]:
    return parse_regions(st.session_state[key("regions")])


def _choose(regions: tuple[Region, ...]) -> None:
    state.choose(regions=format_regions(regions))
