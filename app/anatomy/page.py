"""Anatomy: what the norm layers of two branches have in them, and what each is good for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.types import ModelInfo
from app.anatomy import calibrating, words
from app.anatomy import controls as anatomy_controls
from app.anatomy import dial as anatomy_dial
from app.anatomy import gap as anatomy_gap
from app.anatomy import layers as anatomy_layers
from app.anatomy.section import Subject
from app.shell import cache, controls, messages, samples, state, workbench
from app.shell.calibrated import Calibration
from app.shell.state import View, key
from app.shell.workbench import Shown, Work

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.shell.cache import Lens
    from app.shell.requests import ComparisonRequest


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


def _request(view: View, lens: Lens, label: str | None) -> ComparisonRequest:
    from app.shell.requests import make_request

    return make_request(replace(view, layer=view.layer or lens.default_layer), lens.info, label)


def _calibration(view: View, info: ModelInfo) -> Calibration | None:
    """What is to be calibrated before the network can be looked into, if anything."""
    if not view.calibrated or len(info.branches) > 1:
        return None
    source = samples.source_for(info, calibrating.PICTURES)
    return None if source is None else Calibration(view.model, source)


def _work(view: View, lens: Lens) -> Work:
    from app.shell import requests

    label = cache.picture(view.image, lens.info.input_size).label
    request, calibration = _request(view, lens, label), _calibration(view, lens.info)
    pixels = cache.pixels(view.image, lens.info.input_size)
    if calibration is None:
        return Work(
            (lens.network,),
            request,
            lambda job: requests.run(request, lens.branches, pixels, job),
        )
    store = cache.calibrated_lenses()
    return Work(
        (lens.network,),
        (request, store.key(calibration)),
        lambda job: calibrating.compare_calibrated(request, calibration, lens, store, pixels, job),
    )


def _draw(shown: Shown, current: bool) -> None:
    lens = cache.load_lens(shown.view.model)
    # The picture itself may be gone by now, so its class is taken from the result.
    request = replace(_request(shown.view, lens, None), true_class=shown.result.true_class)
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
    base = request, calibration, shown.picture
    subject = Subject(base, request, shown.result, lens, shown.view, current)
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
    question=words.QUESTION,
    introduction=words.INTRODUCTION,
    controls=_controls,
    late_controls=_late_controls,
    work=_work,
    draw=_draw,
).show()
