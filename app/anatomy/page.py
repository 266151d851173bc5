"""Anatomy: what the norm layers of two branches have in them, and what each is good for."""

from functools import partial

import streamlit as st

from advprop_core.types import ModelInfo
from app.anatomy import words
from app.anatomy.section import Subject
from app.anatomy.view import AnatomyView
from app.language.text import _
from app.shell import cache, comparison, controls, samples, state, workbench
from app.shell.cache import Lens
from app.shell.layout import image
from app.shell.samples import Source
from app.shell.tasks import Shown, Task


def _settle(lens: Lens) -> None:
    """Replace what the network does not have."""
    from advprop_core.anatomy.layers import stages_of_layers

    auxiliaries = list(lens.info.branches)[1:] or ["aux"]
    if len(lens.info.branches) > 1 or _source(state.current(), lens.info) is None:
        state.keep_within("calibrated", [False])
    state.keep_within("second", auxiliaries)
    stages = stages_of_layers(lens.model)
    state.keep_within("norm_layer", ["", *stages])
    asked = st.session_state[state.key("moved_layers")]
    available = tuple(name for name in asked if name in {*stages, *stages.values()})
    state.keep_within("moved_layers", [available])


def _source(view: AnatomyView, info: ModelInfo) -> Source | None:
    """What a branch can be calibrated with, if there is anything."""
    return samples.source_for(info, words.CALIBRATED_ON, view.photos)


def _calibrated_with(view: AnatomyView, info: ModelInfo) -> Source | None:
    """What a branch is calibrated with before the network can be looked into, if one is."""
    return _source(view, info) if view.calibrated and len(info.branches) == 1 else None


def _task(view: AnatomyView, lens: Lens) -> Task:
    source = _calibrated_with(view, lens.info)
    maps = comparison.map_request(view, lens, one_class=True)
    if source is None:
        return comparison.comparison_task(view, lens, maps)
    from app.anatomy.work import compare_calibrated  # here: it loads torch

    store = cache.calibrated_lenses()
    return comparison.picture_task(
        view,
        lens,
        compare_calibrated,
        lens,
        source,
        store,
        about=store.key((lens.network, source)),
        maps=maps,
    )


def _draw(shown: Shown, current: bool) -> None:
    from app.anatomy import dial  # here: it loads torch

    lens = cache.load_lens(shown.view.model)
    source = _calibrated_with(shown.view, lens.info)
    if source is not None:
        calibrated = cache.calibrated_lenses().get((lens.network, source))
        if calibrated is None:  # others have calibrated since; the next run makes it again
            return
        lens = calibrated
    if len(lens.info.branches) == 1:
        _offer(shown, current)
        return
    workbench.say_verdict(shown.result, shown.view, lens.info)
    if source is not None:
        left, right = st.columns([5, 1], vertical_alignment="center")
        n = lens.info.recipe["calibration"]["images"]
        left.info(words.calibrated(n, source), icon=":material/info:")
        forget = partial(state.choose, calibrated=False)
        right.button(_("Forget it"), on_click=forget, disabled=not current)
    dial.dial(Subject(shown.task, shown.result, lens, shown.view, current))


def _offer(shown: Shown, current: bool) -> None:
    """What can be done for a network with one set of norm layers."""
    from app.figures import pictures

    source = _source(shown.view, shown.info)
    st.markdown(_(words.ALONE))
    # Three, as there are while the network is being loaded: what is left of those would stay.
    picture, text, __ = st.columns([3, 5, 1], gap="large")
    with picture:
        title = _(shown.title)
        image(pictures.to_png(shown.result.clean.numpy()), title, title)
    text.markdown(words.offer(source, samples.class_folders()))
    if source is None:
        with text:
            samples.uploader("photos", disabled=not current)
    else:
        text.button(
            _("Calibrate an auxiliary branch"),
            type="primary",
            on_click=partial(state.choose, calibrated=True),
            disabled=not current,
        )


workbench.show_page(
    AnatomyView,
    words.QUESTION,
    words.INTRODUCTION,
    slot="anatomy",
    controls_of=partial(controls.of_picture, one_class=True),
    settle=_settle,
    task=_task,
    draw=_draw,
)
