"""What the parts of the Anatomy page have in common.

A part is drawn anew alone. It asks the pool for what it shows; while that is being made, what it
showed before stays.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.shell import state, workbench
from app.shell.workbench import Work

if TYPE_CHECKING:
    from advprop_core.types import Comparison
    from app.shell.cache import Lens
    from app.shell.jobs import Job
    from app.shell.requests import ComparisonRequest
    from app.shell.state import View


@dataclass(frozen=True)
class Subject:
    """What the parts are about.

    Attributes:
        base: All that decides the comparison; further work is keyed by it.
        request: The comparison as it was asked for.
        comparison: What the page shows at its top.
        lens: The network.
        view: What was asked.
        current: Whether that is what the person wants now; if not, nothing can be moved.
    """

    base: Hashable
    request: ComparisonRequest
    comparison: Comparison
    lens: Lens
    view: View
    current: bool

    def newest(self) -> View:
        """The view, with what was moved in this part since the page was drawn."""
        return state.current() if self.current else self.view

    @property
    def class_name(self) -> str:
        """Of the class that is followed: the true one, or the one under attack."""
        return self.lens.info.class_names[self.comparison.attacked_class]

    @property
    def auxiliaries(self) -> list[str]:
        """The branches that main can be compared with."""
        return list(self.comparison.branches[1:])


def result(
    slot: str,
    subject: Subject,
    key: tuple[Hashable, ...],
    run: Callable[[Job], Any],
    ask: str = "",
) -> Any | None:
    """The result of a part's work; while it is being made, the one before it.

    Args:
        slot: A name of its own.
        subject: Whose network does it.
        key: All else that decides the result; results of the same first part can stand in for it.
        run: Does the work.
        ask: What a button says that must be pressed first, if one must.
    """
    name = f"anatomy.{slot}"
    asked, latest = f"{name}.asked", f"{name}.latest"
    whole = subject.lens.network, key
    if ask and st.session_state.get(asked) != whole:
        st.button(ask, key=f"{name}.ask", on_click=_ask, args=(name, whole))
        return None
    try:
        value = workbench.wait_for(name, Work((subject.lens.network,), (name, key), run))
    except ValueError as error:
        st.error(str(error))
        return None
    if value is not None:
        st.session_state[latest] = (subject.lens.network, key[0]), value
        return value
    about, before = st.session_state.get(latest, (None, None))
    if about != (subject.lens.network, key[0]):
        return None
    st.caption("This is the previous result, until the new one is ready.")
    return before


def _ask(name: str, key: Hashable) -> None:
    st.session_state[f"{name}.asked"] = key
    workbench.go_on(name)
