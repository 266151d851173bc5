"""Models: what each network is, how it was trained, and what was measured of it."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from advprop_core.models.cards import describe_attack, metric_of
from advprop_core.types import ModelInfo
from app.language.text import N_, _, listing
from app.shell import cache, network_files, opening, state
from app.shell.layout import page_button, table
from app.shell.messages import FEW_CLASSES, quote, safe
from app.shell.opening import show_facts

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
    state.write_link({})
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

    def choose_row() -> None:
        """The card of the row that was chosen."""
        if chosen_rows := st.session_state[_TABLE]["selection"]["rows"]:
            st.session_state[_CARD] = names[chosen_rows[0]]

    shares = dict.fromkeys(title for row in rows for title in row if title not in _ABOUT)
    st.dataframe(
        rows,
        key=_TABLE,
        # Accuracies right behind the names: a phone shows the first columns alone.
        column_order=[_ABOUT[0], *shares, *_ABOUT[1:]],
        hide_index=True,
        placeholder="–",
        column_config=_columns(shares),
        on_select=choose_row,
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
    _card(chosen, infos[chosen])


def _readable() -> dict[str, ModelInfo]:
    """Name to header of the networks whose card can be shown; what the others lack is said."""
    infos = {}
    for name in (*network_files.opened(), *cache.model_files()):
        try:
            info = cache.model_info(name)
            _measured(info)
            _line(name, info)
            infos[name] = info
        except ValueError as error:  # CheckpointError, or what ModelInfo refuses
            st.error(f"{safe(name)}: {error}")
        except (KeyError, TypeError) as error:  # a header that others wrote may hold anything
            sentence = _("{name}: the card of this file cannot be read: {reason}")
            st.error(sentence.format(name=safe(name), reason=quote(str(error))))
    return infos


def _columns(shares: Iterable[str]) -> dict[str, Any]:
    """How the columns are called, and how they are written; ``shares`` are those in percent."""
    columns: dict[str, Any] = {title: _(title) for title in _ABOUT}
    columns["Network"] = st.column_config.TextColumn(_("Network"), pinned=True)
    columns["Objective"] = st.column_config.TextColumn(_("Objective"), help=_(_OBJECTIVES))
    for title in shares:
        branch, __, condition = title.partition(", ")
        label = _(", ").join([branch, _(condition)])
        columns[title] = st.column_config.NumberColumn(label, format="%.1f %%")
    return columns


def _line(name: str, info: ModelInfo) -> dict[str, Any]:
    """A line of the table: what the network is, and accuracies of each branch as fractions."""
    about = {
        "Network": network_files.title(name),
        "Classes": info.num_classes,
        "Pixels": info.input_size,
        "Data": str(info.recipe.get("data", "")),
        "Objective": str(info.recipe.get("objective", "")),
    }
    shares: dict[str, Any] = {}
    counts: dict[int, None] = {}  # each once, in order: branches may be measured on other images
    for branch in info.branches:
        for kind in ("clean", "attack"):
            if metric := metric_of(info, branch, kind):
                title = kind if kind == "clean" else describe_attack(metric["condition"])
                shares[f"{branch}, {title}"] = 100 * metric["top1"]
                counts[metric["n"]] = None
    asked = {"Images": " / ".join(map(str, counts))} if counts else {}
    return about | asked | shares


# -- the card of a network -------------------------------------------------------------------------


def _card(name: str, info: ModelInfo) -> None:
    """Everything that is known of it."""
    st.header(network_files.title(name))
    st.markdown(
        _(
            "{architecture}, {size} × {size} px, {count} classes: {names}.",
            architecture=safe(info.architecture),
            size=info.input_size,
            count=info.num_classes,
            names=listing(info.class_names, FEW_CLASSES),
        )
    )
    sentence = _("**{branch}** was {origin}.")
    origins = {branch: _(info.origin(branch).sentence) for branch in info.branches}
    lines = (f"- {sentence.format(branch=b, origin=origin)}" for b, origin in origins.items())
    st.markdown("\n".join(lines))
    _sources(name, info)
    if info.metrics:
        table(_measured(info))
    if command := info.recipe.get("command"):
        with st.expander(_("How it was trained")):
            st.code(command, language="shell", wrap_lines=True)
            st.json(dict(info.recipe), expanded=False)


def _measured(info: ModelInfo) -> list[dict[str, Any]]:
    """A line for each figure of a network."""
    rows = []
    for metric in info.metrics:
        condition = metric["condition"]
        if condition["kind"] == "clean":
            what = _("clean accuracy")
        elif condition["kind"] == "shape-bias":
            what = _("shape bias")
        else:
            what = _("robust accuracy, {attack}", attack=describe_attack(condition))
        low, high = (f"{100 * end:.1f}" for end in metric["interval"])
        rows.append(
            {
                _("Branch"): safe(metric["branch"]),
                _("What"): what,
                _("Result"): f"{100 * metric['top1']:.1f} %",
                _("95 % interval"): _("{low} to {high} %", low=low, high=high),
                _("Images"): metric["n"],
                _("Data"): safe(metric["data"]),
            }
        )
    return rows


def _sources(name: str, info: ModelInfo) -> None:
    """What was read of a file in a foreign layout, said, found, guessed and ignored."""
    origin = network_files.origin(name)
    findings = cache.described(name)[1] if origin is None else origin.findings
    if findings is None:
        return
    file = cache.file_of(name).name if origin is None else origin.file
    st.markdown(_("Opened from the file {file}:", file=quote(file, 80)))
    show_facts(findings, info)


page()
