"""Choices inside the tabs, which the link remembers as it does the controls.

Which there are depends on the results that are shown. A field that is empty stands for the first
of them, or for another default, so that a link holds only what a person chose.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from app.shell import links, state
from app.shell.state import key


def choose(
    label: str,
    titles: Mapping[str, str],
    field: str,
    *,
    default: str = "",
    widget: Callable[..., str | None] = st.selectbox,
) -> str:
    """One of several; returns its name.

    Args:
        label: Of the widget.
        titles: Name to what a person reads; at least one.
        field: Of the page's view.
        default: What is shown while nothing was chosen; the first by default.
        widget: Shows them; a list by default.
    """
    first = default or next(iter(titles))
    _settle(field, titles, first)
    chosen = widget(
        label,
        ["" if name == first else name for name in titles],
        format_func=lambda name: titles[name or first],
        key=key(field),
    )
    return chosen or first


def _settle(field: str, titles: Mapping[str, str], first: str) -> None:
    """Nothing that is not on offer; where the link asked for it, that is said."""
    asked, linked = st.session_state[key(field)], st.session_state["linked"]
    if asked == first:
        st.session_state[key(field)] = ""
    are_linked = linked.results in ("", st.session_state[key("results")])
    is_linked = are_linked and getattr(linked, field) == asked
    state.keep_within(field, ["", *titles], links.complaint(field, asked) if is_linked else "")
