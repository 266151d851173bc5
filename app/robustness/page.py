"""Robustness: how often each branch is right, over many images and under many conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.evaluation import results_file
from advprop_core.types import ModelInfo
from app.language.text import N_
from app.robustness import bundled, controls, cost, measurement, results, speed, study, words
from app.robustness.measurement import RunRequest
from app.robustness.view import RobustnessView
from app.shell import cache, history, state, tasks, workbench
from app.shell.messages import safe
from app.shell.state import key
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from app.shell.jobs import Report

_SLOT = "robustness"
_FILE = "robustness.file"
_LARGEST = 60  # MB: results of many images
_SAVED = "Finished figures are saved: Run continues from there."
_RUN, _OWN_FILE = "My own run", "A results.json of mine"


def page() -> None:
    """A run of one's own, then the results that are chosen."""
    models = workbench.begin(RobustnessView, N_("How robust is each branch?"))
    if not models:
        return
    files = bundled.bundled()
    titles = {controls.RUN: _RUN, **bundled.questions(files), controls.FILE: _OWN_FILE}
    controls.settle(models, [*files, controls.RUN, controls.FILE])
    view = state.current()
    request, refusal = _request(view, models)
    task = None if request is None else _task(request)
    job = None if task is None else cache.pool().find(task.key)
    busy = job is not None and not job.done
    history.record(view)
    with st.sidebar:
        if not busy:  # a step back would leave the run
            history.toolbar(view, state.default())
        controls.show(models, view, busy)
    complaints = st.container()
    own = st.container()
    st.selectbox(
        "Results",
        list(titles),
        format_func=titles.__getitem__,
        key=key("results"),
        help="A run of yours, results that come with the app, or a file of yours.",
    )
    with own:
        shown = _run(request, task, refusal, models, busy)
    if view.results == controls.FILE:
        _file()
    elif view.results != controls.RUN:
        _show(bundled.read(files[view.results]))
    elif shown is not None:
        results.show(shown.result.content, shown.result)
    elif not busy:
        st.info("There is no run yet. Choose networks and attacks, and press **Run**.")
    for complaint in state.complaints():  # last, when the tabs have looked at what they are asked
        complaints.warning(complaint)


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


def _run(
    request: RunRequest | None,
    task: Task | None,
    refusal: str,
    models: Mapping[str, ModelInfo],
    busy: bool,
) -> Shown | None:
    """What would be measured and what that costs, or progress; returns the newest result."""
    if request is None or task is None:
        st.error(refusal)
        return tasks.shown(_SLOT)
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        _say_cost(request, models, busy)
    right.button(
        "Run",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=busy,
        help="Figures that earlier runs measured are taken from there and cost nothing.",
        on_click=_begin,
        args=(task,),
    )
    return _follow(task, busy)


def _say_cost(request: RunRequest, models: Mapping[str, ModelInfo], busy: bool) -> None:
    """What would be measured and what that takes; nothing is timed while a run has the machine."""
    images = measurement.data_for({name: models[name] for name in request.models})
    plan = words.plan(request, images[request.data])
    speeds = {} if busy else speed.seconds_per_pass(request)
    if speeds is None:
        speed.wait(request, f"{plan} {cost.in_words(request, models)}")
    else:
        st.caption(f"{plan} {cost.in_words(request, models, speeds)}")


def _begin(task: Task) -> None:
    """Measure again: photos may have changed; what has not is taken from the store."""
    tasks.retry(_SLOT, task)
    state.choose(results=controls.RUN)


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
    shown = tasks.answer(_SLOT, task)
    if busy and job.done:
        st.rerun()  # the controls above were drawn as they are while a run is on
    return shown


def _task(request: RunRequest) -> Task:
    files = {name: cache.file_of(name) for name in request.models}

    def measure(*, request: RunRequest, progress: Report) -> object:
        from app.robustness.work import measure  # here: it loads torch

        return measure(request, files, progress=progress)

    networks = tuple(map(cache.network_of, request.models))
    return Task.of(networks, measure, about="images", is_long=True, request=request)


# -- results of others ---------------------------------------------------------------------------


def _show(content: Mapping[str, Any]) -> None:
    if bundled.is_study(content):
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
