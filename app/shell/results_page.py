"""What pages of results share: a run of a person's own, then the results that are chosen."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.types import ModelInfo
from app.language.text import _
from app.shell import history, run_time, runs, state, tasks, workbench
from app.shell.fields import select
from app.shell.messages import safe
from app.shell.run_time import Run
from app.shell.runs import Content
from app.shell.tasks import Shown
from app.shell.view import View

Models = Mapping[str, ModelInfo]


def show_page(
    page: type[View],
    question: str,
    introduction: str = "",
    *,
    slot: str,
    field: str,
    bundled: Mapping[str, str],
    read: Callable[[str], Content],
    settle: Callable[[Models], None],
    controls: Callable[[Models, Any, bool], None],
    ask: Callable[[Any, Models], Run | str],
    file: str,
    parse: Callable[[str, bytes], Content],
    show: Callable[[Any], None],
    help: str | None = None,
    saved: str = "",
    closed: str = "",
) -> None:
    """A page that answers its question by results.

    Args:
        page: What its widgets and its link decide.
        question: Its heading.
        introduction: A sentence or two below it.
        slot: Under which the newest run is kept.
        field: Of the view: whose results are shown.
        bundled: Name to title of the results that come with the app, the first one opens.
        read: From such a name to the results.
        settle: Replaces what is not available, before the widgets.
        controls: Draws all that decides a run; the last argument says whether one is on.
        ask: What they ask for; or why that cannot be run, as Markdown.
        file: What a person may give a file of.
        parse: From the name and the bytes of the file to the results.
        show: Draws results, or what a run gave.
        help: Of the button that begins a run.
        saved: What a run that ended early leaves behind.
        closed: Why nothing is run here; empty where people run what they like.
    """
    models = workbench.begin(page, question, introduction)
    if not models:
        return
    results = [*bundled, *runs.OWN]
    state.opens_with(**{field: results[0]})
    settle(models)
    state.settle(field, results)
    view = state.current()
    try:
        run = ask(view, models)
    except InputError as error:
        run = safe(str(error))
    busy = isinstance(run, Run) and runs.is_on(run.task)
    history.record(view)
    with st.sidebar:
        if not busy:  # a step back would leave the run
            history.toolbar(view)
        controls(models, view, busy)
    complaints = st.container()
    card = st.container(border=not closed, key="own-run")
    titles = {runs.RUN: runs.OWN[runs.RUN], **bundled, **runs.OWN}
    select(_("Results"), titles, field, _("Your own run, bundled results, or your own file."))
    with card:
        if closed:
            st.info(closed, icon=":material/lock:")
        newest = None if closed else _run(slot, field, run, busy, help, saved)
    chosen, content = getattr(view, field), None
    if chosen == runs.FILE:
        content = runs.from_file(slot, file, parse)
    elif chosen != runs.RUN:
        content = read(chosen)
    elif newest is not None:
        content = newest.result
    elif not busy and not closed:
        st.info(_("There is no run yet. Choose networks, and press **Run**."))
    if content is not None:
        show(content)
    for complaint in state.complaints():  # last, when the tabs have looked at what they are asked
        complaints.warning(complaint)


def _run(
    slot: str, field: str, run: Run | str, busy: bool, help: str | None, saved: str
) -> Shown | None:
    """What would be done and what that costs, or progress; returns the newest result."""
    if isinstance(run, str):
        st.error(run)
        return tasks.shown(slot)
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        run_time.say(run, is_timed=not busy)
    with right:
        runs.button(slot, run.task, field, width="stretch", disabled=busy, help=help)
    return runs.follow(slot, run.task, busy, saved)
