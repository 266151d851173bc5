"""The dial of the Anatomy page: one network between two branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.types import INPUT_KINDS
from app.anatomy import controls as anatomy_controls
from app.anatomy import words
from app.anatomy.section import Subject, result
from app.shell import messages
from app.shell.workbench import dark

if TYPE_CHECKING:
    from app.anatomy.work import Blended, Way
    from app.shell.state import View


@st.fragment
def dial(subject: Subject) -> None:
    """The blend of two branches beside both, and its way between them."""
    from advprop_core.anatomy.layers import stages_of_layers
    from app.anatomy import work

    view, lens, found = subject.newest(), subject.lens, subject.found
    st.subheader("From one to the other")
    anatomy_controls.dial(
        view, stages_of_layers(lens.model), subject.auxiliaries, live=subject.current
    )
    way, t = work.way_of(view), view.dial / 100
    blend = work.at_end(found, way, t) or result(
        "dial",
        subject,
        (subject.base, way, t),
        lambda job: work.blended(lens, found, way, t, job),
    )
    if blend is not None:
        _curve(subject, way, blend)
        _blend(subject, blend, view)


def _curve(subject: Subject, way: Way, blend: Blended) -> None:
    from app.anatomy import work
    from app.figures import anatomy as figures
    from app.figures import style

    found = subject.found
    line = result(
        "curve",
        subject,
        (subject.base, way),
        lambda job: work.curve(subject.lens, found, way, job),
    )
    if line is None:
        return
    sentence = words.curve(
        line, found.attacked_class, subject.class_name, found.true_class is not None
    )
    st.markdown(sentence)
    st.plotly_chart(
        figures.curve(
            work.PLACES,
            line,
            blend,
            found.attacked_class,
            dark=dark(),
        ),
        key="anatomy.curve",
        config=style.CONFIG,
        alt=messages.plain(sentence),
    )


def _blend(subject: Subject, blend: Blended, view: View) -> None:
    from app.figures import anatomy as figures
    from app.figures import style

    found, names = subject.found, subject.lens.info.class_names
    drawn = next(iter(found.maps.values()))
    method, second = METHODS[drawn.method], blend.way.second
    # Below the slider and the curve: its lines may be more or fewer while the dial is moved.
    st.markdown(words.dial(found, blend, names))
    for column, kind in zip(st.columns(2, gap="large"), INPUT_KINDS, strict=True):
        with column:
            st.markdown(f"##### {style.COLUMN_TITLES[kind]} picture")
            st.plotly_chart(
                figures.maps(found, blend, second, kind, method.sign, view.opacity / 100),
                key=f"anatomy.maps.{kind}",
                config=style.CONFIG,
                alt=words.maps_alt(method.title, kind, blend, names[drawn.class_index]),
            )
            st.plotly_chart(
                figures.bars(found, blend, second, kind, names, dark=dark()),
                key=f"anatomy.bars.{kind}",
                config=style.CONFIG,
                alt=words.bars_alt(found, blend, kind, names),
            )
    st.caption(words.maps_caption(method, drawn.layer, names[drawn.class_index]))
