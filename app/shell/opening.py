"""The dialogue in which a person opens a network of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.errors import AdvPropError
from advprop_core.models.findings import Findings
from advprop_core.models.settings import ModelSettings, class_names_in, read_channels
from advprop_core.types import MAX_SIDE, ModelInfo
from app.language.text import N_, Sentence, _, join, paragraph, reader
from app.shell import cache, defects, network_files, samples, state, tasks
from app.shell.messages import safe
from app.shell.public import is_public
from app.shell.tasks import Task

if TYPE_CHECKING:
    from advprop_core.models.opening import Look

_OPEN, _FILE, _USED, _DONE = "opening", "opening.file", "opening.used", "opening.done"
_UPLOADS = "opening.uploads"  # how many there were: a new uploader keeps no file in memory
_FACTS = {
    "architecture": N_("architecture"),
    "size": N_("size"),
    "mean": N_("mean"),
    "std": N_("std"),
    "classes": N_("classes"),
    "branches": N_("branches"),
}
"""What the library finds of a file."""
_FROM = {
    "given": N_("set by the person who opened it"),
    "read": N_("read in the file"),
    "found": N_("found from the tensors"),
    "guessed": N_("guessed: check it"),
}
_COLOURS = {
    "mean": N_("Mean (red, green, blue)"),
    "std": N_("Std (red, green, blue)"),
}
_TEXT_FILE = N_("A text file, one name a line")
_LARGEST_LIST = 1  # MB


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
        names = st.session_state.get(network_files.OPENED, ())
        st.session_state[network_files.OPENED] = (name, *names)
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
        sentence = _(
            "Other people can use this app, so it accepts no network files: one file could fill "
            "the server's memory. The person who runs the app can add a network with `advprop app "
            "--model FILE`."
        )
        st.info(sentence, icon=":material/lock:")
        return
    limit, session = st.get_option("server.maxUploadSize"), st.session_state
    number = session.get(_UPLOADS, 0)
    uploaded = f"opening.upload.{number}"

    def take() -> None:
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
                "with `advprop app --model FILE`.",
                limit=limit,
            )
        )
        return
    path = cache.network_uploads().get(key)
    if path is None:
        st.error(_("The server no longer keeps this file: choose it again."))
        return
    size = path.stat().st_size / 1e6
    st.markdown(_("**{name}**, {size:.1f} MB", name=safe(path.name), size=size))
    try:
        _file(path)
    except AdvPropError as error:
        st.error(_("{error}. The app stays as it was.", error=safe(defects.sentence(error))))


def _file(path: Path) -> None:
    seen: Look | None = tasks.wait_for("opening.look", _task(network_files.look, path))
    if seen is None:
        st.caption(
            _(
                "Where a file does not say its architecture, its tensors are compared with timm's "
                "networks, for 20 seconds at most."
            )
        )
        return
    st.caption(_how_found(seen))
    scope = path.parent.name  # of widgets: another file has others
    left, right = st.columns(2)
    architecture = None
    if not seen.says_all:
        with left:
            architecture = _architecture(scope, seen)
        if architecture is None:
            return
    settings = ModelSettings(None if architecture == seen.architecture else architecture)
    is_found = seen.search is not None and architecture == seen.proposal
    task = _task(network_files.describe, path, settings=settings, is_found=is_found)
    described: tuple[ModelInfo, Findings] | None = tasks.wait_for("opening.plain", task)
    if described is None:
        return
    if not seen.says_all:
        scope = f"{scope}.{architecture}"
        settings = _settings(*described, settings, scope, right)
    options = {"settings": settings, "is_found": is_found}
    task = _task(network_files.describe, path, **options)
    described = tasks.wait_for("opening.described", task)
    if described is None:
        return
    info, findings = described
    show_facts(findings, info)
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


# -- what can be said of a file that does not say it itself ----------------------------------------


def _architecture(scope: str, seen: Look) -> str | None:
    """What timm calls the network: the near matches first, then all others."""
    import timm

    matches = {} if seen.search is None else {m.architecture: m for m in seen.search.matches}
    first = filter(None, [seen.proposal, *matches, seen.architecture])
    names = list(dict.fromkeys([*first, *timm.list_models()]))
    titles = {
        name: _(
            "{name} ({hits} of {wanted} tensors)", name=name, hits=match.hits, wanted=match.wanted
        )
        for name, match in matches.items()
    }
    return st.selectbox(
        _("Architecture"),
        names,
        index=0 if seen.proposal else None,
        format_func=lambda name: titles.get(name, name),
        key=f"opening.{scope}.architecture",
        placeholder=_("Choose one of timm's networks, or type to search"),
    )


def _how_found(seen: Look) -> str:
    search = seen.search
    if seen.says_all:
        return _("A file of this project: it describes itself completely.")
    if search is None:
        return _(
            "The file says its architecture, {architecture}.",
            architecture=safe(str(seen.architecture)),
        )
    sentences = [_("The file does not say its architecture.")]
    if seen.architecture:
        sentence = _("The file says {architecture}, but its tensors do not fit that.")
        sentences = [sentence.format(architecture=safe(seen.architecture))]
    if search.candidates == 0:
        nothing = _("None of timm's networks begins and ends with layers of these names.")
        return paragraph([*sentences, nothing])
    compared = _("{count} of {candidates} networks with such layers were compared.")
    sentences.append(compared.format(count=search.looked_at, candidates=search.candidates))
    if search.looked_at < search.candidates:
        sentences.append(_("Then the time was up: another network may fit better."))
    if not search.fitting:
        return paragraph([*sentences, _("None fits. The nearest come first.")])
    first, *others = search.fitting
    sentences.append(_("{name} fits.", name=first))
    if others:
        twins = _("{names} would fit as well: their tensors have the same names and shapes.")
        sentences.append(twins.format(names=join(others)))
    return paragraph(sentences)


def _settings(
    info: ModelInfo,
    findings: Findings,
    before: ModelSettings,
    scope: str,
    names_slot: DeltaGenerator,
) -> ModelSettings:
    """Size, mean, std and class names, where the person says others than the file."""
    as_read = N_("The names in the file")
    if findings.sources["classes"] == "guessed":
        as_read = "ImageNet" if info.num_classes == 1000 else N_("Numbers")
    class_sets = _class_sets(info)
    chosen = names_slot.selectbox(
        _("Class names"),
        [as_read, _TEXT_FILE, *class_sets],
        format_func=reader(),
        key=f"opening.{scope}.names",
        help=_(
            "In the order of the network's answers. Class folders are sorted by the alphabet, as "
            "in most training scripts."
        ),
    )
    size, mean, std = st.columns(3)
    side = size.number_input(
        _("Size (pixels)"), 1, MAX_SIDE, info.input_size, key=f"opening.{scope}.size"
    )
    given: dict[str, Any] = {}
    for name, column in (("mean", mean), ("std", std)):
        shown = ", ".join(f"{value:g}" for value in getattr(info, name))
        text = column.text_input(_(_COLOURS[name]), shown, key=f"opening.{scope}.{name}")
        if text != shown:
            given[name] = read_channels(text, name.capitalize())
    if side != info.input_size:
        given["size"] = int(side)
    names = class_sets.get(chosen)
    if chosen == _TEXT_FILE:
        file = st.file_uploader(
            _("{count} names, one a line", count=info.num_classes),
            type="txt",
            key=f"opening.{scope}.text",
            max_upload_size=_LARGEST_LIST,
        )
        names = class_names_in(file.getvalue(), file.name) if file is not None else None
    return replace(before, classes=names, **given)


def _class_sets(info: ModelInfo) -> dict[str, tuple[str, ...]]:
    """Names that the person can choose, by where they come from: data sets, folders of photos."""
    from advprop_core.datasets.class_sets import class_sets

    fitting = {
        Sentence("Those of {data}", data=title): names
        for title, names in class_sets().items()
        if len(names) == info.num_classes
    }
    folders = samples.class_folders()
    return fitting | ({N_("The folders of your photos"): tuple(folders)} if folders else {})


def show_facts(findings: Findings, info: ModelInfo) -> None:
    """What describes a network, where each thing is known from, and what its file lacks."""
    st.table(
        [
            {
                _("What"): _(_FACTS[name]),
                _("Value"): safe(value),
                _("Known from"): _(_FROM[source or "found"]),
            }
            for name, value, source in findings.facts(info)
        ],
        border="horizontal",
        hide_index=True,
    )
    for remark in findings.remarks("the file"):
        st.markdown(safe(remark))
