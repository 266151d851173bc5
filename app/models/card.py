"""The card of a network: what it is, where that is known from, and what was measured."""

from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st

from advprop_core.models.cards import describe_attack
from advprop_core.types import ModelInfo
from app.language.text import _, listing
from app.shell import cache, messages, network_files
from app.shell.layout import table
from app.shell.messages import FEW_CLASSES, safe
from app.shell.network_fields import show_facts


def show(name: str, info: ModelInfo) -> None:
    """Everything that is known of a network."""
    st.header(network_files.title(name))
    st.markdown(
        _("{architecture}, {size} × {size} px, {count} classes: {names}.").format(
            architecture=safe(info.architecture),
            size=info.input_size,
            count=info.num_classes,
            names=listing(info.class_names, FEW_CLASSES),
        )
    )
    st.markdown("\n".join(f"- {line}" for line in _branches(info)))
    _sources(name, info)
    if info.metrics:
        table(measured(info))
    if command := info.recipe.get("command"):
        with st.expander(_("How it was trained")):
            st.code(command, language="shell", wrap_lines=True)
            st.json(dict(info.recipe), expanded=False)


def measured(info: ModelInfo) -> list[dict[str, Any]]:
    """A line for each figure of a network."""
    rows = []
    for metric in info.metrics:
        low, high = (f"{100 * end:.1f}" for end in metric["interval"])
        rows.append(
            {
                _("Branch"): safe(metric["branch"]),
                _("What"): _condition(metric["condition"]),
                _("Result"): f"{100 * metric['top1']:.1f} %",
                _("95 % interval"): _("{low} to {high} %").format(low=low, high=high),
                _("Images"): metric["n"],
                _("Data"): safe(metric["data"]),
            }
        )
    return rows


def _condition(condition: Mapping[str, Any]) -> str:
    """What a figure was measured under."""
    if condition["kind"] == "clean":
        return _("clean accuracy")
    if condition["kind"] == "shape-bias":
        return _("shape bias")
    return _("robust accuracy, {attack}").format(attack=describe_attack(condition))


def _branches(info: ModelInfo) -> Iterator[str]:
    """How each branch came to be."""
    for branch in info.branches:
        yield _("**{branch}** was {origin}.").format(
            branch=branch, origin=_(info.origin(branch).sentence)
        )


def _sources(name: str, info: ModelInfo) -> None:
    """What was read of a file in a foreign layout, said, found, guessed and ignored."""
    origin = network_files.origin(name)
    findings = cache.described(name).findings if origin is None else origin.findings
    if findings is None:
        return
    file = cache.file_of(name).name if origin is None else origin.file
    st.markdown(_("Opened from the file {file}:").format(file=messages.quote(file, 80)))
    show_facts(findings, info)
