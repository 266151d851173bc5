"""Robustness: how often each branch is right, over many images and under many conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from advprop_core.errors import AdvPropError, InputError
from advprop_core.evaluation import results_file, studies
from advprop_core.types import ModelInfo
from app.robustness import captions, controls, files, measurement, results, study, words
from app.robustness.measurement import DATA, RunRequest
from app.shell import cache, state, workbench
from app.shell.messages import safe
from app.shell.state import View, key
from app.shell.workbench import Work

if TYPE_CHECKING:
    from app.shell.jobs import Job

_SLOT = "robustness"
_SHOWN = "shown.robustness"
_FILE = "robustness.file"


def page() -> None:
    """The question, where its answer comes from, and the answer."""
    models = workbench.begin(captions.QUESTION, captions.INTRODUCTION)
    if not models:
        return
    bundled = files.bundled()
    titles = {**{name: name for name in bundled}, controls.RUN: "A run made here",
              controls.FILE: "A file of yours"}  # fmt: skip
    controls.settle(models, titles)
    view = state.current()
    request, refusal = _request(view, models)
    work = None if request is None else _work_of(request)
    busy = work is not None and _is_on(cache.pool().find(work.key))
    with st.sidebar:
        if view.results == controls.RUN:
            controls.show(models, view, busy)
        else:
            st.caption(captions.ELSEWHERE)
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
        _run(work, refusal, busy)
    elif view.results == controls.FILE:
        _file()
    else:
        _bundled(view.results, bundled[view.results].read_bytes())


def _request(view: View, models: Mapping[str, ModelInfo]) -> tuple[RunRequest | None, str]:
    """What is asked, or why it cannot be measured."""
    infos = {name: models[name] for name in view.tested}
    try:
        request = measurement.request_of(view)
    except InputError as error:
        return None, str(error)
    if view.data not in measurement.data_for(infos):
        return None, measurement.no_data(infos)
    return request, ""


def _is_on(job: Job | None) -> bool:
    return job is not None and not job.done


# -- a run ---------------------------------------------------------------------------------------


def _run(work: Work | None, refusal: str, busy: bool) -> None:
    """What will be measured, then progress, and the newest result that there is."""
    if work is None:
        st.error(refusal)
    else:
        _ask(work, busy)
        _follow(work, busy)
    asked, outcome = st.session_state.get(_SHOWN, (None, None))
    if outcome is None:
        if not files.bundled():
            st.caption(captions.NONE_BUNDLED)
        return
    if work is None or asked != work.key:
        st.caption("This is the previous result; it stays until a new one is there.")
    results.show(outcome.content, outcome)


def _ask(work: Work, busy: bool) -> None:
    request = cast("RunRequest", work.request)
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.markdown(words.plan(request, DATA[request.data]))
    right.button(
        "Run",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=busy,
        on_click=_start,
        args=(work,),
    )


def _follow(work: Work, busy: bool) -> None:
    """Follow the job of this work, whichever session began it."""
    job = cache.pool().find(work.key)
    if job is None:
        if workbench.is_stopped(_SLOT, work.key):
            st.info(captions.STOPPED, icon=":material/pause:")
        elif workbench.was_ended(_SLOT, work.request):
            st.info(captions.ENDED, icon=":material/pause:")
        return
    if job.done and (error := job.future.exception()) is not None:
        if not isinstance(error, AdvPropError | OSError):  # OSError: a full disk, or a lost folder
            raise error
        st.error(str(error))
        return
    outcome = workbench.wait_for(_SLOT, work, lambda: cache.pool().stop(work.key))
    if outcome is not None:
        st.session_state[_SHOWN] = work.key, outcome
        if busy:
            st.rerun()  # the controls above were drawn as they are while a run is on


def _start(work: Work) -> None:
    workbench.go_on(_SLOT)
    st.session_state.pop(f"work.{_SLOT}", None)  # one that failed is tried again
    # Photos may have changed; what has not is taken from the store.
    cache.pool().forget(lambda key: key == work.key)
    workbench.submit(_SLOT, work)


def _work_of(request: RunRequest) -> Work:
    files = {name: cache.model_files()[name] for name in request.models}

    def run(job: Job) -> object:
        from app.robustness.work import measure  # here: it loads torch

        return measure(request, files, job)

    return Work(tuple(map(cache.network_of, request.models)), request, run)


# -- results of others ---------------------------------------------------------------------------


def _bundled(name: str, data: bytes) -> None:
    try:
        content = results_file.parse(f"{name}.json", data)
    except InputError as error:
        st.error(safe(str(error)))
        return
    _show(content)


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
