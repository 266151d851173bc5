"""Widgets of the Transfer page; loads no torch."""

from collections.abc import Mapping

import streamlit as st

from advprop_core.types import ModelInfo
from app.language.text import _
from app.shell import runs, state
from app.shell.fields import select, slider
from app.shell.state import key
from app.transfer.request import contenders, tasks
from app.transfer.view import TransferView

MOST_SOURCES = 6
_PAIR = ("imagenette-vanilla", "imagenette-advprop:aux")


def settle(models: Mapping[str, ModelInfo]) -> None:
    """Replace what is not available, before the widgets."""
    names = contenders(models)
    pair = _PAIR if {*_PAIR} <= {*names} else tuple(names)[:2]
    state.opens_with(contenders=pair)
    runs.settle_networks("contenders", names, MOST_SOURCES, pair)
    state.keep_within("new_task", [*tasks()])


def show(models: Mapping[str, ModelInfo], view: TransferView, busy: bool) -> None:
    """All that decides a run."""
    names = contenders(models)
    help = _(
        "All others are compared with the first network, so first choose one that was trained "
        "without attacks."
    )
    runs.networks("contenders", names, MOST_SOURCES, help, disabled=busy)
    _task(busy)
    help = _(
        "Numbers with commas between them. Images are drawn evenly over the classes, and larger "
        "sets contain the smaller ones."
    )
    st.text_input(_("Training images"), key=key("amounts"), disabled=busy, help=help)
    help = _("Number of repetitions. Each repetition uses other images.")
    slider(_("Seeds"), "repeats", help, disabled=busy)
    help = _("Passes over the images. The learning rate falls after each third of them.")
    slider(_("Epochs"), "rounds", help, disabled=busy)


def _task(busy: bool) -> None:
    if len(tasks()) < 2:
        (title,) = tasks().values()
        st.caption(
            _(
                "New task: {title}. `advprop app --images DIR` adds your own photos. DIR needs "
                "the folders train and val, each with a folder for each class."
            ).format(title=_(title).lower())
        )
        return
    help = _(
        "Scenes are drawn by this project. Your own folder is the one that `advprop app "
        "--images` names."
    )
    select(_("New task"), tasks(), "new_task", help, disabled=busy)
