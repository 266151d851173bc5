"""Tasks: what a page has computed, and what it shows while that takes long.

A task is done by the server's pool. The newest result of a slot, a named place on a page, stays in
the session together with what it belongs to, until a newer one is there.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from advprop_core.text import percent
from advprop_core.types import ModelInfo
from app.language.text import _, paragraph
from app.shell import cache, defects, messages
from app.shell.cache import Network
from app.shell.jobs import Cancelled, Job, Watcher

_LOG = logging.getLogger(__name__)
QUICK = 3.0  # seconds to wait for a result before showing progress instead
PATIENCE = 9.0  # more seconds to wait, with a bar, before drawing the rest of the page
_POLL = 1.0
_GLANCE = 0.2
_RESERVED = 420  # px: about what a result takes, so that what lies below does not jump
# In the session; all but the first begin a name that ends with a slot.
_DRAWN, _JOB, _SHOWN, _STOPPED, _ASKED = "drawn", "work.", "shown.", "stopped.", "asked."


class Key(NamedTuple):
    """What a task is known by; unlike the task itself it holds no network and no pixels.

    Attributes:
        networks: Those that do it. When the file of one changes, the result is forgotten.
        function: Its name.
        about: What the inputs come from, such as the source of a picture: they are modules, pixels
            and earlier results, which cannot be compared.
        options: All else that decides the result.
    """

    networks: tuple[Network, ...]
    function: str
    about: Hashable
    options: tuple[Hashable, ...] = ()


@dataclass(frozen=True)
class Task:
    """One call of a library function. Equal tasks share one job.

    Attributes:
        key: Of its job.
        call: Does it; takes ``progress``, which may be called with a share, or with what is done
            and its total.
        is_long: Whether it takes minutes: what is quick goes first, whoever asks for it.
        follows: Whether it completes an answer that is shown already: it goes before others.
    """

    key: Key
    call: Callable[..., Any] = field(compare=False, repr=False)
    is_long: bool = field(default=False, compare=False)
    follows: bool = field(default=False, compare=False)

    @classmethod
    def of(
        cls,
        networks: tuple[Network, ...],
        function: Callable[..., Any],
        *inputs: Any,
        about: Hashable,
        is_long: bool = False,
        follows: bool = False,
        **options: Any,
    ) -> Task:
        """The task of calling ``function(*inputs, **options, progress=…)``; see :class:`Key`."""
        key = Key(networks, function.__name__, about, tuple(sorted(options.items())))
        return cls(key, partial(function, *inputs, **options), is_long, follows)


@dataclass(frozen=True)
class Shown:
    """A result on a page, and the key of its task.

    ``view`` is what was asked, ``title`` the picture's; ``info`` is there where one network is.
    """

    result: Any
    task: Key
    view: Any = None
    info: Any = None
    title: str = ""


def answer(
    slot: str,
    task: Task,
    view: Any = None,
    info: ModelInfo | None = None,
    title: str = "",
    *,
    same_inputs: bool = False,
    room: int = _RESERVED,
) -> Shown | None:
    """The newest result of a slot: this task's or, while it is computed, the one before.

    Draws progress, a mistake or a defect, and says when the result is the previous one. With a
    result ``view``, ``info`` and ``title`` are kept. Any previous one may be shown meanwhile and
    after a failure; with ``same_inputs`` only one of the same inputs, and none after a failure.
    ``room`` is the height in pixels that is kept for the first result: none where it is shown
    elsewhere.
    """
    try:
        result = wait_for(slot, task, room)
    except Exception as error:
        if not same_inputs:
            return refused(slot, error)
        defects.tell(error)
        return None
    if result is not None:
        st.session_state[f"{_SHOWN}{slot}"] = Shown(result, task.key, view, info, title)
    is_coming = result is None and not is_stopped(slot, task)
    newest = shown(slot)
    if newest is None or (same_inputs and newest.task.about != task.key.about):
        if is_coming and room:
            st.skeleton(height=room)
        return None
    return previous(slot, task, _("The new one is being computed.") if is_coming else "")


def previous(slot: str, task: Task, more: str = "") -> Shown | None:
    """The newest result of a slot; where it is another task's, that is said."""
    newest = shown(slot)
    if newest is not None and newest.task != task.key:
        st.caption(paragraph([_("Previous result."), more]))
    return newest


def refused(slot: str, error: BaseException) -> Shown | None:
    """Say why there is no new result; returns the previous one, which stays."""
    newest = shown(slot)
    defects.tell(error, _(" The previous result stays below.") if newest else "")
    return newest


def shown(slot: str) -> Shown | None:
    """The newest result of a slot, while the files of its networks are what they were."""
    newest: Shown | None = st.session_state.get(f"{_SHOWN}{slot}")
    if newest and any(cache.network_of(each.name) != each for each in newest.task.networks):
        del st.session_state[f"{_SHOWN}{slot}"]
        return None
    return newest


def submit(slot: str, task: Task) -> Job:
    """The job of this task; one that failed is not tried for ever, one that was stopped is."""
    st.session_state.setdefault(_DRAWN, set()).add(slot)
    name = f"{_JOB}{slot}"
    job: Job | None = st.session_state.get(name)
    if job is None or job.key != task.key or not job.done or job.cancelled:
        asked = Job(task.key, partial(_do, task), is_long=task.is_long, follows=task.follows)
        job = st.session_state[name] = cache.pool().submit(_watcher(slot), asked)
    return job


