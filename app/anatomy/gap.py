"""Which layers carry the gap: the part of the Anatomy page that swaps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

from app.anatomy import controls as anatomy_controls
from app.anatomy import gap_words, words
from app.anatomy.section import Subject, result
from app.shell import comparison, controls, messages, samples
from app.shell.workbench import dark

if TYPE_CHECKING:
    from advprop_core.anatomy.gap import By, Gap
    from app.anatomy.view import AnatomyView


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
    here = result(
        "gap",
        subject,
        ((subject.base, view.second), by),
        lambda progress: work.gap_here(subject.lens, subject.comparison, view.second, by, progress),
    )
    if here is not None:
        _gap(subject, here, view.second, "here")
    _gap_over(subject, view, by)


def _gap_over(subject: Subject, view: AnatomyView, by: By) -> None:
    from app.anatomy import work

    st.markdown("##### On many pictures")
    source = samples.source_for(subject.lens.info, work.MEASURED)
    if source is None:
        st.markdown(words.no_photos(samples.class_folders()))
        return
    perturbation = comparison.perturbation(subject.view, subject.lens.info)
    through = subject.view.attack_branch
    about = view.model, view.calibrated, view.second, perturbation, through, source
    over_many = result(
        "gap_over",
        subject,
        (about, by),
        lambda progress: work.gap_over(
            subject.lens, perturbation, through, source, view.second, by, progress
        ),
        ask=gap_words.over(source),
    )
    if over_many is not None:
        _gap(subject, over_many, view.second, "over", source.title)


def _gap(subject: Subject, swaps: Gap, second: str, where: str, pictures: str = "") -> None:
    from advprop_core.anatomy.layers import stages_of_layers
    from app.anatomy import work
    from app.figures import gap as figures
    from app.figures import style

    sentence = gap_words.verdict(swaps, second, subject.class_name, pictures)
    perturbed = "adversarial" in figures.kinds(swaps)
    caption = gap_words.caption(
        swaps,
        second,
        controls.describe(subject.view) if perturbed else "",
        words.pictures(work.reference_source(subject.lens.info)),
    )
    st.markdown(sentence)
    if swaps.by == "layer":
        st.plotly_chart(
            figures.strip(swaps, second, stages_of_layers(subject.lens.model), dark=dark()),
            key=f"anatomy.gap.{where}",
            config=style.CONFIG,
            alt=messages.plain(sentence),
        )
        st.caption(caption)
        return
    for column, order in zip(st.columns(3, gap="medium"), figures.ORDER_TITLES, strict=True):
        column.plotly_chart(
            figures.bars(swaps, order, second, dark=dark()),
            key=f"anatomy.gap.{where}.{order}",
            config=style.CONFIG,
            alt=gap_words.alt(swaps, order, second),
        )
    st.caption(caption)
