"""The numbers of a figure as a table, whatever is drawn of them."""

import csv
import html
import io
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from advprop_core.report.style import Spec
from advprop_core.text import spreadsheet_cell

_COLUMNS = ("network", "branch", "picture", "condition", "epsilon", "n", "panel", "series", "name",
            "x", "y", "low", "high", "value")  # fmt: skip
_TAG = re.compile(r"<[^>]*>")


def to_csv(figure: Spec, about: Mapping[str, Any] = MappingProxyType({})) -> str:
    """A row for each number that a figure shows; empty columns are left out.

    Args:
        figure: Its scatter, bar and heatmap traces are read; pictures, bands and marks, which have
            nothing to say on hovering, are not. What a trace's ``meta`` holds by the name of a
            column is of all its numbers, or, as a list, of one each: of each row, where it is a
            heatmap.
        about: Column to what is the same of all numbers, unless a trace says it.
    """
    layout = figure["layout"]
    rows = [{**about, **row} for trace in figure["data"] for row in _rows(trace, layout)]
    used = [name for name in _COLUMNS if any(row.get(name, "") != "" for row in rows)]
    titles = {axis: _title(layout.get(f"{axis}axis", {})) or axis for axis in ("x", "y")}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([titles.get(name, name) for name in used])
    for row in rows:
        values = [row.get(name, "") for name in used]
        table.writerow([spreadsheet_cell(v) if isinstance(v, str) else v for v in values])
    return text.getvalue()


def has_numbers(figure: Spec) -> bool:
    """Whether there is anything for :func:`to_csv`; a figure of pictures has nothing."""
    return any(map(_is_read, figure["data"]))


def _is_read(trace: Spec) -> bool:
    is_table = trace["type"] == "heatmap"  # its numbers may be written in its cells instead
    return trace["type"] in _READERS and (is_table or trace.get("hoverinfo") != "skip")


def _rows(trace: Spec, layout: Spec) -> Iterator[dict[str, Any]]:
    if not _is_read(trace):
        return
    named = {"panel": _title(layout), "series": _plain(trace.get("name", ""))}
    full = (layout.get("meta") or {}).get("labels", {})
    for row in _READERS[trace["type"]](trace):
        for axis in ("x", "y"):
            number = trace.get(f"{axis}axis", axis)[1:]
            row[axis] = _tick(row[axis], layout.get(f"{axis}axis{number}", {}), full)
        yield named | row


def _points(trace: Spec) -> Iterator[dict[str, Any]]:
    """Of a scatter or a bar, with the ends of their intervals and what a point is called."""
    names = trace.get("customdata")
    for at, (x, y) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        if x is None or y is None:
            continue
        row = {"x": x, "y": y, **_meta(trace, at)}
        if names and isinstance(names[at], str):
            row["name"] = names[at]
        for axis, value in (("x", x), ("y", y)):
            bars = trace.get(f"error_{axis}") or {}
            if "array" in bars:
                row["high"] = value + bars["array"][at]
                row["low"] = value - bars.get("arrayminus", bars["array"])[at]
        yield row


def _cells(trace: Spec) -> Iterator[dict[str, Any]]:
    """Of a heatmap."""
    table = trace["z"]
    across = trace.get("x") or range(len(table[0]))
    down = trace.get("y") or range(len(table))
    for at, (y, line) in enumerate(zip(down, table, strict=True)):
        for x, value in zip(across, line, strict=True):
            if value is not None:
                yield {"x": x, "y": y, "value": value, **_meta(trace, at)}


def _meta(trace: Spec, at: int) -> dict[str, Any]:
    """What the trace says of the number at this place."""
    meta = trace.get("meta") or {}
    return {name: value[at] if isinstance(value, list) else value for name, value in meta.items()}


_READERS = {"scatter": _points, "bar": _points, "heatmap": _cells}


def _tick(value: Any, axis: Spec, full: Mapping[str, str]) -> Any:
    """What stands at a place, where the places of an axis are numbered from 0 and have names."""
    names, places = (axis.get(name, []) for name in ("ticktext", "tickvals"))
    if not names or places != list(range(len(names))) or not isinstance(value, int | float):
        return value
    if round(value) >= len(names):  # where there is room for some of the names alone
        return value
    name = names[round(value)]
    return _plain(full.get(name, name))


def _title(settings: Spec) -> str:
    """Of a figure or an axis, which plotly takes as a text or with its style."""
    title = settings.get("title") or ""
    return _plain(title.get("text") if isinstance(title, Mapping) else title)


def _plain(text: Any) -> str:
    """Without markup and coloured marks."""
    bare = html.unescape(_TAG.sub(" ", str(text or ""))).replace("■", " ")
    return " ".join(bare.split())
