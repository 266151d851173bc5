"""What the parts of the Anatomy page have in common.

A part is drawn anew alone. It asks the pool for what it shows; while that is being made, what it
showed before stays.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.shell import state, tasks
from app.shell.tasks import Task

if TYPE_CHECKING:
    from advprop_core.types import Comparison
    from app.anatomy.view import AnatomyView
    from app.shell.cache import Lens
    from app.shell.jobs import Report


@dataclass(frozen=True)
class Subject:
    """What the parts are about.

    Attributes:
        base: Key of the task that gave the comparison; further tasks are about it.
        comparison: What the page shows at its top.
        lens: The network.
        view: What was asked.
        current: Whether that is what the person wants now; if not, nothing can be moved.
    """

    base: Hashable
    comparison: Comparison
    lens: Lens
    view: AnatomyView
    current: bool

    def newest(self) -> AnatomyView:
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
    run: Callable[[Report], Any],
    ask: str = "",
) -> Any | None:
    """The result of a part's work; while it is being made, the one before it.

    Args:
        slot: A name of its own.
        subject: Whose network does it.
        key: All else that decides the result; results of the same first part can stand in for it.
        run: Does the work; takes ``progress``.
        ask: What a button says that must be pressed first, if one must.
    """
    name = f"anatomy.{slot}"
    task = Task((subject.lens.network,), name, key, run)
    if ask and st.session_state.get(f"{name}.asked") != task.key:
        st.button(ask, key=f"{name}.ask", on_click=_ask, args=(name, task.key))
        return None
    shown = tasks.answer(name, task, stands_in=lambda before: before.about == key[0])
    return None if shown is None else shown.result


def _ask(name: str, key: Hashable) -> None:
    st.session_state[f"{name}.asked"] = key
    tasks.go_on(name)
