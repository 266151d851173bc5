"""Widgets of the Visualise page; loads no torch."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.types import ModelInfo
from app.language.text import _
from app.shell import controls, state, workbench
from app.shell.fields import number, segments, slider
from app.shell.state import key
from app.visualise.view import GOALS, STARTS

_PLAIN = "n03028079"  # church: a class that is easily told in a drawing


def settle(info: ModelInfo) -> None:
    """Replace what this network, or this app, does not have."""
    first = _PLAIN if _PLAIN in info.class_ids else info.class_ids[0]
    if info.name == state.default().model:
        state.opens_with(wished_class=first)
    state.settle("wished_class", [first, *info.class_ids])


def choices(info: ModelInfo) -> DeltaGenerator:
    """What is to be seen, from where, how far; returns the slot of the layer picker."""
    settle(info)
    help = _("For a class, its score rises. For a channel of a layer, its mean activation rises.")
    wished = segments(_("Draw"), GOALS, "wished", help)
    slot = st.container()
    if wished == "class":
        help = _("The class that the branches draw.")
        controls.class_picker(info, _("Class"), {}, key=key("wished_class"), help=help)
    else:
        number(_("Channel"), "channel", _("Of the layer, counted from 0."))
    help = _("Noise is mid-grey with a faint grain. All branches start from the same.")
    start = segments(_("Start from"), STARTS, "begins_with", help)
    if start == "noise":
        number(_("Seed"), "seed", _("The same seed gives the same noise."))
    help = _(
        "How far the picture may move: the Euclidean length of the whole change, where 1 "
        "moves a single colour value from black to white. A network of 224 pixels needs about "
        "80."
    )
    slider(_("Strength ε (L2)"), "reach", help, step=1.0, format="%g")
    slider(_("Steps"), "visual_steps", step=5)
    help = _("Compare a network with another one of the same classes.")
    workbench.second_network(lambda second: second.class_ids == info.class_ids, help)
    return slot
