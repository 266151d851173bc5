"""Widgets of fields of the view: what each takes is said there."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.language.text import titled
from app.shell import state
from app.shell.state import key
from app.shell.view import bounds


def select(
    title: str, titles: Mapping[str, str], field: str, help: str | None = None, **options: Any
) -> None:
    """In a list; ``titles`` is value to what a person reads."""
    st.selectbox(
        title, list(titles), format_func=titled(titles), key=key(field), help=help, **options
    )


def segments(
    title: str, titles: Mapping[str, str], field: str, help: str | None = None, **options: Any
) -> str:
    """The same side by side, for few; returns the value."""
    return str(
        st.segmented_control(
            title,
            list(titles),
            format_func=titled(titles),
            key=key(field),
            required=True,
            help=help,
            **options,
        )
    )


def slider(title: str, field: str, help: str | None = None, **options: Any) -> None:
    """A number, over all that the field takes."""
    st.slider(title, key=key(field), help=help, **ends(field), **options)


def number(title: str, field: str, help: str | None = None, **options: Any) -> None:
    """The same, to type."""
    st.number_input(title, key=key(field), help=help, **ends(field), **options)


def several(
    title: str, titles: Mapping[str, str], field: str, *, default: Sequence[str], most: int
) -> list[str]:
    """At most so many of those with a title; where none is chosen, the default.

    The field is empty for the default, so that a link holds only what a person chose.
    """
    widget = f"several.{field}"  # another than the field's, which is empty for the default
    chosen = [name for name in state.value(field) if name in titles][:most]
    st.session_state[widget] = chosen or list(default)

    def take() -> None:
        names = st.session_state[widget]
        state.choose(**{field: () if names == list(default) else tuple(names)})

    return st.multiselect(
        title,
        list(titles),
        format_func=titles.__getitem__,
        key=widget,
        max_selections=most,
        select_all=False,  # it would choose more than the figures take
        on_change=take,
    )


def ends(field: str) -> dict[str, Any]:
    """The least and the most that a number's widget takes."""
    least, most = bounds(type(st.session_state["view"]), field)
    return {"min_value": least, "max_value": most}