def _do(task: Task, job: Job) -> Any:
    """The task, on a worker's thread; of what was given to it nothing is logged."""
    from advprop_core.training.memory import memory_advice  # here: it loads torch

    with memory_advice("This server's memory is full: ask for less, or try again later."):
        result = task.call(progress=job.report)
    _LOG.info("A task is done", extra={"task": task.key.function, "seconds": round(job.spent, 2)})
    return result


def wait_for(slot: str, task: Task, room: int = _RESERVED) -> Any | None:
    """The result of a task, or None: progress while it is computed, a button once it is stopped."""
    if is_stopped(slot, task):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.caption(_("Stopped."))
        right.button(_("Go on"), key=f"go.{slot}", width="stretch", on_click=go_on, args=(slot,))
        return None
    job = submit(slot, task)
    if _wait(job, QUICK) or _watch(slot, job, room):
        try:
            return job.future.result()
        except Cancelled:  # by someone else, just now: a file was written anew, for instance
            st.rerun()
    _progress(slot)
    return None


def _wait(job: Job, seconds: float) -> bool:
    """Wait for a job; returns whether it is done."""
    end = time.monotonic() + seconds
    while not job.done and time.monotonic() < end:
        wait([job.future], _GLANCE)
        _ = _DRAWN in st.session_state  # here Streamlit ends this run, where it is out of date
    return job.done


def _watch(slot: str, job: Job, height: int) -> bool:
    """Wait a little longer, with a bar: to draw the page and poll costs the server more."""
    bar, room, end = st.empty(), st.empty(), time.monotonic() + PATIENCE
    if PATIENCE and height and shown(slot) is None:
        room.skeleton(height=height)
    while not job.done and time.monotonic() < end:
        bar.progress(job.progress, _state(job))
        _wait(job, _POLL)
    bar.empty()
    room.empty()
    return job.done


def is_stopped(slot: str, task: Task) -> bool:
    """Whether the person stopped this task."""
    return bool(st.session_state.get(f"{_STOPPED}{slot}") == task.key)


def was_cancelled(slot: str, task: Task) -> bool:
    """Whether this task was stopped by somebody else, or by a network file that changed."""
    job: Job | None = st.session_state.get(f"{_JOB}{slot}")
    # Not the whole key: the networks in it differ once a file changed.
    return job is not None and job.cancelled and cast("Any", job.key)[1:] == task.key[1:]


def offer(slot: str, task: Task, title: str, **button: Any) -> Task | None:
    """A button that asks for this task, unless that was done; returns what was asked for last.

    ``button`` holds what Streamlit is told of it besides its title.
    """
    asked: Task | None = st.session_state.get(f"{_ASKED}{slot}")

    def ask() -> None:
        st.session_state[f"{_ASKED}{slot}"] = task
        go_on(slot)

    if asked != task:
        st.button(title, key=f"ask.{slot}", on_click=ask, **button)
    return asked


def go_on(slot: str) -> None:
    """What was stopped may be computed after all."""
    st.session_state.pop(f"{_STOPPED}{slot}", None)


def retry(slot: str, task: Task) -> None:
    """Compute a task again, also where it failed or its result is kept."""
    go_on(slot)
    st.session_state.pop(f"{_JOB}{slot}", None)
    cache.pool().forget(lambda key: key == task.key)
    submit(slot, task)


def begin_run() -> None:
    """Before a page is drawn: nothing of it asks for work yet."""
    st.session_state[_DRAWN] = set()


def end_run(background: Collection[str]) -> None:
    """After a page was drawn: give up the tasks of slots that were not, for nobody sees them.

    Those of ``background`` go on whatever is looked at.
    """
    drawn = st.session_state[_DRAWN]
    for name in [name for name in st.session_state if str(name).startswith(_JOB)]:
        slot = str(name).removeprefix(_JOB)
        if slot not in drawn and slot not in background:
            cache.pool().cancel(_watcher(slot))
            del st.session_state[name]


@partial(defects.fragment, run_every=_POLL)
def _progress(slot: str) -> None:
    """Polls the job; the page is drawn again when it is done."""
    job: Job = st.session_state[f"{_JOB}{slot}"]
    if job.done or job.cancelled:
        st.rerun()

    def stop() -> None:
        st.session_state[f"{_STOPPED}{slot}"] = job.key
        job.stays = False
        cache.pool().cancel(_watcher(slot))

    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(job.progress, _state(job))
    if right.button(_("Stop"), key=f"stop.{slot}", width="stretch", on_click=stop):
        st.rerun()  # at once: the worker may be long in getting to its next report
    if job.is_long:
        job.stays = st.toggle(
            _("Go on when I leave"),
            job.stays,
            key=f"stays.{slot}",
            help=_("Without this option, the work stops soon after you close the page."),
        )


def _state(job: Job) -> str:
    line = cache.pool().place(job)
    if line is None:
        left = messages.time_left(job.seconds_left)
        return _("Working … {share}", share=percent(job.progress)) + left
    position, seconds = line
    sentence = _("Waiting for other work: number {place} in line")
    if job.started:
        sentence = _("Paused, because shorter work goes first: number {place} in line")
    left = "" if job.is_long else messages.time_left(seconds)
    return sentence.format(place=position) + left


def _watcher(slot: str) -> Watcher:
    if "visit" not in st.session_state:
        st.session_state["visit"] = uuid.uuid4().hex
    context = get_script_run_ctx()
    assert context is not None  # a page is drawn by a session alone
    return Watcher(context.session_id, f"{st.session_state['visit']}.{slot}")
