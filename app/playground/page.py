"""Playground: perturb a picture and compare what the branches make of it."""

from __future__ import annotations

import streamlit as st

from app.playground import studio, words
from app.playground.view import PlaygroundView
from app.shell import cache, controls, messages, state, tasks, workbench
from app.shell.comparison import comparison_task, maps_task
from app.shell.layout import chart, image
from app.shell.state import key
from app.shell.tasks import Shown

QUESTION = "What do the two BatchNorms make of this picture?"
INTRODUCTION = (
    "AdvProp trains one network with two sets of BatchNorm: **main** for clean images, **aux** "
    "for adversarial ones. Change the picture on the left and see what each branch says, and "
    "where it looked."
)

_FIGURES_HELP = (
    "The largest change of any colour value.",
    "Euclidean length of the whole change, pixel units.",
    "Smallest and largest colour value; a picture that can be shown lies in 0 to 1.",
    "Whether every prediction stays the same when the perturbed picture is rounded to 8 bits.",
)


def _draw(shown: Shown, current: bool) -> None:
    """Pictures, predictions, maps and figures of one result, in fixed places."""
    from app.figures import comparison

    result, info = shown.result, shown.info
    if warning := messages.unfamiliar(result, info):
        st.warning(warning, icon=":material/help:")
    workbench.say_verdict(result, info)
    _pictures(shown)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What each branch says")
        names = info.class_names
        figure = comparison.predictions(result, names, dark=workbench.dark())
        chart(figure, "predictions", " ".join(messages.verdict(result, names)))
        st.caption(messages.learnt(info, result.true_class is not None))
    with right:
        _maps(shown)
    _honesty(shown)


def _maps(shown: Shown) -> None:
    """Maps of the comparison, a task of their own: it is read while they are made."""
    st.subheader("Where each branch looked")
    task = maps_task(shown, cache.load_lens(shown.view.model))
    with st.container():  # progress comes and goes without moving what is below it
        drawn_maps = tasks.answer("playground.maps", task, shown.view, shown.info)
    if drawn_maps is not None:
        _draw_maps(drawn_maps)


def _draw_maps(shown: Shown) -> None:
    from advprop_core.attribution.methods import METHODS
    from app.figures import maps as figures

    result = shown.result
    method = METHODS[shown.view.method]
    if result.maps_refused:
        reason = messages.not_drawn(method.title, result.maps_refused)
        st.warning(reason, icon=":material/block:")
        return
    names, drawn = shown.info.class_names, result.maps.values()
    caption = messages.map_caption(drawn, names, shown.view.scale)
    opacity = shown.view.opacity / 100
    figure = figures.method_grid(
        result,
        result.maps,
        method.sign,
        method.title,
        opacity,
        names,
        differences=False,
        scale=shown.view.scale,
    )
    chart(figure, "maps", f"{caption} {messages.map_classes(drawn, names)}")
    for sentence in [caption, *messages.empty_maps(result.maps), *messages.weak_maps(result.maps)]:
        st.caption(sentence)
    controls.scale()
    if method.needs_layer:
        _grid(shown)
    with st.expander("How to read these maps"):
        st.markdown(method.sentence)


def _grid(shown: Shown) -> None:
    """Maps with more cells, and back."""
    lens = cache.load_lens(shown.view.model)
    finer = lens.finer_layer
    if not finer:
        return
    if shown.view.layer not in ("", lens.default_layer, finer):
        return  # a layer that was chosen by hand may be finer still
    is_finer = shown.view.layer == finer
    st.button(
        "Coarser maps" if is_finer else "Finer maps",
        key="maps.grid",
        icon=":material/grid_view:" if is_finer else ":material/grid_on:",
        help="An earlier layer gives maps with more cells. It knows less of whole objects.",
        on_click=state.choose,
        kwargs={"layer": "" if is_finer else finer},
    )


def _pictures(shown: Shown) -> None:
    from advprop_core.report.colours import amplification, amplify
    from app.figures import pictures

    result = shown.result
    perturbation = (result.adversarial - result.clean).numpy()
    factor = amplification(perturbation)
    enlarged = f"× {factor}" if factor > 1 else "not enlarged"
    clean, change, perturbed = st.columns(3, gap="medium")
    with clean:
        _clean(shown)
    with change:
        png = pictures.to_png(amplify(perturbation, factor))
        caption = f"Perturbation, {enlarged} (grey is no change)"
        image(png, caption, f"The perturbation, {enlarged}")
    with perturbed:
        png = pictures.to_png(result.adversarial.numpy())
        caption = f"Perturbed: {controls.describe(shown.view, shown.info)}"
        image(png, caption, "The perturbed picture")


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
        image(png, caption, alt)


def _honesty(shown: Shown) -> None:
    """What was measured on the perturbed picture itself."""
    from app.figures import pictures

    facts, info = shown.result.facts, shown.info
    st.subheader("How honest is this perturbation?")
    st.caption("Measured on the perturbed picture, after the fact.")
    figures = {
        "Largest change (L∞)": f"{facts.linf * 255:.2f}/255",
        "Length (L2)": f"{facts.l2:.2f}",
        "Range": f"{facts.low:.2f} to {facts.high:.2f}",
        "After saving as PNG": "holds" if all(facts.survives_png.values()) else "changes",
    }
    columns = zip(st.columns(4), figures.items(), _FIGURES_HELP, strict=True)
    for column, (title, figure), help in columns:
        column.metric(title, figure, help=help)
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


workbench.show_page(
    PlaygroundView,
    QUESTION,
    INTRODUCTION,
    slot="playground",
    task=comparison_task,
    draw=_draw,
)
studio.show()
