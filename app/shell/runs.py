"""A run of a person's own on a page of results; results from their file; and what to take away."""

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from advprop_core.errors import InputError
from app.language.text import N_, _, english, paragraph
from app.shell import cache, state, tasks
from app.shell.messages import safe
from app.shell.state import key
from app.shell.tasks import Shown, Task

Content = Mapping[str, Any]
RUN, FILE = "run", "file"
OWN = {RUN: N_("My own run"), FILE: N_("A results.json of mine")}
"""What a page of results may show besides those that come with the app."""

_LARGEST = 60  # MB of a results.json: answers to many images


def settle_networks(
    field: str, available: Collection[str], most: int, first: tuple[str, ...]
) -> None:
    """Choose ``first`` when the page opens; keep those of the chosen networks that there are."""
    opened = f"{field}.opened"
    chosen = tuple(state.value(field))
    if not chosen and opened not in st.session_state:  # later, an empty choice is the person's own
        chosen = first
        state.choose(**{field: chosen})
    st.session_state[opened] = True
    still_there = tuple(name for name in chosen if name in available)[:most]
    if chosen:
        state.keep_within(field, [still_there or first])


def networks(
    field: str, titles: Mapping[str, str], most: int, help: str, *, disabled: bool
) -> None:
    """The widget of that field; ``titles`` is name to what people read."""
    st.multiselect(
        _("Networks"),
        list(titles),
        format_func=titles.__getitem__,
        key=key(field),
        max_selections=most,
        select_all=False,  # it would choose more than a run takes
        placeholder=_("Choose a network"),
        disabled=disabled,
        help=help,
    )


def task(names: Iterable[str], work: Callable[..., Any], request: Hashable) -> Task:
    """The task of ``work(request, files, progress=…)``, where ``files`` is network to file."""
    files = {name: cache.file_of(name) for name in names}
    return Task.of(
        tuple(map(cache.network_of, files)), work, request, files, about=request, is_long=True
    )


def follow(slot: str, task: Task, busy: bool, saved: str) -> Shown | None:
    """The newest result; follows the job of this task, whichever session began it.

    ``saved`` says what a run that ended early leaves behind.
    """
    job = cache.pool().find(task.key)
    if job is None:
        ended = ""
        if tasks.is_stopped(slot, task):
            ended = _("The run was stopped.")
        elif tasks.was_cancelled(slot, task):
            ended = _("Cancelled: someone stopped it, or a network file changed.")
        if ended:
            st.info(paragraph([ended, saved]), icon=":material/pause:")
        return tasks.previous(slot, task)
    if job.done and (error := job.future.exception()) is not None:
        return tasks.refused(slot, error)  # to try again takes a press of the button
    result = tasks.answer(slot, task, room=0)  # it is shown below the choice of results
    if busy and job.done:
        st.rerun()  # the controls above were drawn as they are while a run is on
    return result


def from_file(slot: str, label: str, parse: Callable[[str, bytes], Content]) -> Content | None:
    """A results.json of the person, kept for this session."""
    session = st.session_state
    uploaded, file_key, refused = f"{slot}.upload", f"{slot}.file", f"{slot}.refusal"

    def take() -> None:
        file, session[refused] = session[uploaded], ""
        if file is None:  # taken away again; what it held stays
            return
        try:
            session[file_key] = parse(file.name, file.getvalue())
        except InputError as error:
            sentence = _("{sentence}.", sentence=safe(str(error)))
            more = _("The earlier results stay below.") if file_key in session else ""
            session[refused] = paragraph([sentence, more])

    st.file_uploader(label, type="json", key=uploaded, max_upload_size=_LARGEST, on_change=take)
    if refusal := session.get(refused):
        st.error(refusal)
    content: Content | None = session.get(file_key)
    return content


def offer_files(
    content: Content, file_name: str, report: Callable[[Content], str] | None = None
) -> None:
    """How to measure again, and the files to keep."""
    with st.expander(_("Repeat or download this result"), icon=":material/download:"):
        st.code(content["command"], language="shell", wrap_lines=True)
        with st.container(horizontal=True):
            st.download_button(
                _("Results (JSON)"),
                lambda: json.dumps(content, indent=1, ensure_ascii=False),
                file_name=file_name,
                mime="application/json",
                on_click="ignore",
            )
            if report is not None:
                st.download_button(
                    _("Report (HTML)"),
                    partial(english()(report), content),
                    file_name="report.html",
                    mime="text/html",
                    on_click="ignore",
                    help=_("One page with every figure and table, which opens offline."),
                )
