"""How far apart two branches are: the part of the Anatomy page on layers and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

from advprop_core.types import INPUT_KINDS
from app.anatomy import controls as anatomy_controls
from app.anatomy import words
from app.anatomy.section import Subject, result
from app.shell import messages, state
from app.shell.workbench import dark

if TYPE_CHECKING:
    from advprop_core.anatomy.distance import LayerDistance, Measure
    from app.anatomy.view import AnatomyView

_MARKED = 4  # channels that are looked into


@st.fragment
def layers(subject: Subject) -> None:
    """How far apart the branches are in every layer, and in every channel of one of them."""
    from app.anatomy import work
    from app.figures import norm_layers as figures
    from app.figures import style

    view, lens = subject.newest(), subject.lens
    st.subheader("How far apart are they, layer by layer?")
    distances = result(
        "distances",
        subject,
        ((view.model, view.calibrated, view.second),),
        lambda progress: work.distances(lens, view.second),
    )
    if distances is None:
        return
    measure = cast("Measure", view.measure)
    most = words.most_different(distances, measure)
    chosen = view.norm_layer or most.layer
    summary = st.container()  # above the control, though it depends on it
    anatomy_controls.measure(view, live=subject.current)
    sentence = words.differing(distances, measure)
    summary.markdown(sentence)
    unit = words.UNITS.get(measure, "")
    st.plotly_chart(
        figures.profile(distances, measure, chosen, unit, dark=dark()),
        key="anatomy.profile",
        config=style.CONFIG,
        alt=messages.plain(sentence),
        on_select=_take_click if subject.current else "ignore",
        selection_mode="points",
    )
    st.caption(f"{words.PROFILE} {words.EXPLAINED[measure]}")
    anatomy_controls.layer(view, [d.layer for d in distances], most.layer, live=subject.current)
    distance = next((d for d in distances if d.layer == chosen), most)
    _channels(subject, distance, view)


def _take_click() -> None:
    points = st.session_state["anatomy.profile"].selection.points
    if points:
        state.choose(norm_layer=points[0]["customdata"])


def _channels(subject: Subject, distance: LayerDistance, view: AnatomyView) -> None:
    from app.figures import norm_layers as figures
    from app.figures import style

    measure = cast("Measure", view.measure)
    if measure not in distance.changes:
        st.caption(words.without(distance, measure))
        return
    marked = distance.top_channels(measure, _MARKED)
    sentence = words.channels(distance, measure, marked, view.second)
    st.markdown(sentence)
    st.plotly_chart(
        figures.channels(distance, measure, marked, words.UNITS.get(measure, ""), dark=dark()),
        key="anatomy.channels",
        config=style.CONFIG,
        alt=messages.plain(sentence),
    )
    _excited(subject, distance.layer, marked, view)


def _excited(subject: Subject, layer: str, marked: tuple[int, ...], view: AnatomyView) -> None:
    from app.anatomy import work
    from app.figures import norm_layers as figures
    from app.figures import style

    comparison = subject.comparison
    maps = result(
        "excited",
        subject,
        ((subject.base, view.second), layer, marked),
        lambda progress: work.excited(subject.lens, comparison, view.second, layer, marked),
    )
    if maps is None:
        return
    shown = next(iter(maps.values()))
    sentence = words.excited(shown.layer, shown.channels)
    st.markdown(sentence)
    for column, kind in zip(st.columns(2, gap="large"), INPUT_KINDS, strict=True):
        with column:
            st.markdown(f"##### {style.COLUMN_TITLES[kind]} picture")
            st.plotly_chart(
                figures.excited(comparison, maps, kind, view.opacity / 100),
                key=f"anatomy.excited.{kind}",
                config=style.CONFIG,
                alt=f"{style.COLUMN_TITLES[kind]} picture. {sentence}",
            )
