"""Maps: where each branch looked, by several kinds of map, and whether they can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.errors import InputError
from advprop_core.types import ModelInfo
from app.maps import controls as map_controls
from app.maps import words
from app.maps.view import MapsView
from app.shell import cache, comparison, controls, messages, tasks, workbench
from app.shell.layout import chart, in_rows
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
    from app.figures import maps as figures

    map_set: MapSet = shown.result
    workbench.say_verdict(map_set.comparison, shown.info)
    for method, reason in map_set.refused.items():
        sentence = messages.not_drawn(METHODS[method].title, reason)
        st.warning(sentence, icon=":material/block:")
    for column, method in in_rows(map_set.methods, 2, "large"):
        with column:
            _method(map_set, method, shown)
    opacity = shown.view.opacity / 100
    if map_set.stages:
        st.subheader("Grad-CAM through all stages")
        sentence = words.strip(map_set.stages)
        figure = figures.strip(map_set.comparison, map_set.stages, map_set.strips, opacity)
        chart(figure, "strip", sentence)
        st.caption(sentence)
    if map_set.maps:
        _trust(shown, map_set, current)


def _method(map_set: MapSet, name: str, shown: Shown) -> None:
    from app.figures import maps as figures

    method, maps = METHODS[name], map_set.of(name)
    caption = messages.map_caption(maps.values(), shown.info.class_names)
    st.subheader(method.title)
    opacity, pictures = shown.view.opacity / 100, map_set.comparison
    figure = figures.method_grid(pictures, maps, method.sign, method.title, opacity)
    chart(figure, f"map.{name}", caption)
    st.caption(caption)
    for sentence in (words.agreement(map_set, name), *messages.empty_maps(maps)):
        if sentence:
            st.markdown(sentence)
    with st.expander("How to read this map"):
        st.markdown(method.sentence)


# -- whether to trust them -------------------------------------------------------------------------


def _trust(shown: Shown, map_set: MapSet, current: bool) -> None:
    from app.maps.map_set import trust

    st.subheader("Can these maps be trusted?")
    st.markdown(words.TRUST)
    lens = cache.load_lens(shown.view.model)
    mask = cache.mask(shown.view.image, shown.info.input_size)
    task = Task.of((lens.network,), trust, map_set, lens.branches, mask, about=shown.task)
    button = {"icon": ":material/fact_check:", "disabled": not current}
    if tasks.offer("trust", task, "Check these maps", **button) != task:
        return
    checked = tasks.answer("trust", task, stands_in=lambda before: before.task == task.key)
    if checked is not None:
        _table(map_set, checked.result)


def _table(map_set: MapSet, checks: Mapping[Cell, Trust]) -> None:
    from app.figures import maps as figures

    st.table([words.trust_row(*check) for check in checks.items()], hide_index=True)
    for sentence in words.undefined(checks):
        st.caption(sentence)
    with st.expander("What the columns mean"):
        st.markdown(words.COLUMNS)
    tabs = st.tabs([METHODS[method].title for method in map_set.methods])
    for tab, method in zip(tabs, map_set.methods, strict=True):
        with tab:
            lines = words.curves(checks, method)
            figure = figures.curves(lines, map_set.comparison.branches)
            sentence = f"Deletion and insertion curves of {METHODS[method].title}"
            chart(figure, f"curves.{method}", sentence)
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
