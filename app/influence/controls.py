"""Widgets of the Influence page; loads no torch."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from advprop_core.types import ModelInfo
from app.influence.view import SETS, InfluenceView, sets_for
from app.language.text import _, titled
from app.shell import cache, network_files, state
from app.shell.state import key
from app.shell.view import ends


def settle(info: ModelInfo) -> None:
    """Replace what this network, or this app, does not have."""
    sets = sets_for(info) or ["scenes"]
    state.keep_within("trained_on", sets, sets[0])
    others = ["", *_others()]
    state.keep_within("second_model", others, "")


def choices(info: ModelInfo) -> None:
    """Which training images, how many, and which network stands beside."""
    settle(info)
    sets = sets_for(info)
    if len(sets) > 1:
        st.segmented_control(
            _("Training images"),
            sets,
            format_func=titled(SETS),
            key=key("trained_on"),
            required=True,
        )
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
    st.slider(
        _("Images to show"),
        step=1,
        key=key("shown_images"),
        help=_("Helpful ones of each branch, and as many harmful ones."),
        **ends(InfluenceView, "shown_images"),
    )
    others = _others()
    titles = {"": _("none"), **{name: network_files.title(name) for name in others}}
    st.selectbox(
        _("Network beside it"),
        ["", *others],
        format_func=titles.__getitem__,
        key=key("second_model"),
        help=_("Compare a network with another one on the same training images."),
    )


def _others() -> Mapping[str, ModelInfo]:
    """The other networks that can be asked about the same training images."""
    models = cache.known_models(network_files.opened())
    chosen = st.session_state[key("model")]
    return {n: info for n, info in models.items() if n != chosen and sets_for(info)}
