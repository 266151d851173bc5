"""The dial of the Anatomy page: one network between two branches."""

from __future__ import annotations

import streamlit as st

from advprop_core.anatomy.dial import Blended, Way, at_end
from advprop_core.anatomy.layers import stages_of_layers
from advprop_core.attribution.methods import METHODS
from advprop_core.types import INPUT_KINDS
from app.anatomy import controls as anatomy_controls
from app.anatomy import halves as anatomy_halves
from app.anatomy import words, work
from app.anatomy.section import Subject, result
from app.anatomy.view import AnatomyView
from app.figures import anatomy as figures
from app.figures.style import COLUMN_TITLES
from app.shell import defects, messages, samples
from app.shell.layout import chart
from app.shell.workbench import dark


@defects.fragment
def dial(subject: Subject) -> None:
    """The blend of two branches beside both, and its way between them."""
    view, info, comparison = subject.newest(), subject.lens.info, subject.comparison
    st.subheader("From one to the other")
    stages, auxiliaries = stages_of_layers(subject.lens.model), comparison.branches[1:]
    anatomy_controls.dial(view, stages, auxiliaries, subject.current)
    way, t = work.way_of(view, info), view.dial / 100
    st.caption(words.statistics(way, work.reference_source(info), samples.class_folders()))
    blend = at_end(comparison, way, t) or result(
        "dial", subject, work.blended, way, t, about=subject.base
    )
    if blend is not None:
        _curve(subject, way, blend)
        _blend(subject, blend, view)
        _offer_file(subject, way, t)
    anatomy_halves.halves(subject, way, t)


def _curve(subject: Subject, way: Way, blend: Blended) -> None:
    lines = result("curve", subject, work.curves, way, about=subject.base)
    if lines is None:
        return
    followed, is_true = subject.comparison.attacked_class, subject.comparison.true_class is not None
    sentence = words.curve(lines[0], followed, subject.class_name, is_true)
    st.markdown(sentence)
    chart(figures.curve(lines, blend, followed, dark=dark()), "anatomy.curve", sentence)


def _blend(subject: Subject, blend: Blended, view: AnatomyView) -> None:
    comparison, names = subject.comparison, subject.lens.info.class_names
    drawn = next(iter(comparison.maps.values()), None)
    method = METHODS[drawn.method if drawn else view.method]
    # Below the slider and the curve: its lines may be more or fewer while the dial is moved.
    st.markdown(words.dial(comparison, blend, names))
    for column, kind in zip(st.columns(2, gap="large"), INPUT_KINDS, strict=True):
        with column:
            st.markdown(f"##### {COLUMN_TITLES[kind]} picture")
            if drawn:
                chart(
                    figures.maps(comparison, blend, kind, method.sign, view.opacity / 100),
                    f"anatomy.maps.{kind}",
                    words.maps_alt(method.title, kind, blend, names[drawn.class_index]),
                )
            chart(
                figures.bars(comparison, blend, kind, names, dark=dark()),
                f"anatomy.bars.{kind}",
                words.bars_alt(comparison, blend, kind, names),
            )
    if drawn:
        st.caption(messages.map_caption([drawn], names))
    elif comparison.maps_refused:
        st.caption(messages.not_drawn(method.title, comparison.maps_refused))


def _offer_file(subject: Subject, way: Way, t: float) -> None:
    """The network at this place as a file; it takes photos to estimate its statistics."""
    if not way.estimated or not 0 < t < 1:
        return
    share = f"{round(100 * t)} %"
    ask, about = f"Make a file of the network at {share}", (subject.lens.network, way, t)
    data = result("file", subject, work.network_file, way, t, about=about, ask=ask)
    if data is not None:
        st.download_button(
            f"Download the network at {share}",
            data,
            file_name=f"{subject.lens.info.name}-{way.second}-{round(100 * t)}.safetensors",
            key="anatomy.download",
            on_click="ignore",
            help="One branch, as a plain timm state dict.",
        )
