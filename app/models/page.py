"""Models: what each network is, how it was trained, and what was measured of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from advprop_core.models.cards import describe_condition, metric_of
from advprop_core.text import join
from advprop_core.types import ModelInfo
from app.shell import cache, messages, network_files, opening, state
from app.shell.messages import quote

_TABLE, _CARD = "models.table", "models.card"
_PLAYGROUND = "app/playground/page.py"
_ABOUT = ("Network", "Classes", "Pixels", "Data", "Objective")


def page() -> None:
    """All networks in a table, and the card of one."""
    if opening.take_up():
        st.switch_page(_PLAYGROUND)
    state.keep_in_link()
    st.title("Which networks are here, and how good are they?")
    st.markdown(
        "Every number was measured on the file itself, on images that were not used for training. "
        "*Robust* means right on images that were perturbed through the same branch."
    )
    opening.button("opening.models")
    opening.show()
    cache.known_models()  # notices files that have changed
    infos = _readable()
    if not infos:
        return
    names = list(infos)
    rows = [_line(name, info) for name, info in infos.items()]
    share = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        rows,
        key=_TABLE,
        hide_index=True,
        placeholder="–",
        column_config={title: share for row in rows for title in row if title not in _ABOUT},
        on_select=lambda: _choose_row(names),
        selection_mode="single-row",
    )
    if st.session_state.get(_CARD) not in names:
        st.session_state[_CARD] = names[0]
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.selectbox("Card of", names, format_func=network_files.title, key=_CARD)
    if right.button(
        "Open in Playground",
        icon=":material/open_in_new:",
        width="stretch",
        on_click=state.choose,
        kwargs={"model": chosen},
    ):
        st.switch_page(_PLAYGROUND)
    _card(chosen, infos[chosen])


def _readable() -> dict[str, ModelInfo]:
    """Name to header of the networks whose card can be shown; what the others lack is said."""
    infos = {}
    for name in (*network_files.opened(), *cache.model_files()):
        try:
            info = cache.model_info(name)
            _measured(info)
            infos[name] = info
        except ValueError as error:  # CheckpointError, or what ModelInfo refuses
            st.error(f"{messages.safe(name)}: {error}")
        except (KeyError, TypeError) as error:  # a header that others wrote may hold anything
            reason = quote(str(error))
            st.error(f"{messages.safe(name)}: the card of this file cannot be read: {reason}")
    return infos


def _line(name: str, info: ModelInfo) -> dict[str, Any]:
    """A line of the table: what the network is, and accuracies of each branch as fractions."""
    about = (
        network_files.title(name),
        info.num_classes,
        info.input_size,
        str(info.recipe.get("data", "")),
        str(info.recipe.get("objective", "")),
    )
    metrics = {
        f"{branch}, {title}": metric_of(info, branch, kind)
        for branch in info.branches
        for kind, title in (("clean", "clean"), ("attack", "robust"))
    }
    shares = {title: metric["top1"] for title, metric in metrics.items() if metric}
    return dict(zip(_ABOUT, about, strict=True)) | shares


def _choose_row(names: list[str]) -> None:
    """The card of the row that was chosen."""
    if rows := st.session_state[_TABLE]["selection"]["rows"]:
        st.session_state[_CARD] = names[rows[0]]


def _card(name: str, info: ModelInfo) -> None:
    st.header(network_files.title(name))
    few = info.class_names[:12]
    more = [f"{info.num_classes - len(few)} more"] if info.num_classes > len(few) else []
    st.markdown(
        f"{messages.safe(info.architecture)}, {info.input_size} × {info.input_size} px, "
        f"{info.num_classes} classes: {join([*few, *more])}."
    )
    for branch, origin in info.branches.items():
        if origin != "trained":
            st.markdown(f"**{branch}** was {info.origin(branch).sentence}.")
    if info.metrics:
        st.table(_measured(info), hide_index=True)
    if command := info.recipe.get("command"):
        with st.expander("How it was trained"):
            st.code(command, language="shell", wrap_lines=True)
            st.json(dict(info.recipe), expanded=False)


def _measured(info: ModelInfo) -> list[dict[str, Any]]:
    """The lines of a card."""
    rows = []
    for metric in info.metrics:
        low, high = metric["interval"]
        rows.append(
            {
                "Branch": messages.safe(metric["branch"]),
                "What": describe_condition(metric["condition"]),
                "Result": f"{metric['top1']:.1%}",
                "95 % interval": f"{low:.1%} to {high:.1%}",
                "n": metric["n"],
                "Data": messages.safe(metric["data"]),
            }
        )
    return rows


page()
