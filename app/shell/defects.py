"""What went wrong: a mistake that the person can mend, or a defect of this project."""

import logging
import platform
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ParamSpec

import streamlit as st
from streamlit.runtime.state.session_state import SessionState

from advprop_core.errors import AdvPropError
from advprop_core.files import versions
from app.shell.links import encode
from app.shell.public import is_public

MISTAKES = (AdvPropError, OSError)
BUG = "This is a bug in AdvProp Lens. Please send this report to whoever runs or develops it:"
_PUBLIC_BUG = "This is a bug in AdvProp Lens. Whoever runs this server finds it in the logs under"
_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'\":]+[/\\])+")
_FAILED = "callback.failed"  # in the session: an error, and what was shown when it came
P = ParamSpec("P")
_LOG = logging.getLogger(__name__)


def tell(error: BaseException, more: str = "") -> None:
    """A mistake as its sentence and what else is to be said; a defect as a report to copy."""
    if isinstance(error, MISTAKES):
        st.error(f"{sentence(error)}{more}")
        return
    code = secrets.token_hex(4)
    _LOG.error("A page failed", exc_info=error, extra={"code": code})
    is_secret = is_public()  # the text of an error may say what no stranger should know
    bug = f"{_PUBLIC_BUG} `{code}`." if is_secret else BUG
    st.error(f"{bug}{more}", icon=":material/bug_report:")
    if not is_secret:
        st.code(report(error), language=None, wrap_lines=True)


def fragment(function: Callable[P, None], run_every: float | None = None) -> Callable[P, None]:
    """A Streamlit fragment that tells what it raises: drawn anew alone, nothing is around it."""
    return st.fragment(told()(function), run_every=run_every)


@contextmanager
def told() -> Iterator[None]:
    """Around everything a page draws: what it raises is told on it."""
    try:
        yield
    except Exception as error:
        tell(error)


@contextmanager
def told_of_page() -> Iterator[None]:
    """Around a whole page: also what a callback raised, until something else is chosen."""
    place = st.container()
    with told():
        yield
    error, seen = st.session_state.get(_FAILED, (None, None))
    now = st.session_state.get("page"), st.session_state.get("view")
    if seen not in (None, now):
        st.session_state.pop(_FAILED)
    elif error is not None:
        st.session_state[_FAILED] = error, now
        with place:
            tell(error)


@cache
def cover_callbacks() -> None:
    """From now on what a callback raises is told on its page, which is drawn all the same.

    Streamlit calls callbacks before the script, where nothing of a page is around them, and has no
    place to say what to do with what they raise. All of them pass this one method of its own.
    """
    streamlits = SessionState._run_callback_and_record_rerun

    def run_callback(self: SessionState, votes: Any, run: Callable[[], None]) -> None:
        def covered() -> None:
            st.session_state.pop(_FAILED, None)
            try:
                run()
            except Exception as error:
                st.session_state[_FAILED] = error, None
                st.rerun()  # the whole page, also where the widget is in a fragment

        streamlits(self, votes, covered)

    SessionState._run_callback_and_record_rerun = run_callback  # type: ignore[method-assign]


def sentence(error: BaseException) -> str:
    """What the person reads of a mistake: of a file that the system refuses, no folders."""
    return _without_folders(str(error)) if isinstance(error, OSError) else str(error)


def report(error: BaseException) -> str:
    """The defect, where it happened and with what: nothing of the server's folders."""
    session = st.session_state
    settings = encode(session["view"]) if "view" in session else {}
    return "\n".join([
        f"{type(error).__name__}: {_without_folders(str(error))}",
        f"page: {session.get('page', 'unknown')}",
        *(f"{name}: {value}" for name, value in settings.items()),
        platform.system(),
        f"streamlit {st.__version__}",
        *(f"{name} {version}" for name, version in versions().items()),
    ])  # fmt: skip


def _without_folders(text: str) -> str:
    return _FOLDERS.sub("…/", text)
