"""How far apart two branches are: the part of the Anatomy page on layers and channels."""

from typing import cast

import streamlit as st

from advprop_core.anatomy.distance import LayerDistance, Measure
from app.anatomy import controls, words, work
from app.anatomy.section import Subject, result
from app.anatomy.view import AnatomyView
from app.figures import map_tables
from app.figures import norm_layers as figures
from app.language.text import _, paragraph
from app.shell import state
from app.shell.layout import chart

_MARKED = 4  # channels that are looked into


def layers(subject: Subject) -> None:
    """How far apart the branches are in every layer, and in every channel of one of them."""
    view = subject.newest()
    st.subheader(_("How far apart are they, layer by layer?"))
    about = view.model, view.calibrated, view.second
    distances = result("distances", subject, work.distances, view.second, about=about)
    if distances is None:
        return
    measure = cast("Measure", view.measure)
    most = words.most_different(distances, measure)
    chosen = view.norm_layer or most.layer
    summary = st.container()  # above the control, though it depends on it
    controls.choice("measure", _("What differs"), words.MEASURES, view, subject.current)
    sentence = words.differing(distances, measure)
    summary.markdown(sentence)
    if not words.differs(distances, measure):
        return
    unit = words.UNITS.get(measure, "")
    chart(
        figures.profile(distances, measure, chosen, unit),
        "anatomy.profile",
        sentence,
        on_select=_take_click if subject.current else "ignore",
        selection_mode="points",
    )
    st.caption(paragraph([_(words.PROFILE), _(words.EXPLAINED[measure])]))
    controls.layer(view, [d.layer for d in distances], subject.current)
    distance = next((d for d in distances if d.layer == chosen), most)
    _channels(subject, distance, view)


def _take_click() -> None:
    points = st.session_state["anatomy.profile"].selection.points
    if points:
        state.choose(norm_layer=points[0]["customdata"])


def _channels(subject: Subject, distance: LayerDistance, view: AnatomyView) -> None:
    measure = cast("Measure", view.measure)
    if measure not in distance.changes:
        st.caption(words.without(distance, measure))
        return
    if not distance.changes[measure].any():
        st.caption(words.alike(distance, measure))
        return
    marked = distance.top_channels(measure, _MARKED)
    sentence = words.channels(distance, measure, marked, view.second)
    st.markdown(sentence)
    unit = words.UNITS.get(measure, "")
    figure = figures.channels(distance, measure, marked, unit)
    chart(figure, "anatomy.channels", sentence)
    _excited(subject, distance.layer, marked, view)


def _excited(subject: Subject, layer: str, marked: tuple[int, ...], view: AnatomyView) -> None:
    second = view.second
    maps = result(
        "excited", subject, work.excited, second, layer, marked, about=(subject.base, second)
    )
    if maps is None:
        return
    shown = next(iter(maps.values()))
    st.markdown(words.excited(shown.layer, shown.channels))
    st.html(map_tables.excited_table(subject.comparison, maps, view.opacity / 100))
