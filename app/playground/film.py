"""The film of the attack studio: how does the attack get there, step by step?"""

from dataclasses import replace
from typing import Any

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.compare.film import make_film
from app.elements.film import film as element
from app.figures.reel import Reel, make_reel
from app.language.text import _, english
from app.playground import words
from app.shell import cache, chart_saving, comparison, controls, tasks
from app.shell.jobs import Report
from app.shell.tasks import Shown, Task


def draw(playground: Shown) -> None:
    """The pictures of every step under a slider, and buttons to save them."""
    view, info = playground.view, playground.info
    lens, filmed_view = cache.load_lens(view.model), replace(view, method=_method(view.method))
    task = Task.of(
        (lens.network,),
        filmed,
        lens.branches,
        playground.result.clean[None],
        about=playground.task.about,
        names=info.class_names,
        opacity=view.opacity / 100,
        config=comparison.attack_config(view, info),
        attack_branch=view.attack_branch,
        true_class=playground.result.true_class,
        maps=comparison.map_request(filmed_view, lens, one_class=True),
    )
    shown = tasks.answer("studio.film", task, view, info, playground.title)
    if shown is None:
        return
    attack = controls.describe(shown.view, shown.info)
    element(shown.result)
    method = METHODS[_method(shown.view.method)]
    st.caption(words.how_filmed(shown.result, attack, _(method.title), shown.info.class_names))
    if method.name != shown.view.method:
        st.caption(
            _(
                "{title} would take too long for every frame.",
                title=_(METHODS[shown.view.method].title),
            )
        )
    with english():  # it stands in the file
        about = f"{shown.title}. {controls.describe(shown.view, shown.info)}"
    chart_saving.offer_film(shown.result, "attack", about)


def _method(chosen: str) -> str:
    """The map of every frame: the chosen one, or Grad-CAM where that takes long."""
    return chosen if METHODS[chosen].cost == "fast" else "grad-cam"


def filmed(
    *inputs: Any, names: tuple[str, ...], opacity: float, maps: Any, progress: Report, **attack: Any
) -> Reel:
    """The film of an attack as small pictures, for tensors would fill the memory."""
    film = make_film(*inputs, **attack, maps=maps, progress=lambda share: progress(0.9 * share))
    return make_reel(film, names, METHODS[maps.method].sign, opacity)
