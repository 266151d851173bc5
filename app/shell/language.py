"""Which language a person reads: as the link says, as they chose, or as their browser asks."""

import streamlit as st

from app.elements.declare import declare
from app.language.text import LANGUAGES, SESSION, current

LINK = "lang"
_SWITCH = "language.switch"
_CHOSEN = "language.chosen"  # in the session: by hand or by a link, so that links carry it
_reader = declare("reader")


def settle(*, is_back: bool) -> None:
    """Find the language of this session, before anything is drawn; by Back the link decides."""
    session = st.session_state
    if SESSION in session and not is_back:
        return
    linked = st.query_params.get(LINK)
    if linked in LANGUAGES:
        session[SESSION], session[_CHOSEN] = linked, True
    elif SESSION not in session:
        # The first part of ``zh-Hant-TW``, where there is a catalogue for it.
        code = (st.context.locale or "").replace("_", "-").split("-")[0].lower()
        session[SESSION] = code if code in LANGUAGES else "en"


def in_link() -> dict[str, str]:
    """What a link says of the language; nothing where nobody chose one."""
    return {LINK: current()} if st.session_state.get(_CHOSEN) else {}


def switch() -> None:
    """The choice, in each language's own name."""
    # A browser picks letters, hyphens and a voice by the language. When another theme is chosen,
    # the page is drawn anew: charts have the ink of one theme, and Streamlit does not ask for
    # that itself (its issue 11920).
    _reader(key="reader", data={"language": current()}, on_theme_change=lambda: None)
    session = st.session_state
    session[_SWITCH] = current()

    def take() -> None:
        session[SESSION], session[_CHOSEN] = session[_SWITCH], True

    st.segmented_control(
        "English / 中文 / 日本語",
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=_SWITCH,
        required=True,
        label_visibility="collapsed",
        on_change=take,
    )
