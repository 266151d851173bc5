"""The dial of the Anatomy page: one network between two branches."""

from functools import partial

import streamlit as st

from advprop_core.anatomy.dial import Blended, Way, at_end
from advprop_core.anatomy.layers import stages_of_layers
from advprop_core.attribution.methods import METHODS
from advprop_core.types import INPUT_KINDS
from app.anatomy import gap, halves, layers, words, work
from app.anatomy.section import Subject, choice, result
from app.anatomy.view import AnatomyView
from app.figures import anatomy as figures
from app.figures import map_tables
from app.figures.style import COLUMN_TITLES
from app.language.text import _
from app.shell import defects, messages, samples
from app.shell.layout import chart, in_rows, once, tabs
from app.shell.samples import Source


@defects.fragment
def dial(subject: Subject) -> None:
    """The blend of two branches beside both, its way between them, and more in tabs."""
    view, info, comparison = subject.newest(), subject.lens.info, subject.comparison
    st.slider(
        _("From main (0 %) to {branch} (100 %)", branch=view.second),
        0,
        100,
        format="%d %%",
        help=_(
            "Each mean, variance, γ and β moves along a straight line from one branch to the "
            "other. Nobody trained the networks between the two ends."
        ),
        **subject.widget("dial"),
    )
    board_container = st.container()
    # Below what it decides, for most people leave it as it is.
    with st.expander(_("What moves?"), icon=":material/tune:"):
        _what_moves(subject, view)
    view = subject.newest()
    way, t = work.way_of(view, info), view.dial / 100
    source = work.reference_source(view, info)
    st.caption(words.statistics(way, source, samples.class_folders()))
    if source is None:
        samples.uploader("photos", disabled=not subject.current)
    with board_container:
        blend = at_end(comparison, way, t) or result(
            "dial", subject, work.blended, source, way, t, about=subject.base
        )
        if blend is not None:
            _blend(subject, source, way, blend, view)
    if blend is not None and source is not None and way.estimated and 0 < t < 1:
        _offer_file(subject, source, way, t)
    opened, title = tabs(words.PARTS, "looked_into")
    subject.newest()  # into the link
    with opened:
        if title == words.PARTS[0]:
            halves.halves(subject, way, t)
        elif title == words.PARTS[1]:
            layers.layers(subject)
        else:
            gap.gap(subject)


def _what_moves(subject: Subject, view: AnatomyView) -> None:
    """What moves with the dial, and towards which branch."""
    stages, branches = stages_of_layers(subject.lens.model), subject.comparison.branches[1:]
    columns = st.columns([3, 4] if len(branches) < 2 else [3, 4, 2], vertical_alignment="bottom")
    with columns[0]:
        choice(subject, "moved", _("What moves"), words.MOVED, _(words.MOVED_HELP))
    # Stages, and single layers for experts or where a link has chosen some.
    single_layers = stages if view.expert else view.moved_layers
    columns[1].multiselect(
        _("Layers that move"),
        list(dict.fromkeys([*stages.values(), *single_layers])),
        placeholder=_("All layers"),
        help=_(
            "Stages of the network, from input to output. The expert controls also offer single "
            "layers. All other layers keep main's values."
        ),
        **subject.widget("moved_layers"),
    )
    if len(branches) > 1:
        with columns[2]:
            choice(subject, "second", _("Compared with"), {name: name for name in branches})


def _blend(
    subject: Subject, source: Source | None, way: Way, blend: Blended, view: AnatomyView
) -> None:
    """Maps, the way and answers, of main, the blend and the second branch."""
    comparison, names = subject.comparison, subject.lens.info.class_names
    drawn = next(iter(comparison.maps.values()), None)
    method = METHODS[drawn.method if drawn else view.method]
    st.markdown(messages.unbroken(words.dial(comparison, blend, names)))
    mixture = subject.base, blend.way, blend.t
    if drawn:
        pictures, course = (place for place, __ in in_rows("mc", 2, "large", roomy="dial"))
        with pictures:
            opacity = view.opacity / 100
            draw = partial(
                map_tables.blend_table, comparison, blend, method.sign, _(method.title), opacity
            )
            st.html(once("anatomy.maps", (*mixture, opacity), draw))
            st.caption(messages.map_caption([drawn], names))
    else:
        course = st.container()
        if comparison.maps_refused:
            st.caption(messages.not_drawn(_(method.title), comparison.maps_refused))
    with course:
        _curve(subject, source, way, blend)
    for column, kind in in_rows(INPUT_KINDS, 2, "large", roomy="bars"):
        with column:
            st.subheader(_(COLUMN_TITLES[kind]))
            draw_bars = partial(figures.bars, comparison, blend, kind, names)
            figure = once(f"anatomy.bars.{kind}", mixture, draw_bars)
            alt = words.bars_alt(comparison, blend, kind, names)
            chart(figure, f"anatomy.bars.{kind}", alt)


def _curve(subject: Subject, source: Source | None, way: Way, blend: Blended) -> None:
    lines = result("curve", subject, work.curves, source, way, about=subject.base)
    if lines is None:
        return
    followed, is_true = subject.comparison.attacked_class, subject.comparison.true_class is not None
    sentence = words.curve(lines[0], followed, subject.class_name, is_true)
    about = subject.base, lines[0].way, blend.way, blend.t
    draw = partial(figures.curve, lines, blend, followed)
    chart(once("anatomy.curve", about, draw), "anatomy.curve", sentence)
    st.caption(messages.unbroken(sentence))


def _offer_file(subject: Subject, source: Source, way: Way, t: float) -> None:
    """The network at this place as a file; it takes photos to estimate its statistics."""
    share = f"{round(100 * t)} %"
    ask = _("Make a file of the network at {share}", share=share)
    about = subject.lens.network, source, way, t
    data = result("file", subject, work.network_file, source, way, t, about=about, ask=ask)
    if data is not None:
        st.download_button(
            _("Download the network at {share}", share=share),
            data,
            file_name=f"{subject.lens.info.name}-{way.second}-{round(100 * t)}.safetensors",
            key="anatomy.download",
            on_click="ignore",
            help=_("One branch, as a plain timm state dict."),
        )
