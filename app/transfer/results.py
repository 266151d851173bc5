"""Results of a transfer experiment: the answer, its figures in tabs, all of them in a table."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from advprop_core.report.pages import transfer_page
from advprop_core.report.sections import Section
from advprop_core.report.transfer_sections import transfer_sections
from advprop_core.report.transfer_words import sources
from app.language.text import _, english, paragraph
from app.shell import chart_saving, defects, messages, runs, state
from app.shell.fields import several
from app.shell.layout import report_plots, table, tabs
from app.transfer import words

_FEW_ROWS = 12
_MOST_BESIDE = 3


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
            table(rows)
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
    titles = [section.key.capitalize() for section in transfer_sections(content)]
    with state.remembered("learned_part", "drawn"):
        tab, title = tabs(titles, "learned_part")
        with tab:
            shown = transfer_sections(_drawn(content))
            _section(next(section for section in shown if section.key.capitalize() == title))


def _drawn(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """With as many sources as a figure tells apart: colours say the branch, and most are main."""
    first, *others = sources(content)
    if len(others) <= _MOST_BESIDE:
        return content
    chosen = several(
        _("Networks in the figures besides {first}, at most {most}").format(
            first=messages.safe(first), most=_MOST_BESIDE
        ),
        {source: source for source in others},
        "drawn",
        default=words.best_of(content, _MOST_BESIDE),
        most=_MOST_BESIDE,
    )
    named = {first, *chosen}
    return {**content, "sources": {k: v for k, v in content["sources"].items() if k in named}}


def _section(section: Section) -> None:
    st.markdown(f"### {messages.safe(section.title)}")
    for number, group in enumerate(section.groups):
        if group.title:
            st.markdown(f"**{group.title}**")
        report_plots(group.plots, 2, "transfer", f"{section.key}-{number}")
    st.caption(section.caption)
