"""The results that come with the app, and any results section by section."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.models import bundle
from advprop_core.report.sections import (
    Group,
    Plot,
    Section,
    corrupted_by_branch,
    sections,
    with_short_names,
)
from advprop_core.report.sentences import headline, who
from advprop_core.report.words import Row, gradients_checked
from app.robustness import gallery, words
from app.shell import defects, messages
from app.shell.layout import chart, in_rows
from app.shell.workbench import dark

if TYPE_CHECKING:
    from app.robustness.work import Outcome


_FIRST = "imagenette"
"""What a visitor sees at first: every model under many conditions, on photos."""
_OTHER_PAGES = ("norm-halves",)  # results that the Anatomy page shows


def bundled() -> dict[str, Path]:
    """Name to file of the results that come with the app, that to begin with in front."""
    folder = bundle.bundle_dir() / "assets" / "results"
    files = (path for path in folder.glob("*.json") if path.stem not in _OTHER_PAGES)
    paths = sorted(files, key=lambda path: (path.stem != _FIRST, path.stem))
    return {path.stem: path for path in paths}


def show(content: Mapping[str, Any], outcome: Outcome | None) -> None:
    """The content of a ``results.json``; and, measured here, the answers image by image."""
    named = with_short_names(content)
    sentences = [*map(words.emphasised, headline(named))]
    for sentence in (*(f"#### {first}" for first in sentences[:1]), *sentences[1:]):
        st.markdown(sentence)
    st.caption(f"{words.source(content)} {words.reused(outcome) if outcome else ''}")
    offer_files(content, "results.json", lambda: _report(content))
    for warning in content.get("warnings", ()):
        st.warning(messages.safe(warning["text"]), icon=":material/visibility_off:")
    if checked := gradients_checked(content):
        st.caption(f":material/check: {checked}")
    for section in sections(named):
        st.subheader(section.title)
        _section(section)
        if section.key == "corruptions" and len(by_branch := corrupted_by_branch(named)) > 1:
            _difference(by_branch)
    st.subheader("Where do the branches disagree?")
    if outcome is None:
        st.markdown(
            "A results file holds totals only; run the measurement here to see single images and "
            "where the branches disagree."
        )
    else:
        gallery.show(outcome)


def offer_files(
    content: Mapping[str, Any], file_name: str, report: Callable[[], str] | None = None
) -> None:
    """How to measure again, and the files to keep."""
    with st.expander("Make it again, or take it with you", icon=":material/download:"):
        st.code(content["command"], language="shell", wrap_lines=True)
        with st.container(horizontal=True):
            st.download_button(
                "Results (JSON)",
                lambda: json.dumps(content, indent=1, ensure_ascii=False),
                file_name=file_name,
                mime="application/json",
                on_click="ignore",
            )
            if report is not None:
                st.download_button(
                    "Report (HTML)",
                    report,
                    file_name="report.html",
                    mime="text/html",
                    on_click="ignore",
                    help="One page with every figure and table, which opens offline.",
                )


def _report(content: Mapping[str, Any]) -> str:
    from advprop_core.report.files import html

    return html(content)


@defects.fragment
def _section(section: Section) -> None:
    """One group of plots, which a person may choose where there are several."""
    group = section.groups[0]
    if len(section.groups) > 1:
        titles = [group.title for group in section.groups]
        title = st.selectbox("What images went through", titles, key=f"robustness.{section.key}")
        group = section.groups[titles.index(title)]
    _group(group, section.across)
    if section.caption:
        st.caption(section.caption)


def _group(group: Group, across: int) -> None:
    if group.text:
        st.markdown(words.emphasised(group.text))
    for plot in group.plots:
        if plot.is_wide:
            _plot(plot)
    narrow = [plot for plot in group.plots if not plot.is_wide]
    for column, plot in in_rows(narrow, across):  # in more they overlap
        with column:
            _plot(plot)


def _plot(plot: Plot) -> None:
    from app.figures import robustness as figures

    chart(figures.of_report(plot.spec, dark()), f"robustness.{plot.key}", plot.alt)
    if plot.note:
        st.markdown(words.emphasised(plot.note))


@defects.fragment
def _difference(by_branch: Mapping[tuple[str, str], Sequence[Row]]) -> None:
    """Two of them, compared cell by cell."""
    from app.figures import robustness as figures

    st.markdown("##### Which of two is more robust to which corruption?")
    branches = list(by_branch)
    left, right = st.columns(2)
    first = left.selectbox(
        "From", branches, index=len(branches) - 2, format_func=", ".join, key="robustness.first"
    )
    second = right.selectbox(
        "To", branches, index=len(branches) - 1, format_func=", ".join, key="robustness.second"
    )
    if first == second:
        st.markdown("These are the same: choose two different ones.")
        return
    gains = words.corruption_gains(by_branch[first], by_branch[second])
    if not gains:
        st.markdown("These two were not measured on the same corruptions.")
        return
    sentence = words.gain(gains, who(by_branch[first][0]), who(by_branch[second][0]))
    st.markdown(words.emphasised(sentence))
    figure = figures.difference(gains, dark=dark())
    # Few columns need not be wide.
    chart(figure, "robustness.difference", sentence, width=figure.layout.width)
