"""Playground: perturb a picture and compare what the branches make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.types import ModelInfo
from app.playground import studio, words
from app.playground.view import PlaygroundView
from app.shell import controls, messages, state, workbench
from app.shell.comparison import comparison_task
from app.shell.state import key
from app.shell.tasks import Shown

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.shell.cache import Lens

QUESTION = "What do the two BatchNorms make of this picture?"
INTRODUCTION = (
    "AdvProp trains one network with two sets of BatchNorm: **main** for clean images, **aux** "
    "for adversarial ones. Change the picture on the left and see what each branch says, and "
    "where it looked."
)


def _controls(info: ModelInfo) -> DeltaGenerator | None:
    controls.perturbation(info)
    return controls.map_picker(info) if controls.expert(info) else None


def _late_controls(slot: DeltaGenerator | None, lens: Lens) -> None:
    method = st.session_state[key("method")]
    controls.layer_picker(slot, [method], lens.layers, lens.default_layer)


def _draw(shown: Shown, current: bool) -> None:
    """Pictures, predictions, maps and figures of one result, in fixed places."""
    from app.figures import comparison, style

    result, info = shown.result, shown.info
    names = info.class_names
    heading, answers = messages.verdict_lines(result, names)
    st.markdown(f"#### {heading}")
    st.markdown(answers)
    if warning := messages.unfamiliar(result, info):
        st.warning(warning, icon=":material/help:")
    _pictures(shown)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What each branch says")
        st.plotly_chart(
            comparison.predictions(result, names, dark=workbench.dark()),
            key="predictions",
            config=style.CONFIG,
            alt=messages.plain(messages.verdict(result, names)),
        )
        st.caption(messages.learnt(info, result.true_class is not None))
    with right:
        _maps(shown)
    _honesty(shown)


def _maps(shown: Shown) -> None:
    from advprop_core.attribution.methods import METHODS
    from app.figures import comparison, style

    result = shown.result
    method = METHODS[shown.view.method]
    explained = next(iter(result.maps.values()))
    caption = messages.map_caption(
        method.title, explained.layer, shown.info.class_names[explained.class_index]
    )
    st.subheader("Where each branch looked")
    st.plotly_chart(
        comparison.maps(result, method.sign, method.title, shown.view.opacity / 100),
        key="maps",
        config=style.CONFIG,
        alt=messages.plain(caption),
    )
    for sentence in [caption, *messages.empty_maps(result.maps)]:
        st.caption(sentence)
    with st.expander("How to read these maps"):
        st.markdown(method.sentence)


def _pictures(shown: Shown) -> None:
    from advprop_core.report.colours import amplification, amplify
    from app.figures import pictures

    result = shown.result
    perturbation = (result.adversarial - result.clean).numpy()
    factor = amplification(perturbation)
    enlarged = f"× {factor}" if factor > 1 else "not enlarged"
    # PNG, for Streamlit would make JPEGs of them: a perturbation does not survive that.
    clean, change, perturbed = st.columns(3, gap="medium")
    with clean:
        _clean(shown)
    change.image(
        pictures.to_png(amplify(perturbation, factor), smooth=False),
        caption=f"Perturbation, {enlarged} (grey is no change)",
        width="stretch",
        output_format="PNG",
        alt=f"The perturbation, {enlarged}",
    )
    perturbed.image(
        pictures.to_png(result.adversarial.numpy()),
        caption=f"Perturbed: {controls.describe(shown.view)}",
        width="stretch",
        output_format="PNG",
        alt="The perturbed picture",
    )


def _clean(shown: Shown) -> None:
    """The clean picture; where it is to be erased by hand, to be drawn on."""
    from app.elements.eraser import eraser
    from app.figures import pictures

    png = pictures.to_png(shown.result.clean.numpy())
    caption, alt = f"Clean: {shown.title}", f"The clean picture: {shown.title}"
    if st.session_state[key("perturbation")] == "erase":
        regions = st.session_state[key("regions")]
        eraser(png, caption, alt, regions, lambda drawn: state.choose(regions=drawn))
    else:
        st.image(png, caption=caption, width="stretch", output_format="PNG", alt=alt)


def _honesty(shown: Shown) -> None:
    """What was measured on the perturbed picture itself."""
    from app.figures import pictures

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
        help="Whether every prediction stays the same when the perturbed picture is rounded to 8 "
        "bits.",
    )
    for sentence in [*_target(shown), *messages.honesty(shown.result, info)]:
        st.markdown(f"- {sentence}")
    st.download_button(
        "Save the perturbed picture (PNG)",
        pictures.to_png(shown.result.adversarial.numpy(), 0),
        file_name="perturbed.png",
        mime="image/png",
        icon=":material/download:",
    )


def _target(shown: Shown) -> list[str]:
    """Whether a targeted attack got what it wanted."""
    target, result = shown.view.target, shown.result
    if not target or result.attack_branch is None:
        return []
    index = shown.info.class_ids.index(target)
    return [words.reached(result, index, shown.info.class_names)]


workbench.PicturePage(
    slot="playground",
    view=PlaygroundView,
    question=QUESTION,
    introduction=INTRODUCTION,
    controls=_controls,
    late_controls=_late_controls,
    task=comparison_task,
    draw=_draw,
).show()
studio.show()
