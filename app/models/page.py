"""Models: what each network is, how it was trained, and what was measured of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from advprop_core.models.cards import describe_condition
from advprop_core.text import join
from advprop_core.types import ModelInfo
from app.shell import cache, messages
from app.shell.messages import quote


def page() -> None:
    """One card per network."""
    st.title("Which networks are here, and how good are they?")
    st.markdown(
        "Every number was measured on the file itself, with the command on its card, on images "
        "that were not used for training. *Robust* means right on images that were perturbed "
        "through the same branch. *Shape bias*: on scenes where outline and texture disagree, the "
        "share of answers by outline among those by outline or texture."
    )
    cache.known_models()  # notices files that have changed
    for name in cache.model_files():
        with st.container(border=True):
            try:
                _card(name, cache.model_info(name))
            except ValueError as error:  # CheckpointError, or what ModelInfo refuses
                st.subheader(name)
                st.error(str(error))
            except (KeyError, TypeError) as error:  # a header that others wrote may hold anything
                st.error(f"The card of this file cannot be read: {quote(str(error))}")


def _card(name: str, info: ModelInfo) -> None:
    st.subheader(name)
    st.markdown(
        f"{messages.safe(info.architecture)}, {info.input_size} × {info.input_size} px, "
        f"{info.num_classes} classes: {join(info.class_names[:12])}"
        f"{' …' if info.num_classes > 12 else ''}."
    )
    for branch, origin in info.branches.items():
        if origin != "trained":
            st.markdown(f"**{branch}** was {info.origin(branch).sentence}.")
    if info.metrics:
        st.table([_row(metric) for metric in info.metrics], hide_index=True)
    if command := info.recipe.get("command"):
        with st.expander("How it was trained"):
            st.code(command, language="shell", wrap_lines=True)
            st.json(dict(info.recipe), expanded=False)


def _row(metric: Any) -> dict[str, Any]:
    low, high = metric["interval"]
    return {
        "Branch": messages.safe(metric["branch"]),
        "What": describe_condition(metric["condition"]),
        "Result": f"{metric['top1']:.1%}",
        "95 % interval": f"{low:.1%} to {high:.1%}",
        "n": metric["n"],
        "Data": messages.safe(metric["data"]),
    }


page()
