"""Visualise: what each branch would like to see, of a class or of a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.language.text import _, english
from app.shell import cache, chart_saving, state, workbench
from app.shell.cache import Lens
from app.shell.layout import page_button, table
from app.shell.messages import safe, unbroken
from app.shell.pictures import key_of
from app.shell.tasks import Shown, Task
from app.visualise import controls, words
from app.visualise.view import VisualiseView

if TYPE_CHECKING:
    from torch import Tensor

    from advprop_core.visualise.goals import Goal


def _task(view: VisualiseView, lens: Lens) -> Task:
    from advprop_core.visualise.ascent import ascent  # here: it loads torch
    from app.visualise.work import see

    lenses = workbench.both_lenses(view, lens)
    is_noise = view.begins_with == "noise"
    return Task.of(
        tuple(each.network for each in lenses),
        see,
        lenses,
        [_start(view, each.info.input_size) for each in lenses],
        about=view.seed if is_noise else key_of(view.image),
        goal=_goal(view, lens),
        config=ascent(view.reach, view.visual_steps),
    )


def _start(view: VisualiseView, side: int) -> Tensor:
    from advprop_core.visualise.ascent import noise_start

    if view.begins_with == "noise":
        return noise_start(side, view.seed)
    return cache.pixels(view.image, side)


def _goal(view: VisualiseView, lens: Lens) -> Goal:
    from advprop_core.visualise.goals import Channel

    if view.wished == "channel":
        return Channel(view.layer or lens.default_layer, view.channel)
    return lens.info.class_ids.index(view.wished_class)


def _draw(shown: Shown, current: bool) -> None:
    from app.elements.film import film  # here: it loads torch

    view, result = shown.view, shown.result
    lens = cache.load_lens(view.model)
    layer = view.layer or lens.default_layer
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
    controls_of=controls.choices,
    task=_task,
    draw=_draw,
    needs_picture=lambda: st.session_state[state.key("begins_with")] == "picture",
)
