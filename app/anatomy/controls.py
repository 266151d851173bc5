"""Widgets of the Anatomy page; loads no torch.

While a newer result is being made, they show what the previous one belongs to and cannot be moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app.anatomy import gap_words, words
from app.anatomy.view import AnatomyView
from app.shell import state
from app.shell.state import key


def settle(branches: Sequence[str], stages: Mapping[str, str], offered: bool) -> None:
    """Replace what the network does not have.

    Args:
        branches: Names of its auxiliary branches.
        stages: Norm layer to its stage.
        offered: Whether it can be given a calibrated branch.
    """
    if not offered:
        state.keep_within("calibrated", [False], False)
    state.keep_within("second", branches, branches[0])
    state.keep_within("norm_layer", ["", *stages], "")
    asked = tuple(st.session_state[key("moved_layers")])
    kept = tuple(name for name in asked if name in {*stages, *stages.values()})
    state.keep_within("moved_layers", [kept], kept)


def dial(view: AnatomyView, stages: Mapping[str, str], branches: Sequence[str], live: bool) -> None:
    """What moves, and how far."""
    columns = st.columns([3, 4] if len(branches) < 2 else [3, 4, 2], vertical_alignment="bottom")
    columns[0].segmented_control(
        "What moves",
        list(words.MOVED),
        format_func=words.MOVED.__getitem__,
        key=_key("moved", view, live),
        disabled=not live,
        required=True,
        help="Mean and variance say what inputs a channel is used to, γ and β what is made of "
        "them. Moving one alone is a trap: mean and variance fit only their own γ and β.",
    )
    columns[1].multiselect(
        "Layers that move",
        _movable(view, stages),
        key=_key("moved_layers", view, live),
        disabled=not live,
        placeholder="All layers",
        help="Stages of the network, from its front to its back; the expert controls offer single "
        "layers too. The others stay main's.",
    )
    if len(branches) > 1:
        columns[2].segmented_control(
            "Compared with",
            branches,
            key=_key("second", view, live),
            disabled=not live,
            required=True,
        )
    st.slider(
        f"From main (0 %) to {view.second} (100 %)",
        0,
        100,
        format="%d %%",
        key=_key("dial", view, live),
        disabled=not live,
        help="Every mean, variance, γ and β that moves goes along a straight line. Between the "
        "ends is a network that nobody trained.",
    )


def measure(view: AnatomyView, live: bool) -> None:
    """How the distance is measured."""
    st.segmented_control(
        "What differs",
        list(words.MEASURES),
        format_func=words.MEASURES.__getitem__,
        key=_key("measure", view, live),
        disabled=not live,
        required=True,
    )


def layer(view: AnatomyView, layers: Sequence[str], most: str, live: bool) -> None:
    """Which layer is looked into."""
    st.selectbox(
        "Layer",
        ["", *layers],
        format_func=lambda name: name or f"{most} (differs most)",
        key=_key("norm_layer", view, live),
        disabled=not live,
        help="Or click a bar of the chart.",
    )


def gap_by(view: AnatomyView, live: bool) -> None:
    """What is swapped at a time."""
    st.segmented_control(
        "What is swapped",
        list(gap_words.BY),
        format_func=gap_words.BY.__getitem__,
        key=_key("gap_by", view, live),
        disabled=not live,
        required=True,
    )


def _movable(view: AnatomyView, stages: Mapping[str, str]) -> list[str]:
    """Stages, and single layers for experts or where a link has chosen some."""
    names = list(dict.fromkeys(stages.values()))
    if view.expert:
        return list(dict.fromkeys([*names, *stages]))
    return list(dict.fromkeys([*names, *view.moved_layers]))


def _key(name: str, view: AnatomyView, live: bool) -> str:
    """The field's own widget, or one that shows what the view has."""
    if live:
        return key(name)
    st.session_state[f"stale.{name}"] = getattr(view, name)
    return f"stale.{name}"
