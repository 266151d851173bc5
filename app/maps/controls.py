"""Widgets of the Maps page; loads no torch."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.attribution.methods import METHODS
from advprop_core.types import ModelInfo
from app.language.text import _, titled
from app.maps.view import MOST_MAPS
from app.shell import controls
from app.shell.state import key


def picker(info: ModelInfo) -> DeltaGenerator:
    """Which maps, of which class; returns the slot of the layer picker."""
    st.multiselect(
        _("Maps"),
        list(METHODS),
        format_func=titled({name: _title(name) for name in METHODS}),
        key=key("maps"),
        max_selections=MOST_MAPS,
        select_all=False,  # it would choose more than the page takes
        placeholder=_("Choose a kind of map"),
        help=_(
            "First maps of a layer (class activation), then maps of the gradient at the pixels, "
            "then maps made by hiding parts of the picture. Slow ones run the network hundreds of "
            "times."
        ),
    )
    slot = st.container()
    controls.explained_class(info, one_class=True)
    return slot


def _title(name: str) -> str:
    method = METHODS[name]
    title = _(method.title)
    return _("{title} (slow)").format(title=title) if method.cost == "slow" else title
