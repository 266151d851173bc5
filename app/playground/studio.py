"""The attack studio below the Playground: nothing of it is computed until a part is opened."""

from __future__ import annotations

import streamlit as st

from advprop_core.models.class_names import distinct_names
from app.playground import studio_parts as studio_parts
from app.playground.studio_subject import subject_of
from app.shell import cache, controls, state, workbench
from app.shell.state import View, key

TABS = {"": "Closed", "sweep": "ε sweep", "film": "Film", "matrix": "Matrix"}
PARTS = {
    "sweep": ("How strong must the attack be?", studio_parts.sweep),
    "film": ("How does the attack get there?", studio_parts.film),
    "matrix": ("Who fools whom?", studio_parts.matrix),
}
_TARGET = "studio.target"


def show() -> None:
    """The whole section, once the comparison has a result."""
    found = workbench.shown("playground")
    if found is None:
        return
    st.divider()
    st.subheader("Attack studio")
    st.segmented_control(
        "A closer look at the attack on this picture",
        list(TABS),
        format_func=TABS.__getitem__,
        key=key("studio"),
        required=True,
        help="ε sweep: every branch's answer against the strength, and where it flips. Film: the "
        "attack step by step. Matrix: an attack through each branch, shown to each branch. "
        "Nothing of it is computed until it is opened.",
    )
    part = st.session_state[key("studio")]
    if not part:
        return
    question, draw = PARTS[part]
    st.markdown(f"##### {question}")
    if found.view.perturbation not in controls.ATTACKS:
        _no_attack(found.view)
        return
    _target()
    draw(subject_of(found))


def _no_attack(view: View) -> None:
    st.info(
        f"The perturbation on the left is no attack: {controls.PERTURBATIONS[view.perturbation]}. "
        "The studio is about attacks, which follow a network's gradient."
    )
    st.button(
        "Attack with PGD", key="studio.pgd", on_click=state.choose, kwargs={"perturbation": "pgd"}
    )


def _target() -> None:
    """The target class, here too: the expert controls have the same."""
    st.session_state[_TARGET] = st.session_state[key("target")]
    # Of the network that is chosen, which may not be the one yet whose result is shown.
    info = cache.model_info(st.session_state[key("model")])
    names = distinct_names(info.classes)
    st.selectbox(
        "Target class",
        ["", *info.class_ids],
        format_func=lambda one: names.get(one, "none: anything but the right one"),
        key=_TARGET,
        on_change=_take_target,
        help="A targeted attack drives the prediction towards this class.",
        width=360,
    )


def _take_target() -> None:
    state.choose(target=st.session_state[_TARGET])
