"""What pages about one picture share: its choice, its network, and work that may take long.

Work is done by the server's pool. Its latest result stays in the session under the name of a
slot, together with the view it belongs to, until a newer one is there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from advprop_core.text import percent
from advprop_core.types import ModelInfo
from app.shell import cache, controls, gallery, state
from app.shell.jobs import Cancelled
from app.shell.pictures import PictureGone, PictureKey, key_of
from app.shell.state import View

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.shell.cache import Lens, Network
    from app.shell.jobs import Job

QUICK = 3.0  # seconds to wait for a result before showing progress instead
_POLL = 0.8
_DRAWN, _WORK, _STOPPED = "drawn", "work.", "stopped."  # in the session
_NOTHING = object()


@dataclass(frozen=True)
class Shown:
    """A result on a page, and what it belongs to.

    Attributes:
        result: Whatever the page's work gave.
        view: What was asked.
        network: Which one answered.
        info: Of that network.
        title: Of the picture.
        picture: Which one it was.
    """

    result: Any
    view: View
    network: Network
    info: ModelInfo
    title: str
    picture: PictureKey


@dataclass(frozen=True)
class Work:
    """Something to be done by the pool.

    Attributes:
        networks: Those that do it.
        request: All else that decides its result.
        run: Does it, reporting to the job.
        picture: What it is about, where that is a picture: its file may be replaced.
    """

    networks: tuple[Network, ...]
    request: Hashable
    run: Callable[[Job], Any]
    picture: PictureKey | None = None

    @property
    def key(self) -> Hashable:
        """Work with equal keys shares one job."""
        return self.networks, self.request, self.picture


@dataclass(frozen=True)
class PicturePage:
    """A page that answers one question about one picture.

    Attributes:
        slot: Under which its result is kept.
        question: Its heading.
        introduction: A sentence or two below it.
        controls: Draws widgets that need no network loaded; what it returns is handed to
            ``late_controls``.
        late_controls: Draws widgets that need the network.
        work: From the view and the network to what is to be done.
        draw: Draws a result; ``current`` is false while a newer one is being made.
    """

    slot: str
    question: str
    introduction: str
    controls: Callable[[ModelInfo], DeltaGenerator | None]
    late_controls: Callable[[DeltaGenerator | None, Lens], None]
    work: Callable[[View, Lens], Work]
    draw: Callable[[Shown, bool], None]

    def show(self) -> None:
        """The whole page."""
        models = begin(self.question, self.introduction)
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
            kept = self.controls(info)
        view = state.current()
        if refusal := gallery.take_refusal():
            st.error(refusal)
        complaints = st.container()
        place = st.empty()
        lens = _load(view, info, None if shown(self.slot) else place)
        if lens is not None:
            self.late_controls(kept, lens)
            view = state.current()
        for complaint in state.complaints():
            complaints.warning(complaint)
        self._answer(view, lens, place)
        with chooser:
            gallery.show(view, info, refusal)

    def _answer(self, view: View, lens: Lens | None, place: DeltaGenerator) -> None:
        """The result, or progress above the previous one while it is being made."""
        if lens is None and shown(self.slot) is None:
            return
        with place.container():
            if lens is not None:
                self._work(view, lens)
            if (found := shown(self.slot)) is not None:
                current = lens is not None and _is_current(found, view)
                if not current:
                    st.caption("This is the previous result; it stays until the new one is there.")
                self.draw(found, current)

    def _work(self, view: View, lens: Lens) -> None:
        before = shown(self.slot)
        try:
            picture = key_of(view.image)
            title = cache.picture(view.image, lens.info.input_size).title
            work = replace(self.work(view, lens), picture=picture)
            result = wait_for(self.slot, work)
            if result is not None:
                found = Shown(result, view, lens.network, lens.info, title, picture)
                st.session_state[_shown(self.slot)] = found
        except (PictureGone, ValueError) as error:
            st.error(f"{error} The previous result stays below." if before else str(error))


def shown(slot: str) -> Shown | None:
    """The latest result of a slot, while the file of its network is what it was."""
    found: Shown | None = st.session_state.get(_shown(slot))
    if found is not None and found.network != cache.network_of(found.network.name):
        del st.session_state[_shown(slot)]
        return None
    return found


def _is_current(result: Shown, view: View) -> bool:
    """Whether a result is what the view asks for, of the picture as it is now."""
    try:
        return result.view == view and result.picture == key_of(view.image)
    except PictureGone:
        return False


def submit(slot: str, work: Work) -> Job:
    """The job of this work; one that failed is not tried for ever, one that was stopped is."""
    st.session_state.setdefault(_DRAWN, set()).add(slot)
    key = f"{_WORK}{slot}"
    job: Job | None = st.session_state.get(key)
    if job is None or job.key != work.key or not job.done or job.cancelled:
        job = cache.pool().submit(_session(slot), work.key, work.run)
        st.session_state[key] = job
    return job


def wait_for(slot: str, work: Work, on_stop: Callable[[], None] | None = None) -> Any | None:
    """The result of work, or None: progress while it is being made, a button once it was stopped.

    Args:
        slot: A name of its own.
        work: What is to be done.
        on_stop: What stopping means besides that this person waits no more.
    """
    if is_stopped(slot, work.key):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.caption("Stopped.")
        right.button("Go on", key=f"go.{slot}", width="stretch", on_click=go_on, args=(slot,))
        return None
    job = submit(slot, work)
    if wait([job.future], QUICK).done:
        try:
            return job.future.result()
        except Cancelled:  # by someone else, just now: a file was written anew, for instance
            st.rerun()
    _progress(slot, on_stop)
    return None


def is_stopped(slot: str, key: Hashable) -> bool:
    """Whether the person stopped this work."""
    return bool(st.session_state.get(f"{_STOPPED}{slot}", _NOTHING) == key)


def was_ended(slot: str, request: Hashable) -> bool:
    """Whether work on this that the person followed was ended, and not by them."""
    job: Job | None = st.session_state.get(f"{_WORK}{slot}")
    if job is None or not job.cancelled:
        return False
    _, ended_request, _ = cast("tuple[object, Hashable, object]", job.key)  # see Work.key
    return ended_request == request


def go_on(slot: str) -> None:
    """What was stopped may be made after all."""
    st.session_state.pop(f"{_STOPPED}{slot}", None)


def begin_run() -> None:
    """Before a page is drawn: nothing of it asks for work yet."""
    st.session_state[_DRAWN] = set()


def end_run(kept: Collection[str]) -> None:
    """After a page was drawn: give up the work of places that were not, for nobody sees them.

    Args:
        kept: Slots whose work goes on whatever is looked at.
    """
    drawn = st.session_state[_DRAWN]
    for name in [name for name in st.session_state if str(name).startswith(_WORK)]:
        slot = str(name).removeprefix(_WORK)
        if slot not in drawn and slot not in kept:
            cache.pool().cancel(_session(slot))
            del st.session_state[name]


def dark() -> bool:
    """Whether the page's ground is dark."""
    return bool(st.context.theme.type == "dark")


