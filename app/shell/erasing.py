"""Erasing by hand: on a picture, in numbers, and what was erased in words."""

import base64

import streamlit as st

from advprop_core.pictures.regions import (
    MOST_REGIONS,
    WHOLE,
    Region,
    format_regions,
    parse_regions,
)
from app.elements.declare import declare
from app.language.text import N_, _, counted, ngettext
from app.shell import state
from app.shell.fields import segments
from app.shell.view import FILLS, View

_ERASER, _SERIAL = "eraser", "eraser.serial"
_eraser = declare(_ERASER)
_ERASED = {
    "grey": counted("{count} region painted grey by hand", "{count} regions painted grey by hand"),
    "black": counted(
        "{count} region painted black by hand", "{count} regions painted black by hand"
    ),
    "blur": counted("{count} region blurred by hand", "{count} regions blurred by hand"),
}
_NUMBERS = {
    "left": (N_("Left, in %"), 0, 99, 30),
    "top": (N_("Top, in %"), 0, 99, 30),
    "width": (N_("Width, in %"), 1, 100, 40),
    "height": (N_("Height, in %"), 1, 100, 40),
}
"""Title, least, most and first value, in percent of the picture's side."""


def on_picture(png: bytes, caption: str, alt: str) -> None:
    """The picture, on which regions are marked with a mouse, a pen or a finger."""
    _eraser(
        key=_ERASER,
        data={
            "picture": f"data:image/png;base64,{base64.b64encode(png).decode()}",
            "caption": caption,
            "alt": alt,
            "regions": state.value("regions"),
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
        on_drawn_change=_take,
    )


def _take() -> None:
    drawn = st.session_state[_ERASER].get("drawn")
    try:
        text, serial = str(drawn["text"]), int(drawn["serial"])
        parse_regions(text)
    except (KeyError, TypeError, ValueError):  # from a browser anything may come
        return
    st.session_state[_SERIAL] = serial
    state.choose(regions=text)


def controls() -> None:
    """How to fill, and regions in numbers for those who cannot draw or want to be exact."""
    segments(
        _("Fill with"),
        FILLS,
        "fill",
        _(
            "Grey and black cover the marked parts. Blur removes their detail and keeps their "
            "colours."
        ),
    )
    st.caption(_("On the Playground, drag over the clean picture to mark what is erased."))
    regions = parse_regions(state.value("regions"))
    with st.expander(_("Regions in numbers")):
        for number, region in enumerate(regions, 1):
            st.caption(f"{number}. {in_words(region)}")
        _new_region(regions)
        for title, name, left in (
            (_("Remove the last"), "undo", regions[:-1]),
            (_("Remove all"), "clear", ()),
        ):
            st.button(
                title,
                key=f"erase.{name}",
                on_click=state.choose,
                kwargs={"regions": format_regions(left)},
                disabled=not regions,
                width="stretch",
            )


def in_words(region: Region) -> str:
    """``left 10 %, top 20 %, 30 % wide, 5.5 % high``."""
    left, top, width, height = (
        f"{value / 10:g} %" for value in (region.left, region.top, region.width, region.height)
    )
    return _(
        "left {left}, top {top}, {width} wide, {height} high",
        left=left,
        top=top,
        width=width,
        height=height,
    )


def describe(view: View) -> str:
    """What was erased, for captions."""
    count = len(parse_regions(view.regions))
    if not count:
        return _("nothing is erased yet")
    return ngettext(*_ERASED[view.fill], count).format(count=count)


def _new_region(regions: tuple[Region, ...]) -> None:
    columns = [*st.columns(2), *st.columns(2)]
    for column, (name, numbers) in zip(columns, _NUMBERS.items(), strict=True):
        title, least, most, first = numbers
        column.number_input(
            _(title),
            least,
            most,
            value=first,
            key=f"erase.{name}",
            help=_("In % of the picture's side. Parts outside the picture are cut off."),
        )

    def add() -> None:
        unit = WHOLE // 100
        left, top, width, height = (st.session_state[f"erase.{name}"] * unit for name in _NUMBERS)
        region = Region(left, top, min(width, WHOLE - left), min(height, WHOLE - top))
        state.choose(regions=format_regions((*regions, region)))

    st.button(
        _("Erase this region"),
        key="erase.add",
        on_click=add,
        disabled=len(regions) >= MOST_REGIONS,
        width="stretch",
        type="primary",
    )
