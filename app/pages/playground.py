"""Playground: perturb a picture and compare what the branches make of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.header import CheckpointError
from advprop_core.types import ModelInfo
from advprop_core.words import percent
from app import cache, controls, gallery, messages, state
from app.pictures import PictureGone
from app.state import View

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from advprop_core.types import Comparison
    from app.cache import Lens
    from app.jobs import Job

QUESTION = "What do the two BatchNorms make of this picture?"
INTRODUCTION = (
    "AdvProp trains one network with two sets of BatchNorm: **main** for clean images, **aux** "
    "for adversarial ones. Change the picture on the left and see what each branch says, and "
    "where it looked."
)
_QUICK = 3.0  # seconds to wait for a result before showing progress instead
_POLL = 0.4


@dataclass(frozen=True)
class Shown:
    """A result on the page, and the view it belongs to."""

    result: Comparison
    view: View
    info: ModelInfo
    title: str


def page() -> None:
    """The whole page."""
    st.title(QUESTION)
    st.markdown(INTRODUCTION)
    models = cache.known_models()
    if not models:
        st.error("No network is here: the bundled checkpoints are missing. Install again.")
        return
    state.restore(_default_view(models))
    info = controls.settle(models)
    with st.sidebar:
        controls.model_picker(models)
        chooser = st.popover("Choose a picture", icon=":material/image:", width="stretch")
        controls.perturbation(info)
        layer_slot = controls.expert(info)
    view = state.current()
    if refusal := gallery.take_refusal():
        st.error(refusal)
    shown: Shown | None = st.session_state.get("shown")
    complaints = st.container()
    first_paint = st.empty() if shown is None else None
    lens = _load(view, info, first_paint)
    if lens is not None:
        controls.layer_picker(layer_slot, lens.layers, lens.default_layer)
        view = state.current()
    for complaint in state.complaints():
        complaints.warning(complaint)
    if lens is not None:
        _answer(view, lens, shown, first_paint)
    elif shown is not None:
        _draw(shown, current=False)
    with chooser:
        gallery.show(view, info, refusal)


def _default_view(models: dict[str, ModelInfo]) -> View:
    """The first view: a drawn scene with its network, or the person's own model."""
    default = state.DEFAULTS[state.VERSION]
    return default if default.model in models else View(model=next(iter(models)))


def _load(view: View, info: ModelInfo, slot: DeltaGenerator | None) -> Lens | None:
    """The network; on the first paint the picture is there before it."""
    if slot is not None:
        with slot.container():
            _shell(view, info)
    try:
        with st.spinner("Loading the network…", show_time=True):
            return cache.load_lens(view.model)
    except CheckpointError as error:
        if slot is not None:
            slot.empty()
        st.error(f"{error}. Choose another network on the left.")
        return None


def _shell(view: View, info: ModelInfo) -> None:
    """What can be shown before torch is there: the picture, and fixed places for the rest."""
    st.markdown("##### The network is being loaded …")
    columns = st.columns(3, gap="medium")
    try:
        picture = cache.picture(view.image, info.input_size)
        columns[0].image(
            cache.preview(view.image, info.input_size),
            caption=f"Clean: {picture.title}",
            width="stretch",
            output_format="PNG",
            alt=picture.title,
        )
    except (PictureGone, ValueError):
        return  # said in full once the network is there


def _answer(
    view: View,
    lens: Lens,
    shown: Shown | None,
    first_paint: DeltaGenerator | None,
) -> None:
    """The result, or progress above the previous one while it is being made."""
    place = first_paint.container() if first_paint is not None else st.container()
    try:
        title = cache.picture(view.image, lens.info.input_size).title
        job = _submit(view, lens)
        if _wait(job):
            shown = Shown(job.future.result(), view, lens.info, title)
            st.session_state["shown"] = shown
        else:
            with place:
                _progress()
    except (PictureGone, ValueError) as error:
        place.error(f"{error} The previous result stays below." if shown else str(error))
    if shown is not None:
        with place:
            _draw(shown, current=shown.view == view)


def _submit(view: View, lens: Lens) -> Job:
    from app import requests

    pixels = cache.pixels(view.image, lens.info.input_size)
    label = cache.picture(view.image, lens.info.input_size).label
    asked = replace(view, layer=view.layer or lens.default_layer)
    request = requests.make_request(asked, lens.info, label)
    job: Job | None = st.session_state.get("job")
    if job is None or job.key != request or not job.done:  # one that failed is not tried for ever
        job = cache.pool().submit(
            _session(), request, lambda job: requests.run(request, lens.branches, pixels, job)
        )
        st.session_state["job"] = job
    return job


