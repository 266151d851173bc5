"""Which half of the norm carries robustness: measured mixtures beside the dial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.anatomy import halves_words, words
from app.anatomy.section import Subject, result
from app.shell import cache, messages, samples
from app.shell.workbench import dark

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Way
    from app.anatomy.work import Halves


def halves(subject: Subject, way: Way, t: float) -> None:
    """Accuracies along the dial, and of γ and β with statistics of four kinds."""
    from app.anatomy import work

    st.markdown("##### Which half carries the robustness?")
    st.markdown(halves_words.INTRODUCTION)
    rows, pictures, origin = _bundled(subject, way.second), "validation pictures", ""
    if rows is None:
        source = samples.source_for(subject.lens.info, work.MEASURED)
        if source is None:
            st.markdown(words.no_photos(samples.class_folders()))
            return
        networks = subject.lens.network, subject.view.calibrated, way.second, source
        pictures = source.title
        rows = result(
            "halves",
            subject,
            (networks,),
            lambda progress: work.halves_over(subject.lens, source, way.second, progress),
            ask=halves_words.over(source),
        )
    else:
        origin = halves_words.BUNDLED
    if rows is not None:
        _draw(rows, way, t, pictures, origin)


def _draw(rows: Halves, way: Way, t: float, pictures: str, origin: str) -> None:
    from advprop_core.anatomy.dial import Way
    from app.anatomy import work
    from app.figures import halves as figures
    from app.figures import style

    attack = words.attack(work.ATTACK)
    st.markdown(halves_words.verdict(rows, way.second, attack, pictures))
    for column, branch in zip(st.columns(2, gap="large"), ("main", way.second), strict=True):
        table = halves_words.table(rows, branch, way.second)
        column.plotly_chart(
            figures.bars(table, branch, dark=dark()),
            key=f"anatomy.halves.{branch}",
            config=style.CONFIG,
            alt=halves_words.alt(branch, table),
        )
    st.caption(halves_words.caption(attack, origin))
    sentence = halves_words.line(rows, way.second)
    st.markdown(sentence)
    st.plotly_chart(
        figures.line(*work.lines_of(rows), Way(way.second), t if way.whole else None, dark=dark()),
        key="anatomy.accuracies",
        config=style.CONFIG,
        alt=messages.plain(sentence),
    )


def _bundled(subject: Subject, second: str) -> Halves | None:
    """What comes with the app about this network, unless its branch was made here."""
    from app.anatomy import work

    name = subject.lens.network.name
    if subject.view.calibrated or name not in cache.model_files():
        return None
    return work.bundled_halves(cache.model_files()[name], name, second)
