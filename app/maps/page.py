"""Maps: where each branch looked, by several kinds of map, and whether they can be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.errors import InputError
from advprop_core.types import ModelInfo
from app.maps import controls as map_controls
from app.maps import words as map_words
from app.shell import cache, controls, messages, workbench
from app.shell.layout import in_rows
from app.shell.state import View, key
from app.shell.workbench import Shown, Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from advprop_core.faithfulness.trust import Cell, Trust
    from app.maps.work import Maps, MapsRequest
    from app.shell.cache import Lens

QUESTION = "Where did each branch look, and can the picture be trusted?"
INTRODUCTION = (
    "A map shows what one definition of *looking* makes of a network. Here several stand beside "
    "each other: the same class, the same layer and the same colour scale for both branches and "
    "both pictures, with their differences."
)
_ASKED = "trust.asked"


def _controls(info: ModelInfo) -> DeltaGenerator | None:
    slot = map_controls.picker(info)
    controls.perturbation(info)
    if controls.expert(info):
        controls.opacity()
    return slot


def _late_controls(slot: DeltaGenerator | None, lens: Lens) -> None:
    controls.layer_picker(slot, st.session_state[key("maps")], lens.layers, lens.default_layer)


def _request(view: View, info: ModelInfo, label: str | None) -> MapsRequest:
    from app.maps.work import MapsRequest
    from app.shell.requests import make_request

    comparison = make_request(view, info, label)
    layered = any(METHODS[name].needs_layer for name in view.maps)
    return MapsRequest(
        replace(comparison, maps=None),
        view.maps,
        (view.layer or None) if layered else None,
        info.class_ids.index(view.explained) if view.explained else None,
    )


def _work(view: View, lens: Lens) -> Work:
    from app.maps import work as map_requests

    if not view.maps:
        raise InputError("No map is chosen. Choose at least one on the left.")
    label = cache.picture(view.image, lens.info.input_size).label
    request = _request(view, lens.info, label)
    pixels = cache.pixels(view.image, lens.info.input_size)
    networks = (lens.network,)
    return Work(
        networks, request, lambda job: map_requests.run(request, lens.branches, pixels, job)
    )


def _draw(shown: Shown, current: bool) -> None:
    from app.figures import maps as figures
    from app.figures import style

    found: Maps = shown.result
    names = shown.info.class_names
    st.markdown(f"#### {messages.verdict(found.comparison, names)}")
    for method, reason in found.refused.items():
        st.warning(f"{METHODS[method].title} is not drawn: {reason}", icon=":material/block:")
    for column, method in in_rows(found.methods, 2, "large"):
        with column:
            _method(found, method, shown)
    if found.stages:
        st.subheader("Grad-CAM through all stages")
        sentence = map_words.strip(found.stages)
        st.plotly_chart(
            figures.strip(found, shown.view.opacity / 100),
            key="strip",
            config=style.CONFIG,
            alt=messages.plain(sentence),
        )
        st.caption(sentence)
    if found.maps:
        _trust(shown, found, current)


def _method(found: Maps, method: str, shown: Shown) -> None:
    from app.figures import maps as figures
    from app.figures import style

    known = METHODS[method]
    one = next(drawn for (name, _, _), drawn in found.maps.items() if name == method)
    class_name = shown.info.class_names[one.class_index]
    caption = messages.map_caption(known.title, known.sign, one.layer, class_name)
    st.subheader(known.title)
    st.plotly_chart(
        figures.method_grid(found, method, known.sign, known.title, shown.view.opacity / 100),
        key=f"map.{method}",
        config=style.CONFIG,
        alt=messages.plain(caption),
    )
    st.caption(caption)
    own = {
        (kind, branch): one for (name, kind, branch), one in found.maps.items() if name == method
    }
    for sentence in (map_words.agreement(found, method), *messages.empty_maps(own)):
        if sentence:
            st.markdown(sentence)
    with st.expander("How to read this map"):
        st.markdown(known.sentence)


# -- whether to trust them -------------------------------------------------------------------------


def _trust(shown: Shown, found: Maps, current: bool) -> None:
    st.subheader("Can these maps be trusted?")
    st.markdown(map_words.TRUST)
    request = _request(shown.view, shown.info, None)
    # The picture itself may be gone by now, so its class is taken from the result.
    comparison = replace(request.comparison, true_class=found.comparison.true_class)
    request = replace(request, comparison=comparison)
    if st.session_state.get(_ASKED) != request:
        st.button(
            "Check these maps",
            icon=":material/fact_check:",
            on_click=_ask,
            args=(request,),
            disabled=not current,
        )
        return
    checks = workbench.wait_for("trust", _checks(request, shown, found))
    if checks is not None:
        _table(found, checks)


def _ask(request: MapsRequest) -> None:
    workbench.go_on("trust")
    st.session_state[_ASKED] = request


def _checks(request: MapsRequest, shown: Shown, found: Maps) -> Work:
    from app.maps import work as map_requests

    lens = cache.load_lens(shown.view.model)
    mask = cache.mask(shown.view.image, shown.info.input_size)
    return Work(
        (lens.network,),
        ("trust", request),
        lambda job: map_requests.trust(found, lens.branches, mask, job),
        picture=shown.picture,
    )


def _table(found: Maps, checks: Mapping[Cell, Trust]) -> None:
    from app.figures import maps as figures
    from app.figures import style

    st.table(map_words.trust_rows(checks), hide_index=True)
    for sentence in map_words.undefined(checks):
        st.caption(sentence)
    with st.expander("What the columns mean"):
        st.markdown(map_words.COLUMNS)
    tabs = st.tabs([METHODS[method].title for method in found.methods])
    for tab, method in zip(tabs, found.methods, strict=True):
        with tab:
            lines = map_words.curves(checks, method)
            st.plotly_chart(
                figures.curves(lines, found.comparison.branches),
                key=f"curves.{method}",
                config=style.CONFIG,
                alt=f"Deletion and insertion curves of {METHODS[method].title}",
            )
            st.caption(map_words.CURVES)


workbench.PicturePage(
    slot="maps",
    question=QUESTION,
    introduction=INTRODUCTION,
    controls=_controls,
    late_controls=_late_controls,
    work=_work,
    draw=_draw,
).show()
