"""Widgets of the Maps page; loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.types import ModelInfo
from app.maps.view import MOST_MAPS
from app.shell import controls
from app.shell.state import key

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def picker(info: ModelInfo) -> DeltaGenerator:
    """Which maps, of which class; returns the slot of the layer picker."""
    st.multiselect(
        "Maps",
        list(METHODS),
        format_func=_title,
        key=key("maps"),
        max_selections=MOST_MAPS,
        select_all=False,  # it would choose more than the page takes
        placeholder="Choose a kind of map",
        help="First maps of a layer (class activation), then maps of the gradient at the pixels, "
        "then maps made by hiding parts of the picture. Slow ones run the network hundreds of "
        "times.",
    )
    slot = st.container()
    controls.explained_class(info, one_class=True)
    return slot


def _title(name: str) -> str:
    method = METHODS[name]
    return f"{method.title} (slow)" if method.cost == "slow" else method.title
