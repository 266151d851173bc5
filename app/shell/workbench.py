"""What pages about one picture share: its choice, its network, and a result of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.types import ModelInfo
from app.shell import cache, controls, defects, gallery, state, tasks
from app.shell.tasks import Shown, Task
from app.shell.view import View

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.shell.cache import Lens


@dataclass(frozen=True)
class PicturePage:
    """A page that answers one question about one picture.

    Attributes:
        slot: Under which its result is kept.
        view: What its widgets and its link decide.
        question: Its heading.
        introduction: A sentence or two below it.
        controls: Draws widgets that need no network loaded; what it returns is handed to
            ``late_controls``.
        late_controls: Draws widgets that need the network.
        task: From the view and the network to what is to be computed.
        draw: Draws a result; ``current`` is false while a newer one is being computed.
    """

    slot: str
    view: type[View]
    question: str
    introduction: str
    controls: Callable[[ModelInfo], DeltaGenerator | None]
    late_controls: Callable[[DeltaGenerator | None, Lens], None]
    task: Callable[[Any, Lens], Task]
    draw: Callable[[Shown, bool], None]

    def show(self) -> None:
        """The whole page."""
        models = begin(self.view, self.question, self.introduction)
        if not models:
            return
        info = controls.settle(models)
        with st.sidebar:
            controls.model_picker(models)
            chooser = st.popover(
                "Choose a picture",
                icon=":material/image:",
                width="stretch",
                key=gallery.OPEN,
                on_change="rerun",  # so that a choice can close it
            )
            layer_slot = self.controls(info)
        view = state.current()
        if refusal := gallery.take_refusal():
            st.error(refusal)
        complaints = st.container()
        result_slot = st.empty()
        lens = _load(view, info, None if tasks.shown(self.slot) else result_slot)
        if lens is not None:
            self.late_controls(layer_slot, lens)
            view = state.current()
        for complaint in state.complaints():
            complaints.warning(complaint)
        self._answer(view, lens, result_slot)
        with chooser:
            gallery.show(view, info, refusal)

    def _answer(self, view: View, lens: Lens | None, result_slot: DeltaGenerator) -> None:
        """The result, or progress above the previous one while it is being computed."""
        if lens is None and tasks.shown(self.slot) is None:
            return  # why is said already, above what must not be cleared
        with result_slot.container():
            task, shown = None, tasks.shown(self.slot)
            try:
                if lens is not None:
                    title = cache.picture(view.image, lens.info.input_size).title
                    task = self.task(view, lens)
                    shown = tasks.answer(self.slot, task, view, lens.info, title)
            except defects.MISTAKES as error:
                shown = tasks.refused(self.slot, error)
            if shown is not None:
                asked = None if task is None else task.key
                self.draw(shown, (shown.task, shown.view) == (asked, view))


def dark() -> bool:
    """Whether the page's ground is dark."""
    return bool(st.context.theme.type == "dark")


def begin(page: type[View], question: str, introduction: str) -> dict[str, ModelInfo]:
    """A page's heading, and its view as it was left or linked.

    Returns:
        The networks by name; none where there is none, which is said.
    """
    st.title(question)
    st.markdown(introduction)
    models = cache.known_models()
    if models:
        # First a drawn scene with its network, or the person's own model.
        default = page()
        state.restore(default if default.model in models else page(model=next(iter(models))))
    else:
        st.error("No network is here: the bundled checkpoints are missing. Install again.")
    return models


def _load(view: View, info: ModelInfo, empty: DeltaGenerator | None) -> Lens | None:
    """The network; where nothing is shown yet, the picture is there before it."""
    if empty is not None:
        with empty.container():
            _outline(view, info)
    try:
        with st.spinner("Loading the network…", show_time=True):
            return cache.load_lens(view.model)
    except defects.MISTAKES as error:
        if empty is not None:
            empty.empty()
        defects.tell(error, " Choose another network on the left.")
        return None


def _outline(view: View, info: ModelInfo) -> None:
    """What can be shown before torch is there: the picture, and fixed places for the rest."""
    st.markdown("##### The network is being loaded …")
    columns = st.columns(3, gap="medium")
    try:
        picture = cache.picture(view.image, info.input_size)
        columns[0].image(
            cache.preview(view.image, info.input_size),
            caption=f"Clean: {picture.title}",
            width="stretch",
            output_format="PNG",
            alt=picture.title,
        )
    except defects.MISTAKES:
        return  # said in full once the network is there
