"""What the parts of the Anatomy page have in common.

A part is drawn anew alone. It asks the pool for what it shows; while that is being made, what it
showed before stays.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from advprop_core.types import Comparison
from app.anatomy.view import AnatomyView
from app.language.text import titled
from app.shell import state, tasks
from app.shell.cache import Lens
from app.shell.tasks import Key, Task


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

    def widget(self, field: str) -> dict[str, Any]:
        """The key of a field's widget; while a newer result is made, of one that cannot be moved.

        That shows what the view has to which the previous result belongs.
        """
        if self.current:
            return {"key": state.key(field), "disabled": False}
        st.session_state[f"stale.{field}"] = getattr(self.view, field)
        return {"key": f"stale.{field}", "disabled": True}


def choice(
    subject: Subject, field: str, title: str, options: Mapping[Any, str], help: str | None = None
) -> None:
    """One of a few values of a field, side by side; ``options`` has their titles in English."""
    st.segmented_control(
        title,
        list(options),
        format_func=titled(options),
        required=True,
        help=help,
        **subject.widget(field),
    )


def result(
    slot: str,
    subject: Subject,
    function: Callable[..., Any],
    *arguments: Hashable,
    about: Hashable,
    ask: str = "",
) -> Any | None:
    """What ``function(subject, *arguments, progress=…)`` gives; meanwhile, the result before it.

    Args:
        slot: A name of its own.
        subject: Whose network does it.
        function: Of :mod:`app.anatomy.work`.
        arguments: Of the function; with ``about`` they decide the result.
        about: Results about the same can stand in for one another.
        ask: What a button says that must be pressed first, if one must.
    """
    name = f"anatomy.{slot}"
    call = partial(function, subject, *arguments)
    key = Key((subject.lens.network,), name, about, arguments)
    # What must be asked for is what takes minutes.
    task = Task(key, call, is_long=bool(ask))
    if ask and tasks.offer(name, task, ask) != task:
        return None
    answer = tasks.answer(name, task, same_inputs=True)
    return None if answer is None else answer.result
