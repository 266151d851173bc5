"""Tables of a report in a terminal."""

from __future__ import annotations

from rich.table import Table as RichTable

from advprop_core.report.tables import TEXTS, Table


def in_rich(table: Table) -> RichTable:
    """The columns that a terminal has room for, without the model's."""
    shown = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    columns = [
        index
        for index in table.brief or range(len(table.columns))
        if table.columns[index] != "model"
    ]
    for index in columns:
        if (name := table.columns[index]) in TEXTS:
            shown.add_column(name, overflow="fold")
        else:
            shown.add_column(name, justify="right", no_wrap=True)
    for row in table.rows:
        shown.add_row(*(row[index] for index in columns))
    return shown
