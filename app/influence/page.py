"""Influence: which training images a prediction rests on, and which of their labels look wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.report.colours import branch_colour
from app.influence import controls, suspects, words
from app.influence.tiles import tiles
from app.influence.view import PARTS, InfluenceView, sets_for
from app.language.text import _
from app.shell import cache, comparison, network_files, state, workbench
from app.shell.cache import Lens
from app.shell.layout import in_rows, tabs
from app.shell.messages import learnt, plain, safe, unbroken
from app.shell.pictures import key_of
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from app.influence.work import BranchRest, PictureRest

_PICTURE = 120  # px
_FITTING = "shapes-advprop"  # a bundled network whose training images can be drawn


def _task(view: InfluenceView, lens: Lens) -> Task:
    from app.influence.work import TrainingSet, no_training_images, trace_picture  # loads torch

    if not sets_for(lens.info):
        return Task.of((lens.network,), no_training_images, about=None)
    lenses = workbench.both_lenses(view, lens)
    index = comparison.true_class(view, lens.info)
    label = None if index is None else lens.info.class_ids[index]
    return Task.of(
        tuple(each.network for each in lenses),
        trace_picture,
        lenses,
        [cache.pixels(view.image, each.info.input_size) for each in lenses],
        about=key_of(view.image),
        label=cache.picture(view.image, lens.info.input_size).label or label,
        training=TrainingSet(view.trained_on, view.training_images),
        shown=view.shown_images,
    )


def _draw(shown: Shown, current: bool) -> None:
    result, view = shown.result, shown.view
    if not result.branches:
        _alone()
        return
    place, part = tabs(PARTS, "influence_part")
    with place:
        if part == PARTS[0]:
            _rests(result, view)
        else:
            suspects.show(shown, current)


def _rests(result: PictureRest, view: InfluenceView) -> None:
    info = cache.model_info(view.model)
    size = info.input_size
    title = cache.picture(view.image, size).title
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        png = cache.preview(view.image, size)
        st.image(png, width=_PICTURE, output_format="PNG", alt=plain(_(title)))
        sentences = [words.meant(result, view.trained_on), words.verdict(result)]
        st.markdown("\n\n".join(sentences))
    if not result.is_known:  # it may show none of the classes
        st.caption(learnt(info, true_class_known=False))
    for number, rest in enumerate(result.branches):
        _branch(rest, number, several=len({each.model for each in result.branches}) > 1)
    with st.expander(_("How it is measured")):
        st.markdown(_(words.METHOD))


def _branch(rest: BranchRest, number: int, *, several: bool) -> None:
    network = f" · {safe(network_files.title(rest.model))}" if several else ""
    colour = branch_colour(rest.branch)
    st.html(f'<hr style="border:0;border-top:4px solid {colour};margin:0.5rem 0 0">')
    st.markdown(f"## {unbroken(safe(words.helps(rest)))}{network}")
    size = cache.model_info(rest.model).input_size
    sides = (
        ("helpful", _("Helpful (change of the loss without it)"), rest.helpful),
        ("harmful", _("Harmful (change of the loss without it)"), rest.harmful),
    )
    for column, (side, title, examples) in in_rows(sides, 2, "large", roomy=f"rest-{number}"):
        with column:
            st.markdown(f"**{title}**")
            tiles(f"{number}.{side}", examples, rest.model, size)


def _alone() -> None:
    """What can be done for a network whose training images are not here."""
    st.info(_(words.ALONE), icon=":material/info:")
    st.markdown(
        _(
            "Start the app with `advprop app --images DIR`, where DIR has a folder for each "
            "class. Or choose a network that learnt drawn scenes: the app can draw these again."
        )
    )
    if _FITTING in cache.model_files():
        st.button(
            _("Use {network}").format(network=_FITTING),
            type="primary",
            on_click=state.choose,
            kwargs={"model": _FITTING, "image": InfluenceView().image, "true_class": ""},
        )


workbench.show_page(
    InfluenceView,
    words.QUESTION,
    words.INTRODUCTION,
    slot="influence",
    controls_of=controls.choices,
    task=_task,
    draw=_draw,
)
