"""The dialogue in which a person opens a network of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.errors import AdvPropError
from advprop_core.models.settings import ModelSettings, class_names_in, read_channels
from advprop_core.text import join
from advprop_core.types import MAX_SIDE, ModelInfo
from app.shell import defects, network_files, samples, state, tasks
from app.shell.messages import safe
from app.shell.network_files import Description, Upload
from app.shell.tasks import Task

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from advprop_core.models.opening import Look

_OPEN, _FILE, _USED, _DONE = "opening", "opening.file", "opening.used", "opening.done"
_UPLOADS = "opening.uploads"  # how many there were: a new uploader keeps no file in memory
_TEXT_FILE = "A text file, one name a line"
_IMAGENET = 1000
_NOT_HERE = (
    "Others can reach this app, so it takes no network files: one file could fill the server's "
    "memory. Who runs it can add a network with `advprop app --model FILE`."
)


def button(key: str, **options: Any) -> None:
    """Opens the dialogue, which :func:`show` draws."""
    st.button(
        "Open a network",
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
    """The dialogue, while it is open; call it at the end of a page."""
    if st.session_state.get(_OPEN):
        st.dialog("Open a network", width="medium", on_dismiss=_close)(_dialogue)()


def _close() -> None:
    st.session_state[_OPEN] = False
    for name in (_FILE, _USED):
        st.session_state.pop(name, None)


def _dialogue() -> None:
    with defects.told():
        if network_files.may_open():
            _content()
        else:
            st.info(_NOT_HERE, icon=":material/lock:")


def _content() -> None:
    limit = st.get_option("server.maxUploadSize")
    number = st.session_state.get(_UPLOADS, 0)
    st.file_uploader(
        "A file with the weights of one of timm's networks",
        type=network_files.ENDINGS,
        key=f"opening.upload.{number}",
        on_change=_take,
        args=(f"opening.upload.{number}",),
    )
    upload: Upload | None = st.session_state.get(_FILE)
    if upload is None:
        st.caption(
            f"safetensors, .pth, .pt, .pth.tar, .bin or .ckpt, at most {limit} MB. The file is "
            "read, and nothing in it is run. The server keeps it for a while, and whoever has the "
            "link of the page can use the network. For a larger file, start the app with "
            "`advprop app --model FILE`."
        )
        return
    st.markdown(f"**{safe(upload.name)}**, {upload.size / 1e6:.1f} MB")
    if upload.path is None:
        st.error("The server no longer keeps this file: choose it again.")
        return
    try:
        _file(upload)
    except AdvPropError as error:
        st.error(f"{safe(defects.sentence(error))}. The app stays as it was.")


def _take(widget: str) -> None:
    """Keep the file that came, and forget the one before."""
    file: Any = st.session_state[widget]
    if file is not None:
        st.session_state[_FILE] = network_files.keep(file.getvalue(), file.name)
        st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
        st.session_state.pop(_USED, None)


def _file(upload: Upload) -> None:
    """What the file is, what can be said of it, and the button that takes it."""
    seen: Look | None = _result("opening.look", network_files.look, upload)
    if seen is None:
        return
    st.caption(_how_searched(seen))
    left, right = st.columns(2)
    with left:
        architecture = None if seen.says_all else _architecture(upload, seen)
    if architecture is None and not seen.says_all:
        return
    settings = ModelSettings(None if architecture == seen.architecture else architecture)
    plain = _described("opening.plain", upload, settings)
    if plain is None:
        return
    if not seen.says_all:
        scope = f"{upload.key}.{architecture}"
        settings = _said(plain, settings, scope, right)
    description = _described("opening.described", upload, settings)
    if description is None:
        return
    is_found = seen.search is not None and architecture == seen.proposal
    _summary(description, is_found=is_found)
    st.button(
        "Use this network",
        key="opening.use",
        type="primary",
        on_click=st.session_state.__setitem__,
        args=(_USED, (upload, settings)),
    )
    if st.session_state.get(_USED) == (upload, settings):
        name = _result("opening.use", network_files.use, upload, key=upload.key, settings=settings)
        if name is not None:
            st.session_state[_DONE] = name
            _close()
            st.rerun()


def _described(slot: str, upload: Upload, settings: ModelSettings) -> Description | None:
    described: Description | None = _result(slot, network_files.describe, upload, settings=settings)
    return described


def _result(slot: str, function: Any, upload: Upload, **options: Any) -> Any:
    """The result of a worker, or None while it is awaited."""
    task = Task.of((), function, upload.path, about=(upload.key, upload.name), **options)
    return tasks.wait_for(slot, task)


# -- what can be said of a file ------------------------------------------------------------------


def _architecture(upload: Upload, seen: Look) -> str | None:
    """What timm calls the network: the near matches first, then all others."""
    import timm

    matches = {} if seen.search is None else {m.architecture: m for m in seen.search.matches}
    first = dict.fromkeys(filter(None, [seen.proposal, *matches, seen.architecture]))
    names = list(dict.fromkeys([*first, *timm.list_models()]))

    def written(name: str) -> str:
        if (match := matches.get(name)) is None:
            return name
        return f"{name} ({match.hits} of {match.wanted} tensors)"

    chosen: str | None = st.selectbox(
        "Architecture",
        names,
        index=0 if seen.proposal else None,
        format_func=written,
        key=f"opening.{upload.key}.architecture",
        placeholder="Choose one of timm's networks, or type to search",
    )
    return chosen


def _how_searched(seen: Look) -> str:
    """Where the proposed architecture comes from."""
    search = seen.search
    if seen.says_all:
        return "A file of this project: it says everything itself."
    if search is None:
        return f"The file says its architecture, {safe(str(seen.architecture))}."
    said = "The file does not say its architecture."
    if seen.architecture:
        said = f"The file says {safe(seen.architecture)}, but its tensors do not fit that."
    if search.candidates == 0:
        return f"{said} None of timm's networks begins and ends with layers of these names."
    some = "" if search.looked_at == search.candidates else f" of {search.candidates}"
    compared = f"{search.looked_at}{some} networks with such layers were compared"
    compared += f" in {search.seconds:.0f} seconds"
    if some:
        compared += " (it stops after 20)"
    if not search.fitting:
        return f"{said} {compared}: none fits. The nearest come first."
    alike = join(search.fitting[1:], "or")
    twins = f" {alike} would fit as well: weights do not tell them apart." if alike else ""
    return f"{said} {compared}: {search.fitting[0]} fits.{twins}"


def _said(
    plain: Description, settings: ModelSettings, scope: str, names_slot: DeltaGenerator
) -> ModelSettings:
    """Size, mean, std and class names, where the person says others than the file."""
    info = plain.info
    with names_slot:
        chosen = _choose_names(plain, scope)
    size, mean, std = st.columns(3)
    side = size.number_input(
        "Size (pixels)", 1, MAX_SIDE, info.input_size, key=f"opening.{scope}.size"
    )
    texts = {
        name: column.text_input(
            f"{name.title()} (red, green, blue)",
            ", ".join(f"{value:g}" for value in getattr(info, name)),
            key=f"opening.{scope}.{name}",
        )
        for name, column in (("mean", mean), ("std", std))
    }
    names = _names_in_text(info, scope) if chosen == _TEXT_FILE else _class_sets(info).get(chosen)
    return ModelSettings(
        settings.architecture,
        None if side == info.input_size else int(side),
        _changed(read_channels(texts["mean"], "Mean"), info.mean),
        _changed(read_channels(texts["std"], "Std"), info.std),
        names,
    )


def _changed(values: tuple[float, ...], before: tuple[float, ...]) -> Any:
    """The values, or None where they are those that were shown."""
    return (
        None if all(f"{a:g}" == f"{b:g}" for a, b in zip(values, before, strict=True)) else values
    )


def _choose_names(plain: Description, scope: str) -> str:
    """Where class names come from."""
    as_read = "The names in the file"
    if plain.findings.sources["classes"] == "guessed":
        as_read = "ImageNet" if plain.info.num_classes == _IMAGENET else "Numbers"
    chosen: str = st.selectbox(
        "Class names",
        [as_read, _TEXT_FILE, *_class_sets(plain.info)],
        key=f"opening.{scope}.names",
        help="In the order of the network's answers. Folders of photos are taken in the order of "
        "the alphabet, as most training scripts do.",
    )
    return chosen


def _class_sets(info: ModelInfo) -> dict[str, tuple[str, ...]]:
    """Names that the person can choose: of known data sets, and of the folders of photos."""
    from advprop_core.datasets.class_sets import class_sets

    fitting = {
        f"Those of {title}": names
        for title, names in class_sets().items()
        if len(names) == info.num_classes
    }
    folders = samples.class_folders()
    return fitting | ({"The folders of your photos": tuple(folders)} if folders else {})


def _names_in_text(info: ModelInfo, scope: str) -> tuple[str, ...] | None:
    file = st.file_uploader(
        f"{info.num_classes} names, one a line", type="txt", key=f"opening.{scope}.text"
    )
    return None if file is None else class_names_in(file.getvalue(), file.name)


def _summary(description: Description, *, is_found: bool) -> None:
    """What was read, said, guessed and ignored; ``is_found`` of an architecture by its tensors."""
    facts = description.findings.facts(description.info)
    of: dict[str, list[str]] = {"read": [], "found": [], "given": [], "guessed": []}
    for name, value, source in facts:
        group = "found" if is_found and name == "architecture" else source or "read"
        of[group].append(f"{name} {safe(value)}")
    titles = {
        "read": "Read in the file", "found": "Found from the tensors", "given": "Said by you"
    }  # fmt: skip
    lines = [f"**{title}**: {join(of[group])}." for group, title in titles.items() if of[group]]
    lines += [safe(sentence) for sentence in description.findings.remarks("the file")]
    st.markdown("  \n".join(lines))
    if of["guessed"]:
        st.warning(
            f"**Guessed**: {join(of['guessed'])}. A wrong size, mean or std gives wrong answers "
            "without an error, so check them.",
            icon=":material/help:",
        )
