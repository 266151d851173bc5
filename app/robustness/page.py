"""Robustness: how often each branch is right, over many images and under many conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.evaluation import results_file, studies
from advprop_core.types import ModelInfo
from app.robustness import controls, measurement, results, study, words
from app.robustness.measurement import DATA, RunRequest
from app.robustness.view import RobustnessView
from app.shell import cache, state, tasks, workbench
from app.shell.messages import safe
from app.shell.state import key
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from app.shell.jobs import Report

_SLOT = "robustness"
_FILE = "robustness.file"
_LARGEST = 60  # MB: results of many images
_SAVED = "Finished figures are saved: Run continues from there."


def page() -> None:
    """The question, where its answer comes from, and the answer."""
    models = workbench.begin(
        RobustnessView,
        "How robust is each branch?",
        "Many images instead of one: how often each branch is right on clean images, under attack "
        "and on corrupted images, with 95 % intervals.",
    )
    if not models:
        return
    bundled = results.bundled()
    titles = {**{name: name for name in bundled}, controls.RUN: "A run made here",
              controls.FILE: "A file of yours"}  # fmt: skip
    controls.settle(models, titles)
    view = state.current()
    request, refusal = _request(view, models)
    task = None if request is None else _task(request)
    job = None if task is None else cache.pool().find(task.key)
    busy = job is not None and not job.done
    with st.sidebar:
        if view.results == controls.RUN:
            controls.show(models, view, busy)
        else:
            st.caption(
                "These results were measured earlier. Choose **A run made here** to choose "
                "networks, images and attacks."
            )
    for complaint in state.complaints():
        st.warning(complaint)
    st.segmented_control(
        "Results of",
        list(titles),
        format_func=titles.__getitem__,
        key=key("results"),
        required=True,
    )
    if view.results == controls.RUN:
        _run(request, task, refusal, busy)
    elif view.results == controls.FILE:
        _file()
    else:
        _show(results_file.parse(f"{view.results}.json", bundled[view.results].read_bytes()))


def _request(
    view: RobustnessView, models: Mapping[str, ModelInfo]
) -> tuple[RunRequest | None, str]:
    """What is asked, or why it cannot be measured."""
    infos = {name: models[name] for name in view.tested}
    try:
        request = measurement.request_of(view)
    except InputError as error:
        return None, safe(str(error))
    if view.data not in measurement.data_for(infos):
        return None, measurement.no_data(infos)
    return request, ""


# -- a run ---------------------------------------------------------------------------------------


def _run(request: RunRequest | None, task: Task | None, refusal: str, busy: bool) -> None:
    """What will be measured, then progress, and the newest result that there is."""
    if request is None or task is None:
        st.error(refusal)
        shown = tasks.shown(_SLOT)
    else:
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(words.plan(request, DATA[request.data]))
        right.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=busy,
            on_click=tasks.retry,  # photos may have changed; what has not is taken from the store
            args=(_SLOT, task),
        )
        shown = _follow(task, busy)
    if shown is not None:
        results.show(shown.result.content, shown.result)
    elif not results.bundled():
        st.caption(
            "No measured results come with this copy. `advprop evaluate --model … --data … "
            "--report DIR` writes a `results.json` that can be opened here."
        )


def _follow(task: Task, busy: bool) -> Shown | None:
    """The newest result; follows the job of this task, whichever session began it."""
    job = cache.pool().find(task.key)
    if job is None:
        if tasks.is_stopped(_SLOT, task):
            st.info(f"The run was stopped. {_SAVED}", icon=":material/pause:")
        elif tasks.was_cancelled(_SLOT, task):
            ended = "Cancelled: someone stopped it, or a network file changed."
            st.info(f"{ended} {_SAVED}", icon=":material/pause:")
        return tasks.previous(_SLOT, task)
    if job.done and (error := job.future.exception()) is not None:
        return tasks.refused(_SLOT, error)  # to try again takes a press of the button
    shown = tasks.answer(_SLOT, task, on_stop=lambda: cache.pool().stop(task.key))
    if busy and job.done:
        st.rerun()  # the controls above were drawn as they are while a run is on
    return shown


def _task(request: RunRequest) -> Task:
    files = {name: cache.file_of(name) for name in request.models}

    def measure(*, request: RunRequest, progress: Report) -> object:
        from app.robustness.work import measure  # here: it loads torch

        return measure(request, files, progress=progress)

    networks = tuple(map(cache.network_of, request.models))
    return Task.of(networks, measure, about="images", request=request)


# -- results of others ---------------------------------------------------------------------------


def _show(content: Mapping[str, Any]) -> None:
    if content.get("kind") == studies.KIND:
        study.show(content)
    else:
        results.show(content, None)


def _file() -> None:
    """A results.json of the person, kept for this session."""
    st.file_uploader(
        "A results.json, as `advprop evaluate … --report DIR` writes it",
        type="json",
        key="robustness.upload",
        max_upload_size=_LARGEST,
        on_change=_take,
    )
    content, refusal = st.session_state.get(_FILE, (None, ""))
    if refusal:
        st.error(refusal)
    if content is not None:
        _show(content)


def _take() -> None:
    file = st.session_state["robustness.upload"]
    if file is None:  # taken away again; what it held stays
        return
    before, _ = st.session_state.get(_FILE, (None, ""))
    try:
        st.session_state[_FILE] = results_file.parse(file.name, file.getvalue()), ""
    except InputError as error:
        stays = " The earlier results stay below." if before else ""
        st.session_state[_FILE] = before, f"{safe(str(error))}.{stays}"


page()
