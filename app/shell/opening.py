"""The dialogue in which a person opens a network of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.errors import AdvPropError
from advprop_core.models.settings import ModelSettings
from app.language.text import N_, _
from app.shell import cache, defects, network_fields, network_files, state, tasks
from app.shell.cache import Description
from app.shell.messages import safe
from app.shell.public import is_public
from app.shell.tasks import Task

if TYPE_CHECKING:
    from advprop_core.models.opening import Look

_OPEN, _FILE, _USED, _DONE = "opening", "opening.file", "opening.used", "opening.done"
_UPLOADS = "opening.uploads"  # how many there were: a new uploader keeps no file in memory
_NOT_HERE = N_(
    "Other people can use this app, so it accepts no network files: one file could fill the "
    "server's memory. The person who runs the app can add a network with `advprop app --model "
    "FILE`."
)


def button(key: str, **options: Any) -> None:
    """Opens the dialogue, which :func:`show` draws."""
    st.button(
        _("Open a network"),
        key=key,
        icon=":material/upload_file:",
        on_click=st.session_state.__setitem__,
        args=(_OPEN, True),
        **options,
    )


def take_up() -> bool:
    """Choose the network that was just opened, before any widget; returns whether there is one."""
    name = st.session_state.pop(_DONE, None)
    if name is not None:
        network_files.remember(name)
        state.choose(model=name)
    return name is not None


def show() -> None:
    """The dialogue, while it is open; a page calls it once a run."""
    if st.session_state.get(_OPEN):
        st.dialog(_("Open a network"), width="medium", on_dismiss=_close)(_dialogue)()


def _close() -> None:
    st.session_state[_OPEN] = False
    for name in (_FILE, _USED):
        st.session_state.pop(name, None)


@defects.told()
def _dialogue() -> None:
    if is_public():
        st.info(_(_NOT_HERE), icon=":material/lock:")
        return
    limit, session = st.get_option("server.maxUploadSize"), st.session_state
    number = session.get(_UPLOADS, 0)
    uploaded = f"opening.upload.{number}"

    def take() -> None:
        """Keep the file that came, and forget the one before."""
        if (file := session[uploaded]) is not None:
            session[_FILE] = network_files.keep(file.getvalue(), file.name)
            session[_UPLOADS] = number + 1
            session.pop(_USED, None)

    st.file_uploader(
        _("A file with the weights of one of timm's networks"),
        type=network_files.ENDINGS,
        key=uploaded,
        on_change=take,
    )
    key = session.get(_FILE)
    if key is None:
        st.caption(
            _(
                "safetensors, .pth, .pt, .pth.tar, .bin or .ckpt, at most {limit} MB. The file is "
                "read, and nothing in it is run. The server stores it for a while, and everyone "
                "with the link of the page can use the network. For a larger file, start the app "
                "with `advprop app --model FILE`."
            ).format(limit=limit)
        )
        return
    path = cache.network_uploads().get(key)
    if path is None:
        st.error(_("The server no longer keeps this file: choose it again."))
        return
    size = path.stat().st_size / 1e6
    st.markdown(_("**{name}**, {size:.1f} MB").format(name=safe(path.name), size=size))
    try:
        _file(path)
    except AdvPropError as error:
        st.error(_("{error}. The app stays as it was.").format(error=safe(defects.sentence(error))))


def _file(path: Path) -> None:
    """What the file is, what can be said of it, and the button that takes it."""
    seen: Look | None = tasks.wait_for("opening.look", _task(network_files.look, path))
    if seen is None:
        st.caption(
            _(
                "Where a file does not say its architecture, its tensors are compared with timm's "
                "networks, for 20 seconds at most."
            )
        )
        return
    st.caption(network_fields.how_found(seen))
    scope = path.parent.name  # of widgets: another file has others
    left, right = st.columns(2)
    with left:
        architecture = None if seen.says_all else network_fields.architecture(scope, seen)
    if architecture is None and not seen.says_all:
        return
    settings = ModelSettings(None if architecture == seen.architecture else architecture)
    is_found = seen.search is not None and architecture == seen.proposal
    task = _task(network_files.describe, path, settings=settings, is_found=is_found)
    plain: Description | None = tasks.wait_for("opening.plain", task)
    if plain is None:
        return
    if not seen.says_all:
        scope = f"{scope}.{architecture}"
        settings = network_fields.settings(plain, settings, scope, right)
    options = {"settings": settings, "is_found": is_found}
    task = _task(network_files.describe, path, **options)
    description: Description | None = tasks.wait_for("opening.described", task)
    if description is None:
        return
    findings = description.findings
    assert findings is not None  # `describe` gives them of every file
    network_fields.show_facts(findings, description.info)
    if "guessed" in findings.sources.values():
        st.warning(
            _("A wrong size, mean or std gives wrong answers without an error. Check the guesses."),
            icon=":material/help:",
        )
    task = _task(network_files.use, path, **options)

    def use() -> None:
        """Make the network, again where the server no longer keeps an earlier one."""
        st.session_state[_USED] = task.key
        tasks.retry("opening.use", task)

    st.button(_("Use this network"), key="opening.use", type="primary", on_click=use)
    if st.session_state.get(_USED) == task.key:
        name = tasks.wait_for("opening.use", task)
        if name is not None:
            st.session_state[_DONE] = name
            _close()
            st.rerun()


def _task(function: Callable[..., Any], path: Path, **options: Any) -> Task:
    return Task.of((), function, path, about=path, **options)
