"""Robustness: how often each branch is right, over many images and under many conditions."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.evaluation import results_file
from advprop_core.types import ModelInfo
from app.language.text import N_, _, paragraph
from app.robustness import bundled, controls, cost, measurement, results, speed, study, words
from app.robustness.measurement import RunRequest
from app.robustness.view import RobustnessView
from app.shell import history, runs, state, tasks, workbench
from app.shell.fields import select
from app.shell.jobs import Report
from app.shell.messages import safe
from app.shell.tasks import Shown, Task

_SLOT = "robustness"
_LARGEST = 60  # MB: results of many images
_SAVED = N_("Finished figures are saved: Run continues from there.")


def page() -> None:
    """A run of one's own, then the results that are chosen."""
    models = workbench.begin(RobustnessView, N_("How robust is each branch?"))
    if not models:
        return
    files = bundled.bundled()
    controls.settle(models, [*files, *runs.OWN])
    view = state.current()
    request, refusal = _request(view, models)
    task = None if request is None else _task(request)
    busy = runs.is_on(task)
    history.record(view)
    with st.sidebar:
        if not busy:  # a step back would leave the run
            history.toolbar(view)
        controls.show(models, view, busy)
    complaints = st.container()
    run_card = st.container(border=True, key="own-run")
    titles = {runs.RUN: runs.OWN[runs.RUN], **bundled.questions(files), **runs.OWN}
    help = _("Your own run, bundled results, or your own file.")
    select(_("Results"), titles, "results", help)
    with run_card:
        shown = _run(request, task, refusal, models, busy)
    if view.results == runs.FILE:
        label = _("A results.json, as `advprop evaluate … --report DIR` writes it")
        content = runs.from_file(_SLOT, label, results_file.parse, _LARGEST)
        if content is not None:
            _show(content)
    elif view.results != runs.RUN:
        _show(bundled.read(files[view.results]))
    elif shown is not None:
        results.show(shown.result.content, shown.result)
    elif not busy:
        st.info(_("There is no run yet. Choose networks and attacks, and press **Run**."))
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
    with right:
        runs.button(
            _SLOT,
            task,
            "results",
            width="stretch",
            disabled=busy,
            help=_("Figures from earlier runs are used again and cost no time."),
        )
    return runs.follow(_SLOT, task, busy, _(_SAVED))


def _say_cost(request: RunRequest, models: Mapping[str, ModelInfo], busy: bool) -> None:
    """What would be measured and what that takes; nothing is timed while a run has the machine."""
    images = measurement.data_for({name: models[name] for name in request.models})
    plan = words.plan(request, _(images[request.data]))
    speeds = {} if busy else speed.seconds_per_pass(request)
    if speeds is None:
        speed.wait(request, paragraph([plan, cost.in_words(request, models)]))
    else:
        st.caption(paragraph([plan, cost.in_words(request, models, speeds)]))


def _task(request: RunRequest) -> Task:
    def measure(request: Any, files: Any, progress: Report) -> object:
        from app.robustness.work import measure  # here: it loads torch

        return measure(request, files, progress=progress)

    return runs.task(request.models, measure, request)


def _show(content: Mapping[str, Any]) -> None:
    if bundled.is_study(content):
        study.show(content)
    else:
        results.show(content, None)


page()
