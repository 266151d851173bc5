"""The view of a page in the session: between its widgets, its link and the other pages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.language.text import _
from app.shell import language, network_files
from app.shell.links import complaint, decode, encode
from app.shell.view import View, fitting, rules

_TRAVELLING = ("beside",)
"""Fields that the address of every page holds: to lose them by a reload would lose much work."""


def key(name: str) -> str:
    """The widget key of a field."""
    return f"view.{name}"


def restore(opened: View, default: View) -> None:
    """Put a page's view into the session before its widgets are drawn.

    ``opened`` is what the page shows where the link says nothing, ``default`` what Reset gives:
    the picture of the former suits the link's network.

    A field that no page has shown yet comes from the link. Others have what was chosen last: to a
    widget that was hidden, or is on another page, its value is given back, which Streamlit forgets.
    """
    session, page = st.session_state, type(opened)
    names = rules(page).keys()
    chosen = session.setdefault("fields", {})
    is_new = not names <= chosen.keys()
    session["default"] = default
    session["left"] = None  # the view before, where Back or Forward asks for this run
    if is_new:
        asked = {name: text for name, text in _first_link().items() if name not in chosen}
        view, session["complaints"] = decode(asked, opened)
        session["fields"] = chosen = {**vars(view), **chosen}
    session["view"] = page(**{name: chosen[name] for name in names})
    if is_new:
        session["linked"] = session["view"]
    elif is_back():  # the address says what is shown, whatever the widgets hold
        session["left"] = session["view"]
        session["view"], session["complaints"] = decode(st.query_params, opened)
        session["linked"] = session["view"]
        session["fields"] = {**chosen, **vars(session["view"])}
        choose(**vars(session["view"]))
        return
    for name in names:
        # Set anew each time: another page has other widgets, which would start from their own.
        in_widget = session.get(key(name), chosen[name])
        try:
            session[key(name)] = fitting(page, name, in_widget)
        except ValueError:  # no widget of ours gives it, but a browser may send anything
            fallback = session[key(name)] = rules(page)[name].default
            sentence = _("The value of {name} cannot be used. It is now {default!r}.")
            _fall_back(name, fallback, sentence.format(name=name, default=fallback))


def default() -> Any:
    """What the page shows when nothing was chosen."""
    return st.session_state["default"]


def opens_with(**values: Any) -> None:
    """What fields that the default leaves open show at first: Reset comes back to it."""
    st.session_state["default"] = replace(default(), **values)


def is_back() -> bool:
    """Whether the browser's Back or Forward asks for this run."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _fall_back(name: str, value: Any, complaint: str) -> None:
    """Replace a field of the view, which then counts as untouched, so that the complaint stays."""
    session = st.session_state
    session["complaints"] = [*complaints(), complaint]
    session["view"] = session["linked"] = replace(session["view"], **{name: value})


def complaints() -> list[str]:
    """What could not be used, one sentence each, until something else is chosen."""
    session = st.session_state
    return list(session["complaints"]) if session["view"] == session["linked"] else []


def current() -> Any:
    """The page's view as the widgets have it now; it is remembered and written into the link."""
    session = st.session_state
    page = type(session["view"])
    view = page(**{name: fitting(page, name, session[key(name)]) for name in rules(page)})
    session["view"] = view
    session["fields"] = {**session["fields"], **vars(view)}
    write_link(encode(view))
    return view


@contextmanager
def remembered(*names: str) -> Iterator[None]:
    """What is chosen inside is in the link, also where only this part of the page is drawn anew."""
    for name in names:  # Streamlit forgets the widgets of a tab that is closed
        st.session_state.setdefault(key(name), st.session_state["fields"][name])
    current()
    yield
    current()


def _first_link() -> dict[str, str]:
    """What the address held when the session began; pages take from it what they have."""
    return dict(st.session_state.setdefault("link", st.query_params.to_dict()))


def write_link(link: dict[str, str]) -> None:
    """The link of a page, with what travels from page to page: a reload ends the session.

    ``link`` is what the page itself has to say; nothing where it has no view.
    """
    chosen = {**_first_link(), **st.session_state.get("fields", {})}
    link |= {name: chosen[name] for name in _TRAVELLING if chosen.get(name)}
    link |= language.in_link()
    if names := network_files.opened():
        link[network_files.OPENED] = ",".join(names)
    if link != st.query_params.to_dict():
        st.query_params.from_dict(link)


def value(name: str) -> Any:
    """What the widget of a field holds now, also before the view is made of it."""
    return st.session_state[key(name)]


def choose(**values: Any) -> None:
    """Set fields from a callback, before the widgets of this or another page are drawn again."""
    for name, value in values.items():
        st.session_state[key(name)] = value


def settle(name: str, options: Sequence[Any]) -> None:
    """Choose the first where a field is left open, or has what is not there."""
    if not st.session_state[key(name)]:
        choose(**{name: options[0]})
    keep_within(name, options)


def keep_within(name: str, options: Sequence[Any], reason: str = "") -> None:
    """The first option instead of a choice that they do not hold, such as another model's class.

    Where it was the link that asked for it, or there is a reason to give, that is a complaint.
    """
    session = st.session_state
    asked = fitting(type(session["view"]), name, session[key(name)])
    if asked in options:
        return
    session[key(name)] = options[0]
    if reason or session["view"] == session["linked"]:
        _fall_back(name, options[0], reason or complaint(name, asked))
