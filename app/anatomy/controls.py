"""Widgets of the Anatomy page; loads no torch.

While a newer result is being made, they show what the previous one belongs to and cannot be moved.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.anatomy import words
from app.anatomy.view import AnatomyView
from app.language.text import N_, _, titled
from app.shell import state
from app.shell.state import key

_MOVED_HELP = N_(
    "Mean and variance describe the inputs of a channel. γ and β scale and shift the normalised "
    "values. Moving only one half misleads, because mean and variance fit only their own γ and β."
)


def settle(branches: Sequence[str], stages: Mapping[str, str], offered: bool) -> None:
    """Replace what the network does not have: ``branches`` are its auxiliaries.

    ``stages`` is norm layer to stage; ``offered`` says whether a branch can be calibrated for it.
    """
    if not offered:
        state.keep_within("calibrated", [False])
    state.keep_within("second", branches)
    state.keep_within("norm_layer", ["", *stages])
    asked = tuple(st.session_state[key("moved_layers")])
    available = tuple(name for name in asked if name in {*stages, *stages.values()})
    state.keep_within("moved_layers", [available])


def dial(view: AnatomyView, live: bool) -> None:
    """How far the network is from main."""
    st.slider(
        _("From main (0 %) to {branch} (100 %)").format(branch=view.second),
        0,
        100,
        format="%d %%",
        key=_key("dial", view, live),
        disabled=not live,
        help=_(
            "Each mean, variance, γ and β moves along a straight line from one branch to the "
            "other. Nobody trained the networks between the two ends."
        ),
    )


def way(view: AnatomyView, stages: Mapping[str, str], branches: Sequence[str], live: bool) -> None:
    """What moves with the dial, and towards which branch."""
    columns = st.columns([3, 4] if len(branches) < 2 else [3, 4, 2], vertical_alignment="bottom")
    with columns[0]:
        choice("moved", _("What moves"), words.MOVED, view, live, _(_MOVED_HELP))
    columns[1].multiselect(
        _("Layers that move"),
        _movable(view, stages),
        key=_key("moved_layers", view, live),
        disabled=not live,
        placeholder=_("All layers"),
        help=_(
            "Stages of the network, from input to output. The expert controls also offer single "
            "layers. All other layers keep main's values."
        ),
    )
    if len(branches) > 1:
        with columns[2]:
            choice("second", _("Compared with"), {name: name for name in branches}, view, live)


def choice(
    name: str,
    title: str,
    options: Mapping[Any, str],
    view: AnatomyView,
    live: bool,
    help: str | None = None,
) -> None:
    """One of a few values of a field, side by side; ``options`` has their titles in English."""
    st.segmented_control(
        title,
        list(options),
        format_func=titled(options),
        key=_key(name, view, live),
        disabled=not live,
        required=True,
        help=help,
    )


def layer(view: AnatomyView, layers: Sequence[str], live: bool) -> None:
    """Which layer is looked into."""
    of_itself = _("the one that differs most")
    st.selectbox(
        _("Layer"),
        ["", *layers],
        # A title that is another one at another measure would be taken for another choice.
        format_func=lambda name: name or of_itself,
        key=_key("norm_layer", view, live),
        disabled=not live,
        help=_("Or click a bar of the chart."),
    )


def _movable(view: AnatomyView, stages: Mapping[str, str]) -> list[str]:
    """Stages, and single layers for experts or where a link has chosen some."""
    layers = stages if view.expert else view.moved_layers
    return list(dict.fromkeys([*stages.values(), *layers]))


def _key(name: str, view: AnatomyView, live: bool) -> str:
    """The field's own widget, or one that shows what the view has."""
    if live:
        return key(name)
    st.session_state[f"stale.{name}"] = getattr(view, name)
    return f"stale.{name}"
