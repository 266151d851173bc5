"""What the parts of the attack studio share: their subject, and work that may take long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.types import Comparison, ModelInfo
from app.shell import cache, workbench
from app.shell.state import View
from app.shell.workbench import Shown, Work

if TYPE_CHECKING:
    from app.shell.cache import Lens
    from app.shell.pictures import PictureKey

_RESERVED = 420  # px: about what a part takes, so that what lies below does not jump


@dataclass(frozen=True)
class Subject:
    """What the comparison above shows; the studio takes it further.

    Attributes:
        view: What was asked.
        info: Of the network.
        lens: The network.
        title: Of the picture.
        comparison: What was found; the picture itself may be gone by now.
        picture: Which one it was.
    """

    view: View
    info: ModelInfo
    lens: Lens
    title: str
    comparison: Comparison
    picture: PictureKey

    @property
    def true_class(self) -> int | None:
        """Index, where it is known."""
        return self.comparison.true_class


def subject_of(found: Shown) -> Subject:
    """The subject of a comparison."""
    lens = cache.load_lens(found.view.model)
    return Subject(found.view, found.info, lens, found.title, found.result, found.picture)


def work_on(subject: Subject, request: Any, run: Callable[..., Any]) -> Work:
    """Work on the subject's picture: ``run`` takes request, network, pixels and job."""
    pixels = subject.comparison.clean[None]
    networks = (subject.lens.network,)
    return Work(
        networks,
        request,
        lambda job: run(request, subject.lens, pixels, job),
        picture=subject.picture,
    )


def answer(slot: str, subject: Subject, work: Work) -> Shown | None:
    """The newest result of a part: its own, or the one before while it is being made."""
    before = kept(slot)
    try:
        result = workbench.wait_for(f"studio.{slot}", work)
    except ValueError as error:
        st.error(f"{error} The previous result stays below." if before else str(error))
        return before
    stopped = workbench.is_stopped(f"studio.{slot}", work.key)
    if result is None and before is None and not stopped:
        st.skeleton(height=_RESERVED)
    if result is not None:
        network = subject.lens.network
        shown = Shown(result, subject.view, network, subject.info, subject.title, subject.picture)
        st.session_state[f"shown.studio.{slot}"] = shown
    elif before is not None:
        st.caption("This is the previous result; it stays until the new one is there.")
    return kept(slot)


def kept(slot: str) -> Shown | None:
    """The latest result of a part."""
    return workbench.shown(f"studio.{slot}")
