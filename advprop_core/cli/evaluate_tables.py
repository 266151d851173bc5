"""The report's tables as ``advprop evaluate`` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from advprop_core.report import tables as report_tables

_MEASURES = ("mean_corruption_error", "imagenet_c", "smallest_epsilon", "shape_bias")


def tables(content: Mapping[str, Any]) -> Iterator[tuple[str, Table]]:
    """Each model's tables with their titles.

    A title stands outside of its table, which would fold it to its own width.
    """
    for model in content["models"]:
        for table in report_tables.tables(_of_model(content, model)):
            if not table.is_long:
                yield f"{model}: {table.title}", _in_rich(table)


def _of_model(content: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What one model is responsible for."""
    part: dict[str, Any] = {"results": _of(content["results"], model)}
    for name in _MEASURES:
        if name in content and (results := _of(content[name]["results"], model)):
            part[name] = {"results": results}
    return part


def _of(results: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    return [result for result in results if result["model"] == model]


def _in_rich(table: report_tables.Table) -> Table:
    """The columns that a terminal has room for, without the model's."""
    places = [
        place
        for place in table.brief or range(len(table.columns))
        if table.columns[place] != "model"
    ]
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place in places:
        if (name := table.columns[place]) in report_tables.TEXTS:
            shown.add_column(name, overflow="fold")
        else:
            shown.add_column(name, justify="right", no_wrap=True)
    for row in table.rows:
        shown.add_row(*(row[place] for place in places))
    return shown
