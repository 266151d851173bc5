"""What the parts of the attack studio share: their subject, and work that may take long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.types import ModelInfo
from app import cache, workbench
from app.pictures import PictureGone
from app.state import View
from app.workbench import Shown, Work

if TYPE_CHECKING:
    from app.cache import Lens

_RESERVED = 420  # px: about what a part takes, so that what lies below does not jump


@dataclass(frozen=True)
class Subject:
    """What the comparison above shows; the studio takes it further.

    Attributes:
        view: What was asked.
        info: Of the network.
        lens: The network.
        title: Of the picture.
        true_class: Index, or None.
    """

    view: View
    info: ModelInfo
    lens: Lens
    title: str
    true_class: int | None


def subject_of(found: Shown) -> Subject:
    """The subject of a comparison."""
    from app.requests import class_index

    label = cache.picture(found.view.image, found.info.input_size).label
    lens = cache.load_lens(found.view.model)
    return Subject(found.view, found.info, lens, found.title, class_index(found.info, label))


def work_on(subject: Subject, request: Any, run: Callable[..., Any]) -> Work:
    """Work on the subject's picture: ``run`` takes request, network, pixels and job."""
    pixels = cache.pixels(subject.view.image, subject.info.input_size)
    return Work(request, lambda job: run(request, subject.lens, pixels, job))


def answer(slot: str, subject: Subject, work: Work) -> Shown | None:
    """The newest result of a part: its own, or the one before while it is being made."""
    before = kept(slot)
    try:
        result = workbench.wait_for(f"studio.{slot}", work)
    except (PictureGone, ValueError) as error:
        st.error(f"{error} The previous result stays below." if before else str(error))
        return before
    stopped = workbench.is_stopped(f"studio.{slot}", work.key)
    if result is None and before is None and not stopped:
        st.skeleton(height=_RESERVED)
    if result is not None:
        shown = Shown(result, subject.view, subject.info, subject.title)
        st.session_state[f"shown.studio.{slot}"] = shown
    elif before is not None:
        st.caption("This is the previous result; it stays until the new one is there.")
    return kept(slot)


def kept(slot: str) -> Shown | None:
    """The latest result of a part."""
    found: Shown | None = st.session_state.get(f"shown.studio.{slot}")
    return found
