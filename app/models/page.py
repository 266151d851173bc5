"""Models: what each network is, how it was trained, and what was measured of it."""

from typing import Any

import streamlit as st

from advprop_core.models.cards import describe_attack, metric_of
from advprop_core.types import ModelInfo
from app.language.text import N_, _
from app.models import card
from app.shell import cache, messages, network_files, opening, state
from app.shell.layout import page_button
from app.shell.messages import quote

_TABLE, _CARD = "models.table", "models.card"
_OBJECTIVES = N_(
    "What training minimised. vanilla: the loss on clean images. adversarial: on adversarial ones. "
    "mixed: on both, through one BatchNorm. advprop: on both, each through its own BatchNorm. "
    "fast-advprop: the same, with a fifth of the images attacked. auxiliary: auxiliary norm layers "
    "alone, for a network that others trained."
)
# Columns that are no accuracy: their keys, in English as in the file that the table offers.
_ABOUT = (N_("Network"), N_("Classes"), N_("Pixels"), N_("Data"), N_("Objective"), N_("Images"))


def page() -> None:
    """All networks in a table, and the card of one."""
    if opening.take_up():
        st.switch_page("app/playground/page.py")
    state.keep_in_link()
    st.title(_("Which networks are here, and how good are they?"))
    st.markdown(
        _(
            "Every number was measured with this file. *Images* is the number of test images, "
            "which were not used for training. Columns with an attack and its ε show the accuracy "
            "on images that are attacked through the same branch."
        )
    )
    opening.button("opening.models")
    opening.show()
    cache.known_models()  # notices files that have changed
    infos = _readable()
    if not infos:
        return
    names = list(infos)
    rows = [_line(name, info) for name, info in infos.items()]
    st.dataframe(
        rows,
        key=_TABLE,
        column_order=_order(rows),
        hide_index=True,
        placeholder="–",
        column_config=_columns(rows),
        on_select=lambda: _choose_row(names),
        selection_mode="single-row",
    )
    if st.session_state.get(_CARD) not in names:
        st.session_state[_CARD] = names[0]
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.selectbox(_("Card of"), names, format_func=network_files.title, key=_CARD)
    with right:
        page_button(
            _("Open in Playground"),
            "playground",
            {"model": chosen},
            icon=":material/open_in_new:",
            width="stretch",
        )
    card.show(chosen, infos[chosen])


def _readable() -> dict[str, ModelInfo]:
    """Name to header of the networks whose card can be shown; what the others lack is said."""
    infos = {}
    for name in (*network_files.opened(), *cache.model_files()):
        try:
            info = cache.model_info(name)
            card.measured(info)
            _line(name, info)
            infos[name] = info
        except ValueError as error:  # CheckpointError, or what ModelInfo refuses
            st.error(f"{messages.safe(name)}: {error}")
        except (KeyError, TypeError) as error:  # a header that others wrote may hold anything
            reason = quote(str(error))
            st.error(
                _("{name}: the card of this file cannot be read: {reason}").format(
                    name=messages.safe(name), reason=reason
                )
            )
    return infos


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How the columns are called, and how they are written."""
    columns: dict[str, Any] = {title: _(title) for title in _ABOUT}
    columns["Network"] = st.column_config.TextColumn(_("Network"), pinned=True)
    columns["Objective"] = st.column_config.TextColumn(_("Objective"), help=_(_OBJECTIVES))
    for title in (title for row in rows for title in row if title not in _ABOUT):
        branch, __, condition = title.partition(", ")
        label = _(", ").join([branch, _(condition)])
        columns[title] = st.column_config.NumberColumn(label, format="%.1f %%")
    return columns


def _line(name: str, info: ModelInfo) -> dict[str, Any]:
    """A line of the table: what the network is, and accuracies of each branch as fractions."""
    about = (
        network_files.title(name),
        info.num_classes,
        info.input_size,
        str(info.recipe.get("data", "")),
        str(info.recipe.get("objective", "")),
    )
    shares: dict[str, Any] = {}
    counts: dict[int, None] = {}
    for branch in info.branches:
        for kind in ("clean", "attack"):
            metric = metric_of(info, branch, kind)
            if metric:
                condition = metric["condition"]
                title = kind if kind == "clean" else describe_attack(condition)
                shares[f"{branch}, {title}"] = 100 * metric["top1"]
                counts[metric["n"]] = None
    asked = {"Images": " / ".join(map(str, counts))} if counts else {}
    return dict(zip(_ABOUT, about, strict=False)) | asked | shares


def _order(rows: list[dict[str, Any]]) -> list[str]:
    """Accuracies right behind the names: a phone shows the first columns alone."""
    shares = dict.fromkeys(title for row in rows for title in row if title not in _ABOUT)
    return [_ABOUT[0], *shares, *_ABOUT[1:]]


def _choose_row(names: list[str]) -> None:
    """The card of the row that was chosen."""
    if rows := st.session_state[_TABLE]["selection"]["rows"]:
        st.session_state[_CARD] = names[rows[0]]


page()
