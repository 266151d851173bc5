"""The dial of the Anatomy page: one network between two branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.types import INPUT_KINDS
from app.anatomy import controls as anatomy_controls
from app.anatomy import halves as anatomy_halves
from app.anatomy import words
from app.anatomy.section import Subject, result
from app.shell import messages, samples
from app.shell.workbench import dark

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Blended, Way
    from app.anatomy.view import AnatomyView


@st.fragment
def dial(subject: Subject) -> None:
    """The blend of two branches beside both, and its way between them."""
    from advprop_core.anatomy.dial import at_end
    from advprop_core.anatomy.layers import stages_of_layers
    from app.anatomy import work

    view, lens, comparison = subject.newest(), subject.lens, subject.comparison
    st.subheader("From one to the other")
    anatomy_controls.dial(
        view, stages_of_layers(lens.model), subject.auxiliaries, live=subject.current
    )
    way, t = work.way_of(view, lens.info), view.dial / 100
    source = work.reference_source(lens.info)
    st.caption(words.statistics(way, source, samples.class_folders()))
    blend = at_end(comparison, way, t) or result(
        "dial",
        subject,
        (subject.base, way, t),
        lambda progress: work.blended(lens, comparison, way, t, progress),
    )
    if blend is not None:
        _curve(subject, way, blend)
        _blend(subject, blend, view)
        _offer_file(subject, way, t)
    anatomy_halves.halves(subject, way, t)


def _curve(subject: Subject, way: Way, blend: Blended) -> None:
    from app.anatomy import work
    from app.figures import anatomy as figures
    from app.figures import style

    comparison = subject.comparison
    lines = result(
        "curve",
        subject,
        (subject.base, way),
        lambda progress: work.curves(subject.lens, comparison, way, progress),
    )
    if lines is None:
        return
    sentence = words.curve(
        lines[0],
        comparison.attacked_class,
        subject.class_name,
        comparison.true_class is not None,
    )
    st.markdown(sentence)
    st.plotly_chart(
        figures.curve(lines, blend, comparison.attacked_class, dark=dark()),
        key="anatomy.curve",
        config=style.CONFIG,
        alt=messages.plain(sentence),
    )


def _blend(subject: Subject, blend: Blended, view: AnatomyView) -> None:
    from app.figures import anatomy as figures
    from app.figures import style

    comparison, names = subject.comparison, subject.lens.info.class_names
    drawn = next(iter(comparison.maps.values()))
    method, second = METHODS[drawn.method], blend.way.second
    # Below the slider and the curve: its lines may be more or fewer while the dial is moved.
    st.markdown(words.dial(comparison, blend, names))
    for column, kind in zip(st.columns(2, gap="large"), INPUT_KINDS, strict=True):
        with column:
            st.markdown(f"##### {style.COLUMN_TITLES[kind]} picture")
            st.plotly_chart(
                figures.maps(comparison, blend, second, kind, method.sign, view.opacity / 100),
                key=f"anatomy.maps.{kind}",
                config=style.CONFIG,
                alt=words.maps_alt(method.title, kind, blend, names[drawn.class_index]),
            )
            st.plotly_chart(
                figures.bars(comparison, blend, second, kind, names, dark=dark()),
                key=f"anatomy.bars.{kind}",
                config=style.CONFIG,
                alt=words.bars_alt(comparison, blend, kind, names),
            )
    st.caption(words.maps_caption(method, drawn.layer, names[drawn.class_index]))


def _offer_file(subject: Subject, way: Way, t: float) -> None:
    """The network at this place as a file; it takes photos to estimate its statistics."""
    from app.anatomy import work

    if not way.estimated or not 0 < t < 1:
        return
    data = result(
        "file",
        subject,
        ((subject.lens.network, way, t),),
        lambda progress: work.network_file(subject.lens, way, t, progress),
        ask=words.file_offer(t),
    )
    if data is not None:
        st.download_button(
            f"Download the network at {round(100 * t)} %",
            data,
            file_name=f"{subject.lens.info.name}-{way.second}-{round(100 * t)}.safetensors",
            key="anatomy.download",
            on_click="ignore",
            help="One branch, as a plain timm state dict.",
        )