def begin(question: str, introduction: str) -> dict[str, ModelInfo]:
    """A page's heading, and the view as it was left or linked.

    Returns:
        The networks by name; none where there is none, which is said.
    """
    st.title(question)
    st.markdown(introduction)
    models = cache.known_models()
    if models:
        state.restore(_default_view(models))
    else:
        st.error("No network is here: the bundled checkpoints are missing. Install again.")
    return models


def _default_view(models: dict[str, ModelInfo]) -> View:
    """The first view: a drawn scene with its network, or the person's own model."""
    default = state.DEFAULTS[state.VERSION]
    return default if default.model in models else View(model=next(iter(models)))


def _load(view: View, info: ModelInfo, place: DeltaGenerator | None) -> Lens | None:
    """The network; where nothing is shown yet, the picture is there before it."""
    if place is not None:
        with place.container():
            _shell(view, info)
    try:
        with st.spinner("Loading the network…", show_time=True):
            return cache.load_lens(view.model)
    except ValueError as error:  # CheckpointError, or a network that timm does not know
        if place is not None:
            place.empty()
        st.error(f"{error}. Choose another network on the left.")
        return None


def _shell(view: View, info: ModelInfo) -> None:
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
    except (PictureGone, ValueError):
        return  # said in full once the network is there


@st.fragment(run_every=_POLL)
def _progress(slot: str, on_stop: Callable[[], None] | None) -> None:
    """Polls the job; the page is drawn again when it is done."""
    job: Job = st.session_state[f"{_WORK}{slot}"]
    if job.done or job.cancelled:
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="center")
    said = f"Working … {percent(job.progress)}" if job.started else "Waiting for other work …"
    left.progress(job.progress, said)
    if right.button(
        "Stop", key=f"stop.{slot}", width="stretch", on_click=_stop, args=(slot, on_stop)
    ):
        st.rerun()  # at once: the worker may be long in getting to its next report


def _stop(slot: str, on_stop: Callable[[], None] | None) -> None:
    job: Job | None = st.session_state.get(f"{_WORK}{slot}")
    if job is None:  # given up in the meantime
        return
    st.session_state[f"{_STOPPED}{slot}"] = job.key
    cache.pool().cancel(_session(slot))
    if on_stop:
        on_stop()


def _session(slot: str) -> str:
    """Who waits: one place of one person's session."""
    if "session" not in st.session_state:
        st.session_state["session"] = uuid.uuid4().hex
    return f"{st.session_state['session']}.{slot}"


def _shown(slot: str) -> str:
    return f"shown.{slot}"
