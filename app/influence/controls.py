"""Widgets of the Influence page; loads no torch."""

import streamlit as st

from advprop_core.types import ModelInfo
from app.influence.view import PARTS, SETS, sets_for
from app.language.text import _
from app.shell import state, workbench
from app.shell.fields import number, segments, slider
from app.shell.state import key


def settle(info: ModelInfo) -> None:
    """Replace what this network, or this app, does not have."""
    sets = sets_for(info) or ["scenes"]
    state.keep_within("trained_on", sets)


def choices(info: ModelInfo) -> None:
    """Which training images, how many, and which network stands beside."""
    settle(info)
    sets = sets_for(info)
    if len(sets) > 1:
        segments(_("Training images"), {name: SETS[name] for name in sets}, "trained_on")
    help = _(
        "The largest number of images, spread over the classes. Their features are computed once "
        "for each network and then stored."
    )
    number(_("How many training images"), "training_images", help, step=100)
    is_traced = st.session_state[key("influence_part")] == PARTS[0]  # these do nothing elsewhere
    if is_traced:
        help = _("Helpful ones of each branch, and as many harmful ones.")
        slider(_("Images to show"), "shown_images", help)
    help = _("Compare a network with another one on the same training images.")
    workbench.second_network(lambda info: bool(sets_for(info)), help, is_shown=is_traced)
