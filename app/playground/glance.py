"""A comparison at a glance: what happened in a sentence, pictures, answers and maps.

Two stand side by side where one was kept: it, and the one that is chosen now.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.types import ModelInfo
from app.elements.board import board
from app.figures import board as figures
from app.language.text import _, join, paragraph
from app.playground.view import PlaygroundView, read_kept, write_kept
from app.shell import (
    cache,
    comparison,
    controls,
    history,
    messages,
    network_files,
    state,
    tasks,
)
from app.shell.layout import in_rows, once
from app.shell.messages import quote, safe
from app.shell.pictures import is_foreign
from app.shell.tasks import Shown
from app.shell.view import EXPLAINED, View

# The line above a half; both are as high as their buttons.
_HEAD: dict[str, Any] = {"horizontal": True, "vertical_alignment": "center"}


def show(shown: Shown, slot: str, *, is_half: bool = False) -> Shown | None:
    """All of it on one screen; returns the maps, once they are there.

    Args:
        shown: A comparison.
        slot: Under which it is kept.
        is_half: Whether another one stands beside it.
    """
    result, info = shown.result, shown.info
    target = comparison.target_class(shown.view, info)
    heading, answers = messages.verdict(result, info.class_names, target)
    with st.container():  # sentences come and go without moving what is below them
        if is_foreign(shown.view.image, info):
            st.warning(messages.foreign(info, _(shown.title)), icon=":material/help:")
        elif warning := messages.unfamiliar(result, info):
            st.warning(warning, icon=":material/help:")
        st.markdown(f"## {heading}")
        # What the heading alone would let one overlook.
        remarks = [_(messages.ONE_NORM)] if len(result.branches) == 1 else []
        remarks += [messages.one_attack(result), *messages.close_classes(result, info)]
        st.caption(paragraph(remarks))
    at_a_glance = st.container()
    with st.container():  # progress comes and goes without moving what is below it
        task = comparison.maps_task(shown, cache.load_lens(shown.view.model))
        drawn = tasks.answer(f"{slot}.maps", task, shown.view, shown.info)
    with at_a_glance:
        words = controls.describe(shown.view, shown.info)
        pictures = once(
            f"{slot}.pictures",
            (shown.task, shown.title, words),
            partial(figures.pictures, result, _(shown.title), words),
        )
        maps = None  # there are none, and none will come; an empty mapping waits for them
        if drawn is None:
            maps = {}
        elif not drawn.result.maps_refused:
            look = drawn.view.scale, drawn.view.opacity / 100
            draw = partial(figures.maps, drawn.result, drawn.info.class_names, *look)
            maps = once(f"{slot}.maps", (drawn.task, *look), draw)
        facts = result.facts
        ends = _("{low:.2f} to {high:.2f}", low=facts.low, high=facts.high)
        saved = _("same answers") if all(facts.survives_png.values()) else _("other answers")
        measured = (
            (_("Largest change"), f"{facts.linf * 255:.2f}/255", _("of any colour value (L∞)")),
            (_("Length"), f"{facts.l2:.2f}", _("of the whole change (L2)")),
            (_("Range of colours"), ends, _("0 is black, 1 is white")),
            (_("Saved as PNG"), saved, _("rounded to 256 levels")),
        )
        board(
            slot,
            {"playground": _("Now"), "beside": _("Kept")}[slot],
            pictures=pictures,
            branches=figures.branches(result, info.class_names, answers),
            maps=maps,
            facts=[{"title": title, "value": fact, "help": help} for title, fact, help in measured],
            isOld=drawn is not None and drawn.task.about != shown.task,  # maps of one before
            isHalf=is_half,
        )
    return drawn


def outline(view: View, info: ModelInfo) -> None:
    """The clean picture, and the places of all that will be there once torch is loaded."""
    st.markdown(_("## The network is being loaded …"))
    title = _(cache.picture(view.image, info.input_size).title)
    picture = cache.preview(view.image, info.input_size)
    pictures, branches = figures.outline(picture, title, list(info.branches))
    board("outline", _("Soon here"), pictures=pictures, branches=branches, maps={})


def say_of_maps(shown: Shown) -> None:
    """What maps show, and how to see them otherwise."""
    maps, method = shown.result.maps, METHODS[shown.view.method]
    if shown.result.maps_refused:
        reason = messages.not_drawn(_(method.title), shown.result.maps_refused)
        st.warning(reason, icon=":material/block:")
        return
    caption = messages.map_caption(maps.values(), shown.info.class_names, shown.view.scale)
    remarks = once("maps.remarks", shown.task, partial(messages.faint_maps, maps))
    for sentence in [caption, *remarks]:
        st.caption(sentence)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls.scale()
        if method.needs_layer:
            _grid(shown)
    with st.expander(_("How to read these maps")):
        st.markdown(_(method.sentence))


def _grid(shown: Shown) -> None:
    """Maps with more cells, and back."""
    lens = cache.load_lens(shown.view.model)
    finer = lens.finer_layer
    if not finer or shown.view.layer not in ("", lens.default_layer, finer):
        return  # a layer that was chosen by hand may be finer still
    is_finer = shown.view.layer == finer
    st.button(
        _("Coarser maps") if is_finer else _("Finer maps"),
        key="maps.grid",
        icon=":material/grid_view:" if is_finer else ":material/grid_on:",
        help=_("An earlier layer gives maps with more cells, but it reacts less to whole objects."),
        on_click=state.choose,
        kwargs={"layer": "" if is_finer else finer},
    )


# -- two side by side ------------------------------------------------------------------------------


def offer_beside(shown: Shown) -> None:
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


def show_beside(shown: Shown) -> Shown | None:
    """What was kept, then what is chosen now; returns the maps of the latter."""
    beside_view = read_kept(shown.view.beside)
    left, right = (column for column, half in in_rows("kn", 2, roomy="beside"))
    with left:
        _show_kept(beside_view, shown.view)
    with right:
        with st.container(gap=None):
            with st.container(key="half-now", **_HEAD):
                st.markdown(_("**Now**"), width="content")
                different = history.changes(beside_view, replace(shown.view, beside="", studio=""))
                st.caption(join(different) if different else _("same settings: change something"))
            st.caption(_whose(shown.view, shown.info))
        return show(shown, "playground", is_half=True)


def _show_kept(beside_view: PlaygroundView, now: PlaygroundView) -> None:
    missing = _missing(beside_view)
    with st.container(gap=None):
        with st.container(key="half-kept", **_HEAD):
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
                kwargs={**vars(beside_view), "studio": now.studio, "beside": write_kept(now)},
            )
            st.button(
                _("Close"),
                key="beside.close",
                type="tertiary",
                on_click=state.choose,
                kwargs={"beside": ""},
            )
        if not missing:
            st.caption(_whose(beside_view, cache.model_info(beside_view.model)))
    if missing:
        st.warning(_("The kept result cannot be shown: {missing}.", missing=missing))
        return
    lens = cache.load_lens(beside_view.model)
    title = cache.picture(beside_view.image, lens.info.input_size).title
    task = comparison.comparison_task(beside_view, lens)
    shown = tasks.answer("beside", task, beside_view, lens.info, title)
    if shown is not None:
        show(shown, "beside", is_half=True)


def _whose(view: PlaygroundView, info: ModelInfo) -> str:
    """Whose answers a half shows, and to what change of the picture."""
    network = safe(network_files.title(view.model))
    return f"**{network}**: {controls.describe(view, info)}"


def _missing(beside_view: PlaygroundView) -> str:
    """What a link asks for that is not here; empty where all is."""
    info = cache.known_models(network_files.opened()).get(beside_view.model)
    if info is None:
        return _("there is no network {model}", model=quote(beside_view.model))
    if beside_view.attack_branch not in info.branches:
        return _(
            "{model} has no branch {branch}",
            model=quote(beside_view.model),
            branch=quote(beside_view.attack_branch),
        )
    unknown = {beside_view.target, beside_view.explained} - {"", *EXPLAINED, *info.class_ids}
    if not unknown:
        return ""
    return _(
        "{model} has no class {name}", model=quote(beside_view.model), name=quote(unknown.pop())
    )
