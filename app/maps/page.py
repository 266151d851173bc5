"""Maps: where each branch looked, by several kinds of map, and whether they can be trusted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.attribution.methods import METHODS
from advprop_core.errors import InputError
from advprop_core.types import ModelInfo
from app.language.text import N_, _, titled
from app.maps import words
from app.maps.view import MOST_MAPS, MapsView
from app.shell import comparison, controls, messages, workbench
from app.shell.cache import Lens
from app.shell.layout import in_rows, once
from app.shell.state import key
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from app.maps.map_set import MapSet


def _controls(info: ModelInfo) -> DeltaGenerator | None:
    """Which maps, of which class, of which picture; returns the slot of the layer picker."""
    slow = _("{title} (slow)")
    titles = {
        name: slow.format(title=_(method.title)) if method.cost == "slow" else method.title
        for name, method in METHODS.items()
    }
    st.multiselect(
        _("Maps"),
        list(METHODS),
        format_func=titled(titles),
        key=key("maps"),
        max_selections=MOST_MAPS,
        select_all=False,  # it would choose more than the page takes
        placeholder=_("Choose a kind of map"),
        help=_(
            "First maps of a layer (class activation), then maps of the gradient at the pixels, "
            "then maps made by hiding parts of the picture. Slow ones run the network hundreds of "
            "times."
        ),
    )
    slot = st.container()
    controls.explained_class(info, one_class=True)
    controls.perturbation(info)
    if controls.expert(info):
        controls.opacity()
    return slot


def _task(view: MapsView, lens: Lens) -> Task:
    from app.maps.map_set import make_map_set

    if not view.maps:
        raise InputError(_("No map is chosen. Choose at least one."))
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
    from app.figures.map_tables import strip_table  # here: it loads torch
    from app.maps import checked

    map_set: MapSet = shown.result
    workbench.say_verdict(map_set.comparison, shown.view, shown.info)
    if target := words.target(map_set, shown.view, shown.info):
        st.markdown(target)
    for method, reason in map_set.refused.items():
        sentence = messages.not_drawn(_(METHODS[method].title), reason)
        st.warning(sentence, icon=":material/block:")
    for column, method in in_rows(map_set.methods, 2, "large", roomy="maps"):
        with column:
            _method(map_set, method, shown)
    if map_set.stages:
        st.subheader(_("Grad-CAM through all stages"))
        strips = {row: layers.numpy() for row, layers in map_set.strips.items()}
        opacity = shown.view.opacity / 100
        draw = partial(strip_table, map_set.comparison, map_set.stages, strips, opacity)
        st.html(once("maps.strip", (shown.task, opacity), draw))
        st.caption(words.strip(map_set.stages))
    if map_set.maps:
        checked.show(shown, map_set, current)


def _method(map_set: MapSet, name: str, shown: Shown) -> None:
    from app.figures.map_tables import method_table  # here: it loads torch

    method, maps = METHODS[name], map_set.of(name)
    title = _(method.title)
    st.subheader(title)
    opacity, pictures = shown.view.opacity / 100, map_set.comparison
    draw = partial(method_table, pictures, maps, method.sign, title, opacity)
    st.html(once(f"maps.{name}", (shown.task, opacity), draw))
    st.caption(messages.map_caption(maps.values(), shown.info.class_names))

    def remarks() -> list[str]:
        """How far branches agree, and which maps are empty or weak."""
        agreement = filter(None, [words.agreement(map_set, name)])
        return [*agreement, *messages.faint_maps(maps)]

    for sentence in once(f"maps.remarks.{name}", shown.task, remarks):
        st.markdown(messages.unbroken(sentence))
    with st.expander(_("How to read this map")):
        st.markdown(_(method.sentence))


workbench.show_page(
    MapsView,
    N_("Where did each branch look, and can the maps be trusted?"),
    N_(
        "Each kind of map defines *looking* in its own way. This page shows several kinds side by "
        "side, and their differences. All branches and both pictures share one class, layer and "
        "colour scale."
    ),
    slot="maps",
    controls_of=_controls,
    task=_task,
    draw=_draw,
)
