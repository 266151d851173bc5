"""Transfer: which network learns a new task best from few images."""

from pathlib import Path
from typing import Any

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.models import bundle
from advprop_core.transfer import results_file
from app.language.text import N_, _
from app.shell import history, runs, state, tasks, workbench
from app.shell.fields import select
from app.shell.jobs import Report
from app.shell.messages import safe
from app.shell.public import is_public
from app.shell.tasks import Shown, Task
from app.transfer import controls, results, words
from app.transfer.request import TransferRequest, request_of
from app.transfer.view import TransferView

_SLOT = "transfer"
_LARGEST = 20  # MB


def page() -> None:
    """A run of one's own, then the results that are chosen."""
    models = workbench.begin(TransferView, N_("Which network learns from few images?"), words.LEAD)
    if not models:
        return
    files = _bundled()
    titles = {**{name: words.bundled(name) for name in files}, **runs.OWN}
    controls.settle(models, [*titles])
    view = state.current()
    request, refusal = _request(view)
    task = None if request is None else _task(request)
    busy = runs.is_on(task)
    history.record(view)
    with st.sidebar:
        if not busy:  # a step back would leave the run
            history.toolbar(view)
        controls.show(models, busy)
    complaints, run_card = st.container(), st.container(border=not is_public())
    select(_("Results"), titles, "learned")
    with run_card:
        shown = _run(request, task, refusal, busy)
    if view.learned == runs.FILE:
        label = _("A results.json, as `advprop transfer … --out DIR` writes it")
        content = runs.from_file(_SLOT, label, results_file.parse, _LARGEST)
        if content is not None:
            results.show(content)
    elif view.learned != runs.RUN:
        results.show(results_file.parse(view.learned, files[view.learned].read_bytes()))
    elif shown is not None:
        results.show(shown.result)
    elif not busy and not is_public():
        st.info(_("There is no run yet. Choose networks, and press **Run**."))
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
        return None, safe(str(error))


def _run(
    request: TransferRequest | None, task: Task | None, refusal: str, busy: bool
) -> Shown | None:
    """What would be trained, or progress; returns the newest result."""
    if is_public():
        st.info(_(words.NOT_HERE), icon=":material/lock:")
        return None
    if request is None or task is None:
        st.error(refusal)
        return tasks.shown(_SLOT)
    st.caption(words.plan(request))
    runs.button(_SLOT, task, "learned", disabled=busy)
    return runs.follow(_SLOT, task, busy)


def _task(request: TransferRequest) -> Task:
    def transfer(request: Any, files: Any, progress: Report) -> dict[str, Any]:
        from app.transfer.work import transfer  # here: it loads torch

        return transfer(request, files, progress=progress)

    networks = (source.partition(":")[0] for source in request.sources)
    return runs.task(networks, transfer, request)


page()
