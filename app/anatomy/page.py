"""Anatomy: what the norm layers of two branches have in them, and what each is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.types import ModelInfo
from app.anatomy import calibrating, words
from app.anatomy import controls as anatomy_controls
from app.anatomy import dial as anatomy_dial
from app.anatomy import gap as anatomy_gap
from app.anatomy import layers as anatomy_layers
from app.anatomy.section import Subject
from app.anatomy.view import AnatomyView
from app.shell import cache, comparison, controls, messages, samples, state, workbench
from app.shell.calibrated import Calibration
from app.shell.pictures import key_of
from app.shell.state import key
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.shell.cache import Lens


def _controls(info: ModelInfo) -> DeltaGenerator | None:
    controls.perturbation(info)
    return controls.map_picker(info) if controls.expert(info) else None


def _late_controls(slot: DeltaGenerator | None, lens: Lens) -> None:
    from advprop_core.anatomy.layers import stages_of_layers

    method = st.session_state[key("method")]
    controls.layer_picker(slot, [method], lens.layers, lens.default_layer)
    auxiliaries = list(lens.info.branches)[1:]
    offered = not auxiliaries and samples.source_for(lens.info, calibrating.PICTURES) is not None
    anatomy_controls.settle(auxiliaries or ["aux"], stages_of_layers(lens.model), offered)


def _calibration(view: AnatomyView, info: ModelInfo) -> Calibration | None:
    """What is to be calibrated before the network can be looked into, if anything."""
    if not view.calibrated or len(info.branches) > 1:
        return None
    source = samples.source_for(info, calibrating.PICTURES)
    return None if source is None else Calibration(view.model, source)


def _task(view: AnatomyView, lens: Lens) -> Task:
    calibration = _calibration(view, lens.info)
    if calibration is None:
        return comparison.comparison_task(view, lens)
    store = cache.calibrated_lenses()
    return Task.of(
        (lens.network,),
        calibrating.compare_calibrated,
        lens,
        calibration,
        store,
        cache.pixels(view.image, lens.info.input_size),
        about=(key_of(view.image), store.key(calibration)),
        maps=comparison.map_request(view, lens, view.method),
        **comparison.perturbing(view, lens.info),
    )


def _draw(shown: Shown, current: bool) -> None:
    lens = cache.load_lens(shown.view.model)
    calibration = _calibration(shown.view, lens.info)
    if calibration is not None:
        calibrated = cache.calibrated_lenses().get(calibration)
        if calibrated is None:  # others have calibrated since; the next run makes it again
            return
        lens = calibrated
    if len(lens.info.branches) == 1:
        _offer(shown, current)
        return
    st.markdown(f"#### {messages.verdict(shown.result, lens.info.class_names)}")
    if calibration is not None:
        _say_calibrated(lens, calibration, current)
    subject = Subject(shown.task, shown.result, lens, shown.view, current)
    anatomy_dial.dial(subject)
    anatomy_layers.layers(subject)
    anatomy_gap.gap(subject)


def _say_calibrated(lens: Lens, calibration: Calibration, current: bool) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    n = lens.info.recipe["calibration"]["images"]
    left.info(words.calibrated(n, calibration.source), icon=":material/info:")
    right.button(
        "Forget it", on_click=state.choose, kwargs={"calibrated": False}, disabled=not current
    )


def _offer(shown: Shown, current: bool) -> None:
    """What can be done for a network with one set of norm layers."""
    from app.figures import pictures

    source = samples.source_for(shown.info, calibrating.PICTURES)
    st.markdown(words.ALONE)
    # Three, as there are while the network is being loaded: what is left of those would stay.
    picture, text, _ = st.columns([3, 5, 1], gap="large")
    picture.image(
        pictures.to_png(shown.result.clean.numpy()),
        caption=shown.title,
        width="stretch",
        output_format="PNG",
        alt=shown.title,
    )
    text.markdown(words.offer(source, samples.class_folders()))
    if source is not None:
        text.button(
            "Calibrate an auxiliary branch",
            type="primary",
            on_click=state.choose,
            kwargs={"calibrated": True},
            disabled=not current,
        )


workbench.PicturePage(
    slot="anatomy",
    view=AnatomyView,
    question=words.QUESTION,
    introduction=words.INTRODUCTION,
    controls=_controls,
    late_controls=_late_controls,
    task=_task,
    draw=_draw,
).show()
