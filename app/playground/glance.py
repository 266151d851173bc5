"""A comparison at a glance: what happened in a sentence, pictures, answers and maps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from advprop_core.types import Comparison, ModelInfo
from app.language.text import N_, _
from app.shell import cache, comparison, controls, messages, state, tasks
from app.shell.layout import once
from app.shell.pictures import is_foreign
from app.shell.tasks import Shown
from app.shell.view import View

# What is measured on the perturbed picture, and how.
_FACTS = {
    N_("Largest change"): N_("of any colour value (L∞)"),
    N_("Length"): N_("of the whole change (L2)"),
    N_("Range of colours"): N_("0 is black, 1 is white"),
    N_("Saved as PNG"): N_("rounded to 256 levels"),
}


def show(shown: Shown, slot: str, *, is_half: bool = False) -> Shown | None:
    """All of it on one screen; returns the maps, once they are there.

    Args:
        shown: A comparison.
        slot: Under which it is kept.
        is_half: Whether another one stands beside it.
    """
    result, info = shown.result, shown.info
    target = comparison.target_class(shown.view, info)
    heading, answers = messages.verdict(result, info.class_names, target)
    with st.container():  # sentences come and go without moving what is below them
        if is_foreign(shown.view.image, info):
            st.warning(messages.foreign(info, _(shown.title)), icon=":material/help:")
        elif warning := messages.unfamiliar(result, info):
            st.warning(warning, icon=":material/help:")
        st.markdown(f"## {heading}")
        st.caption(" ".join(_remarks(result, info)))
    at_a_glance = st.container()
    with st.container():  # progress comes and goes without moving what is below it
        task = comparison.maps_task(shown, cache.load_lens(shown.view.model))
        drawn = tasks.answer(f"{slot}.maps", task, shown.view, shown.info)
    with at_a_glance:
        _board(shown, drawn, answers, slot, is_half)
    return drawn


def _remarks(result: Comparison, info: ModelInfo) -> list[str]:
    """What the heading alone would let one overlook."""
    alone = [_(messages.ONE_NORM)] if len(result.branches) == 1 else []
    one_attack = messages.one_attack(result)
    close_classes = messages.close_classes(result, info)
    return [*alone, *([one_attack] if one_attack else []), *close_classes]


def outline(view: View, info: ModelInfo) -> None:
    """The clean picture, and the places of all that will be there once torch is loaded."""
    from app.elements.board import board
    from app.figures import board as figures

    st.markdown(_("## The network is being loaded …"))
    title = _(cache.picture(view.image, info.input_size).title)
    picture = cache.preview(view.image, info.input_size)
    pictures, branches = figures.outline(picture, title, list(info.branches))
    board("outline", label=_("Soon here"), pictures=pictures, branches=branches, maps={})


def _board(
    shown: Shown, drawn: Shown | None, said: Mapping[str, str], slot: str, is_half: bool
) -> None:
    from app.elements.board import board
    from app.figures import board as figures

    result, names = shown.result, shown.info.class_names
    words = controls.describe(shown.view, shown.info)
    pictures = once(
        f"{slot}.pictures",
        (shown.task, shown.title, words),
        lambda: figures.pictures(result, _(shown.title), words),
    )
    facts = result.facts
    values = (
        f"{facts.linf * 255:.2f}/255",
        f"{facts.l2:.2f}",
        _("{low:.2f} to {high:.2f}").format(low=facts.low, high=facts.high),
        _("same answers") if all(facts.survives_png.values()) else _("other answers"),
    )
    board(
        slot,
        label={"playground": _("Now"), "beside": _("Kept")}[slot],
        pictures=pictures,
        branches=figures.branches(result, names, said),
        maps={} if drawn is None else _maps(drawn, slot),
        facts=[
            {"title": _(title), "value": value, "help": _(help)}
            for (title, help), value in zip(_FACTS.items(), values, strict=True)
        ],
        isOld=drawn is not None and drawn.task.about != shown.task,  # maps of a comparison before
        isHalf=is_half,
    )


def _maps(drawn: Shown, slot: str) -> dict[str, list[dict[str, str]]] | None:
    """Branch to its maps; None where there are none."""
    from app.figures import board as figures

    if drawn.result.maps_refused:
        return None
    look = drawn.view.scale, drawn.view.opacity / 100
    draw = partial(figures.maps, drawn.result, drawn.info.class_names, *look)
    return once(f"{slot}.maps", (drawn.task, *look), draw)


def say_of_maps(shown: Shown) -> None:
    """What maps show, and how to see them otherwise."""
    from advprop_core.attribution.methods import METHODS

    maps, method = shown.result.maps, METHODS[shown.view.method]
    if shown.result.maps_refused:
        reason = messages.not_drawn(_(method.title), shown.result.maps_refused)
        st.warning(reason, icon=":material/block:")
        return
    caption = messages.map_caption(maps.values(), shown.info.class_names, shown.view.scale)
    remarks = once("maps.remarks", shown.task, lambda: messages.faint_maps(maps))
    for sentence in [caption, *remarks]:
        st.caption(sentence)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls.scale()
        if method.needs_layer:
            _grid(shown)
    with st.expander(_("How to read these maps")):
        st.markdown(_(method.sentence))


def _grid(shown: Shown) -> None:
    """Maps with more cells, and back."""
    lens = cache.load_lens(shown.view.model)
    finer = lens.finer_layer
    if not finer or shown.view.layer not in ("", lens.default_layer, finer):
        return  # a layer that was chosen by hand may be finer still
    is_finer = shown.view.layer == finer
    st.button(
        _("Coarser maps") if is_finer else _("Finer maps"),
        key="maps.grid",
        icon=":material/grid_view:" if is_finer else ":material/grid_on:",
        help=_("An earlier layer gives maps with more cells, but it reacts less to whole objects."),
        on_click=state.choose,
        kwargs={"layer": "" if is_finer else finer},
    )
