"""Visualise: what each branch would like to see, of a class or of a channel."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.types import ModelInfo
from app.language.text import _, english
from app.shell import cache, chart_saving, controls, state, workbench
from app.shell.cache import Lens
from app.shell.fields import number, segments, slider
from app.shell.layout import page_button, table
from app.shell.messages import safe, unbroken
from app.shell.pictures import key_of
from app.shell.state import key
from app.shell.tasks import Shown, Task
from app.visualise import words
from app.visualise.view import GOALS, STARTS, VisualiseView

_PLAIN = "n03028079"  # church: a class that is easily told in a drawing


def _controls(info: ModelInfo) -> DeltaGenerator:
    """What is to be seen, from where, how far; returns the slot of the layer picker."""
    first = _PLAIN if _PLAIN in info.class_ids else info.class_ids[0]
    if info.name == state.default().model:
        state.opens_with(wished_class=first)
    state.settle("wished_class", [first, *info.class_ids])
    help = _("For a class, its score rises. For a channel of a layer, its mean activation rises.")
    wished = segments(_("Draw"), GOALS, "wished", help)
    slot = st.container()
    if wished == "class":
        help = _("The class that the branches draw.")
        controls.class_picker(info, _("Class"), {}, key=key("wished_class"), help=help)
    else:
        number(_("Channel"), "channel", _("Of the layer, counted from 0."))
    help = _("Noise is mid-grey with a faint grain. All branches start from the same.")
    start = segments(_("Start from"), STARTS, "begins_with", help)
    if start == "noise":
        number(_("Seed"), "seed", _("The same seed gives the same noise."))
    help = _(
        "How far the picture may move: the Euclidean length of the whole change, where 1 "
        "moves a single colour value from black to white. A network of 224 pixels needs about "
        "80."
    )
    slider(_("Strength ε (L2)"), "reach", help, step=1.0, format="%g")
    slider(_("Steps"), "visual_steps", step=5)
    help = _("Compare a network with another one of the same classes.")
    workbench.second_network(lambda second: second.class_ids == info.class_ids, help)
    return slot


def _task(view: VisualiseView, lens: Lens) -> Task:
    from advprop_core.visualise.ascent import ascent, noise_start  # here: they load torch
    from advprop_core.visualise.goals import Channel, Goal
    from app.visualise.work import see

    lenses = workbench.both_lenses(view, lens)
    sides = [each.info.input_size for each in lenses]
    is_noise = view.begins_with == "noise"
    starts = [
        noise_start(side, view.seed) if is_noise else cache.pixels(view.image, side)
        for side in sides
    ]
    goal: Goal = Channel(view.layer or lens.default_layer, view.channel)
    if view.wished == "class":
        goal = lens.info.class_ids.index(view.wished_class)
    return Task.of(
        tuple(each.network for each in lenses),
        see,
        lenses,
        starts,
        about=view.seed if is_noise else key_of(view.image),
        goal=goal,
        config=ascent(view.reach, view.visual_steps),
    )


def _draw(shown: Shown, current: bool) -> None:
    from app.elements.film import film  # here: it loads torch

    view, result = shown.view, shown.result
    layer = view.layer or cache.load_lens(view.model).default_layer
    st.markdown(f"## {safe(words.heading(view, shown.info, layer))}")
    st.markdown(unbroken(words.verdict(result)))
    film(result.reel, "visualise", level=3, at_end=True)
    with english():  # it stands in the file
        title = f"{words.heading(view, shown.info, layer)}, L2 ε = {view.reach:g}"
    chart_saving.offer_film(result.reel, "visualisation", title)
    table(words.rows(result, view))
    with st.expander(_("How it is measured")):
        st.markdown(_(words.METHOD))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_(words.GRADIENT))
        page_button(
            _("Open Maps"),
            "maps",
            {"maps": ("loss-gradient",)},
            key="visualise.maps",
            icon=":material/visibility:",
            disabled=not current,
        )


workbench.show_page(
    VisualiseView,
    words.QUESTION,
    words.INTRODUCTION,
    slot="visualise",
    controls_of=_controls,
    task=_task,
    draw=_draw,
    needs_picture=lambda: st.session_state[key("begins_with")] == "picture",
)
