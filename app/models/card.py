"""The card of a network: what it is, where that is known from, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import streamlit as st

from advprop_core.models.cards import describe_condition
from advprop_core.text import join
from advprop_core.types import ModelInfo
from app.shell import cache, messages, network_files
from app.shell.messages import safe

_FROM = {
    "given": "said by who opened it",
    "read": "read in the file",
    "found": "found from the tensors",
    "guessed": "guessed: check it",
}


def show(name: str, info: ModelInfo) -> None:
    """Everything that is known of a network."""
    st.header(network_files.title(name))
    few = info.class_names[:12]
    more = [f"{info.num_classes - len(few)} more"] if info.num_classes > len(few) else []
    st.markdown(
        f"{safe(info.architecture)}, {info.input_size} × {info.input_size} px, "
        f"{info.num_classes} classes: {join([*few, *more])}."
    )
    st.markdown("\n".join(f"- {line}" for line in _branches(info)))
    _sources(name, info)
    if info.metrics:
        st.table(measured(info), hide_index=True)
    if command := info.recipe.get("command"):
        with st.expander("How it was trained"):
            st.code(command, language="shell", wrap_lines=True)
            st.json(dict(info.recipe), expanded=False)


def measured(info: ModelInfo) -> list[dict[str, Any]]:
    """A line for each figure of a network."""
    rows = []
    for metric in info.metrics:
        low, high = metric["interval"]
        rows.append(
            {
                "Branch": safe(metric["branch"]),
                "What": describe_condition(metric["condition"]),
                "Result": f"{metric['top1']:.1%}",
                "95 % interval": f"{low:.1%} to {high:.1%}",
                "n": metric["n"],
                "Data": safe(metric["data"]),
            }
        )
    return rows


def _branches(info: ModelInfo) -> Iterator[str]:
    """How each branch came to be."""
    for branch in info.branches:
        yield f"**{branch}** was {info.origin(branch).sentence}."


def _sources(name: str, info: ModelInfo) -> None:
    """What was read of a file in a foreign layout, said, found, guessed and ignored."""
    origin = network_files.origin(name)
    findings = cache.model_findings(name) if origin is None else origin.findings
    if findings is None:
        return
    file = cache.file_of(name).name if origin is None else origin.file
    st.markdown(f"Opened from the file {messages.quote(file, 80)}:")
    is_found = origin is not None and origin.is_found
    lines = []
    for fact in findings.facts(info):
        source = "found" if is_found and fact.name == "architecture" else fact.source
        if source is not None:  # branches are above
            lines.append(
                {"What": fact.name, "Value": safe(fact.value), "Where from": _FROM[source]}
            )
    st.table(lines, border="horizontal", hide_index=True)
    for remark in findings.remarks("the file"):
        st.markdown(safe(remark))
