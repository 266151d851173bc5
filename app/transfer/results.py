"""Results of a transfer experiment: the answer, its figures in tabs, all of them in a table."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from advprop_core.report.pages import transfer_page
from advprop_core.report.sections import Section
from advprop_core.report.transfer_sections import transfer_sections
from app.language.text import _, english, paragraph
from app.shell import chart_saving, defects, messages, runs, state
from app.shell.layout import report_plots, tabs
from app.transfer import words

_FEW_ROWS = 12


def show(content: Mapping[str, Any]) -> None:
    """The content of a transfer experiment's ``results.json``."""
    with english():  # files say it
        chart_saving.tell(words.source(content))
    st.markdown(f"## {messages.unbroken(words.heading(content))}")
    st.markdown(words.answers(content))
    _figures(content)
    for title, rows, meanings in words.table_rows(content):
        # Nine networks by seven numbers of images are ten screens of a phone.
        with st.expander(title, expanded=len(rows) <= _FEW_ROWS):
            st.table(rows, border="horizontal", hide_index=True)
            st.caption(meanings)
    st.caption(paragraph([words.source(content), _(words.CAUTION)]))
    for note in content["notes"]:
        st.caption(messages.safe(f"{note}."))
    for row in content["failed"]:
        failure = _("{source}, seed {seed}: {reason}").format(
            source=row["source"], seed=row["seed"], reason=row["reason"]
        )
        st.warning(messages.safe(failure))
    runs.offer_files(content, "results.json", transfer_page)


@defects.fragment
def _figures(content: Mapping[str, Any]) -> None:
    """The report's sections, a tab at a time."""
    sections = {section.key.capitalize(): section for section in transfer_sections(content)}
    with state.remembered("learned_part"):
        tab, title = tabs(list(sections), "learned_part")
        with tab:
            _section(sections[title])


def _section(section: Section) -> None:
    st.markdown(f"### {messages.safe(section.title)}")
    for number, group in enumerate(section.groups):
        if group.title:
            st.markdown(f"**{group.title}**")
        report_plots(group.plots, 2, "transfer", f"{section.key}-{number}")
    st.caption(section.caption)
