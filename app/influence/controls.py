"""Widgets of the Influence page; loads no torch."""

from __future__ import annotations

import streamlit as st

from advprop_core.types import ModelInfo
from app.influence.view import PARTS, SETS, InfluenceView, sets_for
from app.language.text import _
from app.shell import state, workbench
from app.shell.choices import segments
from app.shell.state import key
from app.shell.view import ends


def settle(info: ModelInfo) -> None:
    """Replace what this network, or this app, does not have."""
    sets = sets_for(info) or ["scenes"]
    state.keep_within("trained_on", sets, sets[0])


def choices(info: ModelInfo) -> None:
    """Which training images, how many, and which network stands beside."""
    settle(info)
    sets = sets_for(info)
    if len(sets) > 1:
        segments(_("Training images"), {name: SETS[name] for name in sets}, "trained_on")
    st.number_input(
        _("How many training images"),
        step=100,
        key=key("training_images"),
        help=_(
            "At most so many, spread over the classes. Their features are computed once for each "
            "network and then kept."
        ),
        **ends(InfluenceView, "training_images"),
    )
    is_traced = st.session_state[key("influence_part")] == PARTS[0]  # these do nothing elsewhere
    if is_traced:
        st.slider(
            _("Images to show"),
            step=1,
            key=key("shown_images"),
            help=_("Helpful ones of each branch, and as many harmful ones."),
            **ends(InfluenceView, "shown_images"),
        )
    help = _("Compare a network with another one on the same training images.")
    workbench.second_network(lambda other: bool(sets_for(other)), help, is_shown=is_traced)
