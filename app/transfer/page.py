"""Transfer: which network learns a new task best from few images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.models import bundle
from advprop_core.transfer import results_file
from app.language.text import N_
from app.shell import cache, history, state, tasks, workbench
from app.shell.messages import safe
from app.shell.public import is_public
from app.shell.state import key
from app.shell.tasks import Shown, Task
from app.transfer import controls, results, words
from app.transfer.request import TransferRequest, request_of
from app.transfer.view import TransferView

if TYPE_CHECKING:
    from app.shell.jobs import Report

_SLOT = "transfer"
_FILE = "transfer.file"
_LARGEST = 20  # MB
_RUN, _OWN_FILE = "My own run", "A results.json of mine"


def page() -> None:
    """A run of one's own, then the results that are chosen."""
    models = workbench.begin(TransferView, N_("Which network learns from few images?"), words.LEAD)
    if not models:
        return
    files = _bundled()
    titles = {
        **{name: words.bundled(name) for name in files},
        controls.RUN: _RUN,
        controls.FILE: _OWN_FILE,
    }
    controls.settle(models, [*titles])
    view = state.current()
    request, refusal = _request(view)
    task = None if request is None else _task(request)
    job = None if task is None else cache.pool().find(task.key)
    busy = job is not None and not job.done
    history.record(view)
    with st.sidebar:
        if not busy:  # a step back would leave the run
            history.toolbar(view, state.default())
        controls.show(models, busy)
    complaints, own = st.container(), st.container()
    st.selectbox("Results", list(titles), format_func=titles.__getitem__, key=key("learned"))
    with own:
        shown = _run(request, task, refusal, busy)
    if view.learned == controls.FILE:
        _file()
    elif view.learned != controls.RUN:
        results.show(results_file.parse(view.learned, files[view.learned].read_bytes()))
    elif shown is not None:
        results.show(shown.result)
    elif not busy and not is_public():
        st.info("There is no run yet. Choose networks, and press **Run**.")
    for complaint in state.complaints():
        complaints.warning(complaint)


def _bundled() -> dict[str, Path]:
    """Name to file of the results that come with the app, those that answer most first."""
    folder = bundle.bundle_dir() / "assets" / "results"
    paths = {path.stem: path for path in sorted(folder.glob("transfer*.json"))}
    return {name: paths[name] for name in dict.fromkeys([*words.BUNDLED, *paths]) if name in paths}


def _request(view: TransferView) -> tuple[TransferRequest | None, str]:
    try:
        return request_of(view), ""
    except InputError as error:
        return None, f"{safe(str(error))}."


def _run(
    request: TransferRequest | None, task: Task | None, refusal: str, busy: bool
) -> Shown | None:
    """What would be trained, or progress; returns the newest result."""
    if is_public():
        st.info(words.NOT_HERE, icon=":material/lock:")
        return None
    if request is None or task is None:
        st.error(refusal)
        return tasks.shown(_SLOT)
    st.caption(words.plan(request))
    st.button(
        "Run",
        type="primary",
        icon=":material/play_arrow:",
        disabled=busy,
        on_click=_begin,
        args=(task,),
    )
    return _follow(task, busy)


def _begin(task: Task) -> None:
    tasks.retry(_SLOT, task)
    state.choose(learned=controls.RUN)


def _follow(task: Task, busy: bool) -> Shown | None:
    """The newest result; follows the job of this task, whichever session began it."""
    job = cache.pool().find(task.key)
    if job is None:
        if tasks.is_stopped(_SLOT, task) or tasks.was_cancelled(_SLOT, task):
            st.info("The run was stopped.", icon=":material/pause:")
        return tasks.previous(_SLOT, task)
    if job.done and (error := job.future.exception()) is not None:
        return tasks.refused(_SLOT, error)  # to try again takes a press of the button
    shown = tasks.answer(_SLOT, task)
    if busy and job.done:
        st.rerun()  # the controls above were drawn as they are while a run is on
    return shown


def _task(request: TransferRequest) -> Task:
    names = dict.fromkeys(source.partition(":")[0] for source in request.sources)
    files = {name: cache.file_of(name) for name in names}

    def transfer(*, request: TransferRequest, progress: Report) -> dict[str, Any]:
        from app.transfer.work import transfer  # here: it loads torch

        return transfer(request, files, progress=progress)

    networks = tuple(map(cache.network_of, names))
    return Task.of(networks, transfer, about="transfer", is_long=True, request=request)


def _file() -> None:
    """A results.json of the person, kept for this session."""
    st.file_uploader(
        "A results.json, as `advprop transfer … --out DIR` writes it",
        type="json",
        key="transfer.upload",
        max_upload_size=_LARGEST,
        on_change=_take,
    )
    content, refusal = _uploaded()
    if refusal:
        st.error(refusal)
    if content is not None:
        results.show(content)


def _uploaded() -> tuple[Mapping[str, Any] | None, str]:
    uploaded: tuple[Mapping[str, Any] | None, str] = st.session_state.get(_FILE, (None, ""))
    return uploaded


def _take() -> None:
    file = st.session_state["transfer.upload"]
    if file is None:  # taken away again; what it held stays
        return
    before, _ = _uploaded()
    try:
        st.session_state[_FILE] = results_file.parse(file.name, file.getvalue()), ""
    except InputError as error:
        stays = " The earlier results stay below." if before else ""
        st.session_state[_FILE] = before, f"{safe(str(error))}.{stays}"


page()