def _wait(job: Job) -> bool:
    from concurrent.futures import wait

    return bool(wait([job.future], _QUICK).done)


def _session() -> str:
    if "session" not in st.session_state:
        st.session_state["session"] = uuid.uuid4().hex
    name: str = st.session_state["session"]
    return name


@st.fragment(run_every=_POLL)
def _progress() -> None:
    """Polls the job; the page is drawn again when it is done."""
    job: Job = st.session_state["job"]
    if job.done:
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(job.progress, f"Working … {percent(job.progress)}")
    right.button("Stop", width="stretch", on_click=_stop)


def _stop() -> None:
    """Give the job up and go back to what is shown."""
    cache.pool().cancel(_session())
    shown: Shown | None = st.session_state.get("shown")
    if shown is not None:
        state.choose_view(shown.view)
    else:
        state.choose(perturbation="none")


def _draw(shown: Shown, *, current: bool) -> None:
    """Pictures, predictions, maps and figures of one result, in fixed places."""
    from app import figures

    result, info = shown.result, shown.info
    names = info.class_names
    if not current:
        st.caption("This is the previous result; it stays until the new one is there.")
    st.markdown(f"#### {messages.verdict(result, names)}")
    if warning := messages.unfamiliar(result, info):
        st.warning(warning, icon=":material/help:")
    _pictures(shown)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What each branch says")
        st.plotly_chart(
            figures.predictions(result, names, dark=st.context.theme.type == "dark"),
            key="predictions",
            config=figures.CONFIG,
            alt=messages.verdict(result, names),
        )
        st.caption(messages.learnt(info, result.true_class is not None))
    with right:
        _maps(shown)
    _honesty(shown)


def _maps(shown: Shown) -> None:
    from advprop_core.methods import METHODS
    from app import figures

    result = shown.result
    method = METHODS[shown.view.method]
    explained = next(iter(result.maps.values()))
    caption = messages.map_caption(
        method.title, method.sign, explained.layer, shown.info.class_names[explained.class_index]
    )
    st.subheader("Where each branch looked")
    st.plotly_chart(
        figures.maps(result, method.sign, method.title, shown.view.opacity / 100),
        key="maps",
        config=figures.CONFIG,
        alt=caption,
    )
    for sentence in [caption, *messages.empty_maps(result)]:
        st.caption(sentence)
    with st.expander("How to read these maps"):
        st.markdown(method.sentence)


def _pictures(shown: Shown) -> None:
    from app import figures

    result = shown.result
    factor = figures.amplification(result.facts.linf)
    # PNG, for Streamlit would make JPEGs of them: a perturbation does not survive that.
    clean, change, perturbed = st.columns(3, gap="medium")
    clean.image(
        figures.to_png(result.clean.numpy()),
        caption=f"Clean: {shown.title}",
        width="stretch",
        output_format="PNG",
        alt=f"The clean picture: {shown.title}",
    )
    change.image(
        figures.to_png(figures.perturbation_picture(result, factor), smooth=False),
        caption=f"Perturbation, {factor} times enlarged (grey is no change)",
        width="stretch",
        output_format="PNG",
        alt=f"The perturbation, {factor} times enlarged",
    )
    perturbed.image(
        figures.to_png(result.adversarial.numpy()),
        caption=f"Perturbed: {controls.describe(shown.view)}",
        width="stretch",
        output_format="PNG",
        alt="The perturbed picture",
    )


def _honesty(shown: Shown) -> None:
    """What was measured on the perturbed picture itself."""
    from app import figures

    facts, info = shown.result.facts, shown.info
    st.subheader("How honest is this perturbation?")
    st.caption("Measured on the perturbed picture, after the fact.")
    columns = st.columns(4)
    columns[0].metric(
        "Largest change (L∞)",
        f"{facts.linf * 255:.2f}/255",
        help="The largest change of any colour value.",
    )
    columns[1].metric(
        "Length (L2)", f"{facts.l2:.2f}", help="Euclidean length of the whole change, pixel units."
    )
    columns[2].metric(
        "Range",
        f"{facts.low:.2f} to {facts.high:.2f}",
        help="Smallest and largest colour value; a picture that can be shown lies in 0 to 1.",
    )
    columns[3].metric(
        "After saving as PNG",
        "holds" if all(facts.survives_png.values()) else "changes",
        help="Whether every branch's prediction stays the same once the perturbed picture is "
        "rounded to 8 bits.",
    )
    for sentence in messages.honesty(shown.result, info):
        st.markdown(f"- {sentence}")
    st.download_button(
        "Save the perturbed picture (PNG)",
        figures.to_png(shown.result.adversarial.numpy(), 0),
        file_name="perturbed.png",
        mime="image/png",
        icon=":material/download:",
    )


page()
