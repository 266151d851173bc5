"""What pages of results share: a run of a person's own, then the results that are chosen."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.models import bundle
from advprop_core.models.settings import ModelSettings
from advprop_core.types import ModelInfo
from app.language.text import _, paragraph
from app.shell import cache, defects, history, runs, state, tasks, workbench
from app.shell.fields import select
from app.shell.jobs import Report
from app.shell.messages import duration, safe
from app.shell.runs import Content
from app.shell.tasks import Shown, Task
from app.shell.view import View

Models = Mapping[str, ModelInfo]
_IMAGES = 16
_POLL = 1.0  # s


@dataclass(frozen=True)
class Run:
    """A run that the controls ask for.

    Attributes:
        task: Its work.
        plan: What it does, a sentence.
        passes: Network to how many passes of an image through it that takes, at most about.
        besides: A phrase around what passes cost, ``{sentence}``, for what they do not tell.
        help: Of the button that begins it.
        saved: What it leaves behind where it ends early.
    """

    task: Task
    plan: str
    passes: Mapping[str, int]
    besides: str
    help: str | None = None
    saved: str = ""


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
    job = None if isinstance(run, str) else cache.pool().find(run.task.key)
    busy = job is not None and not job.done  # whichever session began it
    history.record(view)
    with st.sidebar:
        if not busy:  # a step back would leave the run
            history.toolbar(view)
        controls(models, view, busy)
    complaints = st.container()
    card = st.container(border=not closed, key="own-run")
    # The person's own run stands first, though the page opens with results that are there.
    titles = {runs.RUN: runs.OWN[runs.RUN], **bundled, **runs.OWN}
    select(_("Results"), titles, field, _("Your own run, bundled results, or your own file."))
    with card:
        if closed:
            st.info(closed, icon=":material/lock:")
        newest = None if closed else _run(slot, field, run, busy)
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


def _run(slot: str, field: str, run: Run | str, busy: bool) -> Shown | None:
    """What would be done and what that costs, or progress; returns the newest result."""
    if isinstance(run, str):
        st.error(run)
        return tasks.shown(slot)
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        _say(run, is_timed=not busy)
    task = run.task

    def begin() -> None:
        tasks.retry(slot, task)  # also where it was done before
        state.choose(**{field: runs.RUN})

    right.button(
        _("Run"),
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=busy,
        help=run.help,
        on_click=begin,
    )
    return runs.follow(slot, task, busy, run.saved)


# -- what a run takes, said before it: a worker times a batch of each network ----------------------


def _say(run: Run, *, is_timed: bool) -> None:
    """What a run does and takes, and how long that is: not while a run has the machine."""
    jobs = {}
    for name in run.passes if is_timed else ():
        network, settings = (cache.network_of(name),), cache.model_settings()
        task = Task.of(network, time_a_batch, cache.file_of(name), settings, about="speed")
        jobs[name] = tasks.submit(f"run_time.{name}", task)
    if all(job.done for job in jobs.values()):
        # A network that cannot be timed cannot be run either, which a run then says.
        is_known = not any(job.cancelled or job.future.exception() for job in jobs.values())
        speeds = {name: job.future.result() for name, job in jobs.items()} if is_known else {}
        st.caption(paragraph([run.plan, in_words(run.passes, run.besides, speeds)]))
        return

    def poll() -> None:
        cost, more = in_words(run.passes, run.besides), _("How long that takes is being measured …")
        st.caption(paragraph([run.plan, cost, more]))
        if all(job.done for job in jobs.values()):
            st.rerun()

    defects.fragment(poll, run_every=_POLL)()


def in_words(
    passes: Mapping[str, int],
    besides: str,
    speeds: Mapping[str, float] = MappingProxyType({}),
) -> str:
    """What a run costs, as far as that can be told before it.

    ``speeds`` is network to the seconds of a pass, or empty where it is not known.
    """
    total = sum(passes.values())
    rounded = int(round(total, 2 - len(str(total))))  # more than two digits would be untrue
    cost, seconds = _("At most about {count} passes of an image through a network"), 0.0
    if speeds:
        cost = _(
            "At most about {count} passes of an image through a network, {time} on this machine"
        )
        seconds = sum(count * speeds[name] for name, count in passes.items())
    count = f"{rounded:,}".replace(",", "\u202f")
    return besides.format(sentence=cost.format(count=count, time=duration(seconds)))


def time_a_batch(file: Path, settings: ModelSettings, *, progress: Report) -> float:
    """Of main: half of what one image takes forwards and backwards together, as in an attack."""
    import torch

    from advprop_core.models.dual_bn import MAIN, attack_view

    checkpoint = bundle.open_file(file, settings)
    view, side = attack_view(checkpoint.model.branch(MAIN)), checkpoint.info.input_size
    pixels = torch.zeros((_IMAGES, 3, side, side), requires_grad=True)
    for share in (0.5, 1.0):  # twice, for the first time memory is asked for
        begin = time.perf_counter()
        torch.autograd.grad(view(pixels).sum(), pixels)
        seconds = time.perf_counter() - begin
        progress(share)
    return seconds / (2 * _IMAGES)
