"""Maps: where each branch looked, by several kinds of map, and whether they can be trusted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.errors import InputError
from advprop_core.types import ModelInfo
from app.maps import controls as map_controls
from app.maps import words
from app.maps.view import MapsView, checked_mark
from app.shell import cache, comparison, controls, messages, state, tasks, workbench
from app.shell.layout import chart, in_rows, once
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from advprop_core.faithfulness.trust import Cell, Trust
    from app.maps.map_set import MapSet
    from app.shell.cache import Lens

QUESTION = "Where did each branch look, and can the maps be trusted?"
INTRODUCTION = (
    "Each kind of map defines *looking* in its own way. Here several stand side by side, with one "
    "class, layer and colour scale for all branches and both pictures, and with their differences."
)


def _controls(info: ModelInfo) -> DeltaGenerator | None:
    slot = map_controls.picker(info)
    controls.perturbation(info)
    if controls.expert(info):
        controls.opacity()
    return slot


def _task(view: MapsView, lens: Lens) -> Task:
    from app.maps.map_set import make_map_set

    if not view.maps:
        raise InputError("No map is chosen. Choose at least one.")
    return comparison.picture_task(
        view,
        lens,
        make_map_set,
        lens.branches,
        methods=view.maps,
        layer=comparison.layer_of(view, lens, view.maps),
        class_index=comparison.explained(view, lens.info, one_class=True),
    )


def _draw(shown: Shown, current: bool) -> None:
    from app.figures import map_tables as figures

    map_set: MapSet = shown.result
    workbench.say_verdict(map_set.comparison, shown.view, shown.info)
    if target := words.target(map_set, shown.view, shown.info):
        st.markdown(target)
    for method, reason in map_set.refused.items():
        sentence = messages.not_drawn(METHODS[method].title, reason)
        st.warning(sentence, icon=":material/block:")
    for column, method in in_rows(map_set.methods, 2, "large", roomy="maps"):
        with column:
            _method(map_set, method, shown)
    if map_set.stages:
        st.subheader("Grad-CAM through all stages")
        strips = {row: layers.numpy() for row, layers in map_set.strips.items()}
        opacity = shown.view.opacity / 100
        draw = partial(figures.strip_table, map_set.comparison, map_set.stages, strips, opacity)
        st.html(once("maps.strip", (shown.task, opacity), draw))
        st.caption(words.strip(map_set.stages))
    if map_set.maps:
        _trust(shown, map_set, current)


def _method(map_set: MapSet, name: str, shown: Shown) -> None:
    from app.figures import map_tables as figures

    method, maps = METHODS[name], map_set.of(name)
    st.subheader(method.title)
    opacity, pictures = shown.view.opacity / 100, map_set.comparison
    draw = partial(figures.method_table, pictures, maps, method.sign, method.title, opacity)
    st.html(once(f"maps.{name}", (shown.task, opacity), draw))
    st.caption(messages.map_caption(maps.values(), shown.info.class_names))
    sentences = (words.agreement(map_set, name), *messages.empty_maps(maps))
    for sentence in (*sentences, *messages.weak_maps(maps)):
        if sentence:
            st.markdown(sentence)
    with st.expander("How to read this map"):
        st.markdown(method.sentence)


# -- whether to trust them -------------------------------------------------------------------------


def _trust(shown: Shown, map_set: MapSet, current: bool) -> None:
    from app.maps.map_set import trust

    st.subheader("Can these maps be trusted?")
    st.markdown(words.TRUST)
    mark = checked_mark(shown.view)
    if shown.view.checked != mark:
        st.button(
            "Check these maps",
            icon=":material/fact_check:",
            disabled=not current,
            on_click=state.choose,  # in the link, so that a reload finds it
            kwargs={"checked": mark},
        )
        return
    lens = cache.load_lens(shown.view.model)
    mask = cache.mask(shown.view.image, shown.info.input_size)
    task = Task.of((lens.network,), trust, map_set, lens.branches, mask, about=shown.task)
    checked = tasks.answer("trust", task, stands_in=lambda before: before.task == task.key)
    if checked is not None:
        _checks(map_set, checked.result)


def _checks(map_set: MapSet, checks: Mapping[Cell, Trust]) -> None:
    from app.maps import checked

    for method in map_set.methods:
        st.markdown(checked.verdict(checks, method))
    st.table([checked.row(*check) for check in checks.items()], hide_index=True)
    for sentence in checked.undefined(checks):
        st.caption(sentence)
    st.markdown("#### What the columns mean")
    st.markdown(checked.COLUMNS)
    st.markdown("#### What becomes of the class, pixel by pixel?")
    tabs = st.tabs([METHODS[method].title for method in map_set.methods])
    for tab, method in zip(tabs, map_set.methods, strict=True):
        with tab:
            _curves(map_set, checks, method)


def _curves(map_set: MapSet, checks: Mapping[Cell, Trust], method: str) -> None:
    from app.figures import maps as figures
    from app.maps import checked

    lines = checked.curves(checks, method)
    for column, walk in in_rows(figures.WALKS, 2, "large", roomy=f"curves-{method}"):
        with column:
            st.markdown(f"**{walk.title()}**")
            figure = figures.curves(lines, map_set.comparison.branches, walk, dark=workbench.dark())
            alt = f"{walk.title()} curves of {METHODS[method].title}"
            chart(figure, f"curves.{method}.{walk}", alt)
    st.caption(words.CURVES)


workbench.show_page(
    MapsView,
    QUESTION,
    INTRODUCTION,
    slot="maps",
    controls_of=_controls,
    task=_task,
    draw=_draw,
)
