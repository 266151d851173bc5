"""Transfer: which network learns a new task best from few images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from advprop_core.models import bundle
from advprop_core.report.pages import transfer_page
from advprop_core.report.transfer_sections import transfer_sections
from advprop_core.report.transfer_words import sources
from advprop_core.transfer import results_file
from advprop_core.transfer.grid import Grid
from advprop_core.types import ModelInfo
from app.language.text import N_, _, english, paragraph
from app.shell import chart_saving, defects, messages, results_page, runs, state
from app.shell.fields import several
from app.shell.jobs import Report
from app.shell.layout import report_plots, table, tabs
from app.shell.public import is_public
from app.shell.results_page import Run
from app.transfer import controls, words
from app.transfer.view import TransferView

_FEW_ROWS = 12
_MOST_BESIDE = 3


def _bundled() -> dict[str, Path]:
    """Name to file of the results that come with the app, those that answer most first."""
    folder = bundle.bundle_dir() / "assets" / "results"
    paths = {path.stem: path for path in sorted(folder.glob("transfer*.json"))}
    return {name: paths[name] for name in dict.fromkeys([*words.BUNDLED, *paths]) if name in paths}


def _ask(view: TransferView, models: Mapping[str, ModelInfo]) -> Run:
    grid = controls.grid_of(view)
    passes = controls.passes(grid)
    return Run(runs.task(passes, transfer, grid), words.plan(grid), passes, _("{sentence}."))


def transfer(grid: Grid, files: Mapping[str, Path], progress: Report) -> dict[str, Any]:
    """Done by a worker."""
    from app.transfer import work  # here: it loads torch

    return work.transfer(grid, files, progress=progress)


def _show(content: Mapping[str, Any]) -> None:
    """The answer, its figures in tabs, all of them in a table."""
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
        failure = _(
            "{source}, seed {seed}: {reason}",
            source=row["source"],
            seed=row["seed"],
            reason=row["reason"],
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
            shown = {s.key.capitalize(): s for s in transfer_sections(_drawn(content))}
            section = shown[title]
            st.markdown(f"### {messages.safe(section.title)}")
            for number, group in enumerate(section.groups):
                if group.title:
                    st.markdown(f"**{group.title}**")
                report_plots(group.plots, 2, "transfer", f"{section.key}-{number}")
            st.caption(section.caption)


def _drawn(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """With as many sources as a figure tells apart: colours say the branch, and most are main."""
    first, *others = sources(content)
    if len(others) <= _MOST_BESIDE:
        return content
    chosen = several(
        _(
            "Networks in the figures besides {first}, at most {most}",
            first=messages.safe(first),
            most=_MOST_BESIDE,
        ),
        {source: source for source in others},
        "drawn",
        default=words.best_of(content, _MOST_BESIDE),
        most=_MOST_BESIDE,
    )
    named = {first, *chosen}
    return {**content, "sources": {k: v for k, v in content["sources"].items() if k in named}}


results_page.show_page(
    TransferView,
    N_("Which network learns from few images?"),
    words.LEAD,
    slot="transfer",
    field="learned",
    bundled={name: words.BUNDLED.get(name, messages.safe(name)) for name in _bundled()},
    read=lambda name: results_file.parse(name, _bundled()[name].read_bytes()),
    settle=controls.settle,
    controls=controls.show,
    ask=_ask,
    file=_("A results.json, as `advprop transfer … --out DIR` writes it"),
    parse=results_file.parse,
    show=_show,
    closed=_(words.NOT_HERE) if is_public() else "",
)
