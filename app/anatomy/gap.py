"""Which layers carry the gap: the part of the Anatomy page that swaps them."""

from typing import cast

import streamlit as st

from advprop_core.anatomy.gap import By, Gap
from advprop_core.anatomy.layers import stages_of_layers
from app.anatomy import controls as anatomy_controls
from app.anatomy import gap_words, words, work
from app.anatomy.section import Subject, result
from app.anatomy.view import AnatomyView
from app.figures import gap as figures
from app.language.text import _
from app.shell import comparison, controls, samples
from app.shell.layout import chart, in_rows
from app.shell.messages import unbroken


def gap(subject: Subject) -> None:
    """What swaps of stages or layers do, on this picture and, if asked for, on many."""
    view = subject.newest()
    second, by = view.second, cast("By", view.gap_by)
    st.subheader(_(words.PARTS[2]))
    st.markdown(_(gap_words.INTRODUCTION))
    anatomy_controls.choice("gap_by", _("What is swapped"), words.SWAPPED_BY, view, subject.current)
    st.markdown(_("#### On this picture"))
    used = work.reference_source(view, subject.lens.info)
    here = result("gap", subject, work.gap_here, used, second, by, about=(subject.base, second))
    if here is not None:
        _gap(subject, here, second, "here")
    _gap_over(subject, view, by)


def _gap_over(subject: Subject, view: AnatomyView, by: By) -> None:
    st.markdown(_("#### On many pictures"))
    source = samples.source_for(subject.lens.info, work.MEASURED, view.photos)
    if source is None:
        st.markdown(samples.no_photos(samples.class_folders()))
        return
    perturbation = comparison.perturbation(subject.view, subject.lens.info)
    inputs = perturbation, subject.view.attack_branch, source, view.second
    about = view.model, view.calibrated, inputs
    ask = _("Measure it over {pictures}").format(pictures=words.pictures(source))
    over_many = result("gap_over", subject, work.gap_over, *inputs, by, about=about, ask=ask)
    if over_many is not None:
        _gap(subject, over_many, view.second, "over", source.title)


def _gap(subject: Subject, swaps: Gap, second: str, where: str, pictures: str = "") -> None:
    sentence = gap_words.verdict(swaps, second, subject.class_name, pictures)
    st.markdown(unbroken(sentence))
    if swaps.by == "layer":
        stages = stages_of_layers(subject.lens.model)
        figure = figures.strip(swaps, second, stages)
        chart(figure, f"anatomy.gap.{where}", sentence)
    else:
        for column, order in in_rows(figures.ORDER_TITLES, 3, roomy=f"gap-{where}"):
            with column:
                figure = figures.bars(swaps, order, second)
                alt = gap_words.alt(swaps, order, second)
                chart(figure, f"anatomy.gap.{where}.{order}", alt)
    is_perturbed = "adversarial" in figures.kinds(swaps)
    perturbation = controls.describe(subject.view, subject.lens.info) if is_perturbed else ""
    estimated_on = words.pictures(work.reference_source(subject.view, subject.lens.info))
    st.caption(gap_words.caption(swaps, second, perturbation, estimated_on))
