"""Results of a transfer experiment: the answer, its figures in tabs, all of them in a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from advprop_core.report.sections import Section
from advprop_core.report.transfer_sections import transfer_sections
from app.shell import chart_saving, defects, messages, state
from app.shell.layout import chart, in_rows, tabs
from app.shell.state import key
from app.shell.workbench import dark
from app.transfer import words

_TITLES = {"images": "Images", "differences": "Differences", "blocks": "Blocks", "epochs": "Epochs"}


def show(content: Mapping[str, Any]) -> None:
    """The content of a transfer experiment's ``results.json``."""
    chart_saving.tell(words.source(content))
    st.markdown(f"## {words.heading(content)}")
    for sentence in words.answers(content):
        st.markdown(sentence)
    _figures(content)
    for title, rows in words.table_rows(content):
        st.markdown(f"### {title}")
        st.table(rows, border="horizontal", hide_index=True)
    st.caption(f"{words.source(content)} {words.CAUTION}")
    for note in content["notes"]:
        st.caption(messages.safe(f"{note}."))
    for row in content["failed"]:
        st.warning(messages.safe(f"{row['source']}, seed {row['seed']}: {row['reason']}"))
    _offer_files(content)


@defects.fragment
def _figures(content: Mapping[str, Any]) -> None:
    """The report's sections, a tab at a time."""
    sections = {_TITLES[section.key]: section for section in transfer_sections(content)}
    st.session_state.setdefault(key("learned_part"), st.session_state["fields"]["learned_part"])
    state.current()
    tab, title = tabs(list(sections), "learned_part")
    with tab:
        _section(sections[title])
    state.current()


def _section(section: Section) -> None:
    from app.figures.robustness import of_report

    st.markdown(f"### {messages.safe(section.title)}")
    for group in section.groups:
        if group.title:
            st.markdown(f"**{group.title}**")
        across = min(2, len(group.plots))
        roomy = f"{section.key}{group.title[:4]}"
        for column, plot in in_rows(group.plots, across, roomy=roomy):
            with column:
                chart(of_report(plot.spec, dark()), f"transfer.{plot.key}", plot.alt)
    st.caption(section.caption)


def _offer_files(content: Mapping[str, Any]) -> None:
    with st.expander("Make it again, or take it with you", icon=":material/download:"):
        st.code(content["command"], language="shell", wrap_lines=True)
        with st.container(horizontal=True):
            st.download_button(
                "Results (JSON)",
                lambda: json.dumps(content, indent=1, ensure_ascii=False),
                file_name="results.json",
                mime="application/json",
                on_click="ignore",
            )
            st.download_button(
                "Report (HTML)",
                lambda: _report(content),
                file_name="report.html",
                mime="text/html",
                on_click="ignore",
                help="One page with every figure and table, which opens offline.",
            )


def _report(content: Mapping[str, Any]) -> str:
    from advprop_core.report.files import transfer_html

    return transfer_html(content)
