"""Which half of the norm carries robustness: measured mixtures beside the dial."""

import streamlit as st

from advprop_core.anatomy.dial import Way
from app.anatomy import halves_words, words, work
from app.anatomy.section import Subject, result
from app.anatomy.work import Halves
from app.figures import halves as figures
from app.language.text import _
from app.shell import cache, samples
from app.shell.layout import chart, in_rows
from app.shell.messages import unbroken


def halves(subject: Subject, way: Way, t: float) -> None:
    """Accuracies along the dial, and of γ and β with statistics of four kinds."""
    st.subheader(_("Which half makes a branch robust?"))
    st.markdown(_(halves_words.INTRODUCTION))
    rows, pictures, origin = _bundled(subject, way.second), halves_words.PICTURES, ""
    if rows is not None:
        origin = halves_words.BUNDLED
    else:
        source = samples.source_for(subject.lens.info, work.MEASURED, subject.view.photos)
        if source is None:
            st.markdown(samples.no_photos(samples.class_folders()))
            return
        pictures = source.title
        about = subject.lens.network, subject.view.calibrated
        ask = _("Measure both halves over {pictures}").format(pictures=words.pictures(source))
        rows = result("halves", subject, work.halves_over, source, way.second, about=about, ask=ask)
    if rows is not None:
        _draw(rows, way, t, pictures, origin)


def _draw(rows: Halves, way: Way, t: float, pictures: str, origin: str) -> None:
    attack = words.attack(work.ATTACK)
    st.markdown(unbroken(halves_words.verdict(rows, way.second, attack, pictures)))
    for column, branch in in_rows(("main", way.second), 2, "large", roomy="halves"):
        table = halves_words.table(rows, branch, way.second)
        with column:
            figure = figures.bars(table, branch)
            chart(figure, f"anatomy.halves.{branch}", halves_words.alt(branch, table))
    st.caption(halves_words.caption(attack, origin))
    sentence = halves_words.line(rows, way.second)
    st.markdown(unbroken(sentence))
    here = t if way.whole else None
    figure = figures.line(*work.lines_of(rows), Way(way.second), here)
    chart(figure, "anatomy.accuracies", sentence)


def _bundled(subject: Subject, second: str) -> Halves | None:
    """What comes with the app about this network, unless its branch was made here."""
    name = subject.lens.network.name
    if subject.view.calibrated or name not in cache.model_files():
        return None
    return work.bundled_halves(cache.file_of(name), name, second)
