"""Who fools whom on many pictures: measured when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.playground import words
from app.playground.studio_subject import Subject, answer
from app.shell import messages
from app.shell.workbench import Shown, Work, dark, go_on

if TYPE_CHECKING:
    from app.playground.work import FolderRequest

_ASKED = "studio.folder.asked"
_SLOT = "folder"


def show(subject: Subject) -> None:
    """A button, then progress, then the matrix with its intervals."""
    from app.playground import work as studio_requests

    st.markdown("##### And on many pictures?")
    request = studio_requests.folder_request(subject.view, subject.info)
    if request is None:
        st.caption(
            "That takes labelled photos of this network's classes, in a folder with a folder for "
            "each class: start the app with `advprop app --images FOLDER`."
        )
        return
    asked: FolderRequest | None = st.session_state.get(_ASKED)
    if asked != request:
        _ask(request)
    if asked is None or asked.model != request.model:
        return
    # What was asked is measured to its end, whatever else is chosen meanwhile.
    found = _measure(asked, subject)
    if found is not None:
        _draw(found, request)


def _ask(request: FolderRequest) -> None:
    from app.playground.work import MOST_IMAGES

    what = words.pictures(request.data)
    st.button(
        f"Measure on up to {MOST_IMAGES} pictures",
        key="studio.folder",
        icon=":material/play_arrow:",
        on_click=_set,
        args=(request,),
        help=f"Attacks {what} through each branch and shows them to every branch. It takes "
        "a while, and can be stopped.",
    )


def _measure(request: FolderRequest, subject: Subject) -> Shown | None:
    from app.playground import work as studio_requests

    networks = (subject.lens.network,)
    work = Work(
        networks, request, lambda job: studio_requests.run_folder(request, subject.lens, job)
    )
    return answer(_SLOT, subject, work)


def _draw(found: Shown, request: FolderRequest) -> None:
    from app.figures import studio, style

    result = found.result
    sentence = words.robustness(result.cells)
    st.markdown(sentence)
    st.plotly_chart(
        studio.accuracies(result.cells, dark=dark()),
        key="studio.accuracies",
        config=style.CONFIG,
        alt=messages.plain(sentence),
    )
    st.caption(words.how_measured(result, found.info.class_names))
    if result.request != request:
        st.caption("The choice on the left is another by now: measure again to compare.")


def _set(request: FolderRequest) -> None:
    st.session_state[_ASKED] = request
    go_on(f"studio.{_SLOT}")
