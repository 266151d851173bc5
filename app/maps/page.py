"""Maps: where each branch looked, by several kinds of map, and whether they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.attribution.methods import METHODS
from advprop_core.errors import InputError
from advprop_core.types import ModelInfo
from app.language.text import N_, _, join
from app.maps import controls as map_controls
from app.maps import words
from app.maps.view import MapsView, ask, asked
from app.shell import cache, comparison, controls, messages, state, tasks, workbench
from app.shell.cache import Lens
from app.shell.layout import chart, in_rows, once, table
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from advprop_core.faithfulness.trust import Cell, Trust
    from app.maps.map_set import MapSet

QUESTION = N_("Where did each branch look, and can the maps be trusted?")
INTRODUCTION = N_(
    "Each kind of map defines *looking* in its own way. This page shows several kinds side by "
    "side, and their differences. All branches and both pictures share one class, layer and "
    "colour scale."
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
        raise InputError(_("No map is chosen. Choose at least one."))
    return comparison.picture_task(
        view, lens, make_map_set, lens.branches, methods=view.maps, **_made(view, lens, view.maps)
    )


def _made(view: MapsView, lens: Lens, methods: Sequence[str]) -> dict[str, Any]:
    """What decides maps of these kinds, besides the pictures."""
    return {
        "layer": comparison.layer_of(view, lens, methods),
        "class_index": comparison.explained(view, lens.info, one_class=True),
    }


def _draw(shown: Shown, current: bool) -> None:
    from app.figures import map_tables as figures

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
        draw = partial(figures.strip_table, map_set.comparison, map_set.stages, strips, opacity)
        st.html(once("maps.strip", (shown.task, opacity), draw))
        st.caption(words.strip(map_set.stages))
    if map_set.maps:
        _trust(shown, map_set, current)


def _method(map_set: MapSet, name: str, shown: Shown) -> None:
    from app.figures import map_tables as figures

    method, maps = METHODS[name], map_set.of(name)
    title = _(method.title)
    st.subheader(title)
    opacity, pictures = shown.view.opacity / 100, map_set.comparison
    draw = partial(figures.method_table, pictures, maps, method.sign, title, opacity)
    st.html(once(f"maps.{name}", (shown.task, opacity), draw))
    st.caption(messages.map_caption(maps.values(), shown.info.class_names))
    for sentence in once(f"maps.remarks.{name}", shown.task, partial(_remarks, map_set, name)):
        st.markdown(messages.unbroken(sentence))
    with st.expander(_("How to read this map")):
        st.markdown(_(method.sentence))


def _remarks(map_set: MapSet, name: str) -> list[str]:
    """How far branches agree, and which maps are empty or weak."""
    maps, agreement = map_set.of(name), words.agreement(map_set, name)
    agreements = [agreement] if agreement else []
    return [*agreements, *messages.faint_maps(maps)]


# -- whether to trust them -------------------------------------------------------------------------


def _trust(shown: Shown, map_set: MapSet, current: bool) -> None:
    st.subheader(_("Can these maps be trusted?"))
    st.markdown(_(words.TRUST))
    to_check = [method for method in map_set.methods if method in asked(shown.view)]
    checks = _checked(shown, map_set, to_check)
    if others := [_(METHODS[method].title) for method in map_set.methods if method not in to_check]:
        st.button(
            _("Check {others} too").format(others=join(others))
            if to_check
            else _("Check these maps"),
            key="maps.check",
            icon=":material/fact_check:",
            disabled=not current,
            on_click=state.choose,  # in the link, so that a reload finds it
            kwargs={"checked": ask(shown.view)},
        )
    if checks:
        _checks(map_set, checks)


def _checked(shown: Shown, map_set: MapSet, methods: Sequence[str]) -> Mapping[Cell, Trust]:
    """What the checks of these maps found so far.

    Each kind of map is a task of its own, so that another kind beside it does not undo it. The
    first that is still coming shows its progress; those behind it show when it is done.
    """
    lens = cache.load_lens(shown.view.model)
    named = {f"trust.{method}": _check(shown, map_set, lens, method) for method in methods}
    jobs = {
        slot: tasks.submit(slot, task)
        for slot, task in named.items()
        if not tasks.is_stopped(slot, task)
    }
    checks: dict[Cell, Trust] = {}
    for slot, task in named.items():
        shown_check = tasks.answer(slot, task, same_inputs=True)
        if shown_check is not None:
            checks |= shown_check.result
        elif slot in jobs and not jobs[slot].done:
            break
    return checks


def _check(shown: Shown, map_set: MapSet, lens: Lens, method: str) -> Task:
    """The checks of one kind of map; what other kinds stand beside it does not matter."""
    from app.maps.map_set import trust

    mask = cache.mask(shown.view.image, shown.info.input_size)
    decisive = comparison.perturbing(shown.view, lens.info) | _made(shown.view, lens, [method])
    about = (shown.task.about, *sorted(decisive.items()))
    return Task.of((lens.network,), trust, map_set, lens.branches, mask, about=about, method=method)


def _checks(map_set: MapSet, checks: Mapping[Cell, Trust]) -> None:
    from app.maps import checked

    methods = list(dict.fromkeys(cell[0] for cell in checks))
    for method in methods:
        st.markdown(checked.verdict(checks, method))
    table(checked.row(*check) for check in checks.items())
    for sentence in checked.undefined(checks):
        st.caption(sentence)
    st.markdown(_("#### What the columns mean"))
    st.markdown(_(checked.COLUMNS))
    st.markdown(_("#### How does the probability of the class change, pixel by pixel?"))
    tabs = st.tabs([_(METHODS[method].title) for method in methods])
    for tab, method in zip(tabs, methods, strict=True):
        with tab:
            _curves(map_set, checks, method)


def _curves(map_set: MapSet, checks: Mapping[Cell, Trust], method: str) -> None:
    from app.figures import maps as figures
    from app.maps import checked

    lines = checked.curves(checks, method)
    for column, walk in in_rows(figures.WALKS, 2, "large", roomy=f"curves-{method}"):
        with column:
            st.markdown(f"**{_(walk.title())}**")
            figure = figures.curves(lines, map_set.comparison.branches, walk)
            alt = _("{walk} curves of {title}").format(
                walk=_(walk.title()), title=_(METHODS[method].title)
            )
            chart(figure, f"curves.{method}.{walk}", alt)
    st.caption(_(words.CURVES))


workbench.show_page(
    MapsView,
    QUESTION,
    INTRODUCTION,
    slot="maps",
    controls_of=_controls,
    task=_task,
    draw=_draw,
)
