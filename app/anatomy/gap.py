"""Which layers carry the gap: the part of the Anatomy page that swaps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

from app.anatomy import controls as anatomy_controls
from app.anatomy import gap_words, words
from app.anatomy import samples as anatomy_data
from app.anatomy.section import Subject, result
from app.shell import controls, messages
from app.shell.workbench import dark

if TYPE_CHECKING:
    from advprop_core.anatomy.gap import By
    from app.anatomy.work import Gap
    from app.shell.state import View


@st.fragment
def gap(subject: Subject) -> None:
    """What swaps of stages or layers do, on this picture and, if asked for, on many."""
    from app.anatomy import work

    view = subject.newest()
    by = cast("By", view.gap_by)
    st.subheader("Which layers carry the gap?")
    st.markdown(gap_words.INTRODUCTION)
    anatomy_controls.gap_by(view, live=subject.current)
    st.markdown("##### On this picture")
    found = result(
        "gap",
        subject,
        ((subject.base, view.second), by),
        lambda job: work.gap_here(subject.lens, subject.found, view.second, by, job),
    )
    if found is not None:
        _gap(subject, found, view.second, "here")
    _gap_over(subject, view, by)


def _gap_over(subject: Subject, view: View, by: By) -> None:
    from app.anatomy import work

    st.markdown("##### On many pictures")
    source = anatomy_data.source_for(subject.lens.info, anatomy_data.MEASURED)
    if source is None:
        st.markdown(words.no_photos(anatomy_data.class_folders()))
        return
    request = subject.request
    subjects = view.model, view.calibrated, view.second
    about = *subjects, request.perturbation, request.attack_branch, source
    found = result(
        "gap_over",
        subject,
        (about, by),
        lambda job: work.gap_over(subject.lens, request, source, view.second, by, job),
        ask=gap_words.over(source),
    )
    if found is not None:
        _gap(subject, found, view.second, "over", source.title)


def _gap(subject: Subject, found: Gap, second: str, where: str, pictures: str = "") -> None:
    from advprop_core.anatomy.layers import stages_of_layers
    from app.figures import gap as figures
    from app.figures import style

    sentence = gap_words.verdict(found, second, subject.class_name, pictures)
    perturbed = "adversarial" in figures.kinds(found)
    caption = gap_words.caption(found, second, controls.describe(subject.view) if perturbed else "")
    st.markdown(sentence)
    if found.by == "layer":
        st.plotly_chart(
            figures.strip(found, second, stages_of_layers(subject.lens.model), dark=dark()),
            key=f"anatomy.gap.{where}",
            config=style.CONFIG,
            alt=messages.plain(sentence),
        )
        st.caption(caption)
        return
    for column, order in zip(st.columns(3, gap="medium"), figures.ORDER_TITLES, strict=True):
        column.plotly_chart(
            figures.bars(found, order, second, dark=dark()),
            key=f"anatomy.gap.{where}.{order}",
            config=style.CONFIG,
            alt=gap_words.alt(found, order, second),
        )
    st.caption(caption)
