"""Two comparisons side by side: one that was kept, and the one that is chosen now."""

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.types import ModelInfo
from app.language.text import _, join
from app.playground import glance
from app.playground.view import PlaygroundView, read_kept, write_kept
from app.shell import cache, controls, history, network_files, state, tasks
from app.shell.comparison import comparison_task
from app.shell.layout import in_rows
from app.shell.messages import quote, safe
from app.shell.tasks import Shown
from app.shell.view import EXPLAINED

_SLOT = "beside"


def offer(shown: Shown) -> None:
    """A button that keeps what is shown, so that another network, picture or setting joins it."""
    st.button(
        _("Keep this beside"),
        key="beside.keep",
        icon=":material/splitscreen_right:",
        help=_(
            "This result stays on the left. Change the network, the picture or the attack, and "
            "the right half shows the new result."
        ),
        on_click=state.choose,
        kwargs={"beside": write_kept(shown.view)},
    )


def show(shown: Shown) -> Shown | None:
    """What was kept, then what is chosen now; returns the maps of the latter."""
    kept = read_kept(shown.view.beside)
    left, right = (place for place, half in in_rows("kn", 2, roomy="beside"))
    with left:
        _show_kept(kept, shown.view)
    with right:
        with st.container(gap=None):
            with _head("now"):
                st.markdown(_("**Now**"), width="content")
                different = history.changes(kept, replace(shown.view, beside="", studio=""))
                st.caption(join(different) if different else _("same settings: change something"))
            _say_what(shown.view, shown.info)
        return glance.show(shown, "playground", is_half=True)


def _show_kept(kept: PlaygroundView, now: PlaygroundView) -> None:
    missing = _missing(kept)
    with st.container(gap=None):
        with _head("kept"):
            st.markdown(_("**Kept**"), width="content")
            st.button(
                _("Swap"),
                key="beside.swap",
                type="tertiary",
                help=_(
                    "Exchange the two halves: continue with the kept settings, and keep the "
                    "current ones."
                ),
                on_click=state.choose,
                kwargs={**vars(kept), "studio": now.studio, "beside": write_kept(now)},
            )
            st.button(
                _("Close"),
                key="beside.close",
                type="tertiary",
                on_click=state.choose,
                kwargs={"beside": ""},
            )
        if not missing:
            _say_what(kept, cache.model_info(kept.model))
    if missing:
        st.warning(_("The kept result cannot be shown: {missing}.").format(missing=missing))
        return
    lens = cache.load_lens(kept.model)
    title = cache.picture(kept.image, lens.info.input_size).title
    shown = tasks.answer(_SLOT, comparison_task(kept, lens), kept, lens.info, title)
    if shown is not None:
        glance.show(shown, _SLOT, is_half=True)


def _head(half: str) -> DeltaGenerator:
    """The line above a half; both are as high as their buttons."""
    return st.container(horizontal=True, vertical_alignment="center", key=f"half-{half}")


def _say_what(view: PlaygroundView, info: ModelInfo) -> None:
    """Whose answers a half shows, and to what change of the picture."""
    network = safe(network_files.title(view.model))
    st.caption(f"**{network}**: {controls.describe(view, info)}")


def _missing(kept: PlaygroundView) -> str:
    """What a link asks for that is not here; empty where all is."""
    info = cache.known_models(network_files.opened()).get(kept.model)
    if info is None:
        return _("there is no network {model}").format(model=quote(kept.model))
    if kept.attack_branch not in info.branches:
        return _("{model} has no branch {branch}").format(
            model=quote(kept.model), branch=quote(kept.attack_branch)
        )
    unknown = {kept.target, kept.explained} - {"", *EXPLAINED, *info.class_ids}
    if not unknown:
        return ""
    return _("{model} has no class {name}").format(
        model=quote(kept.model), name=quote(unknown.pop())
    )
