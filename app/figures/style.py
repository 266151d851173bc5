"""What all figures have in common; colour means branch.

A figure is a dict of its traces and its layout, as plotly is told them, in the inks of a light
page. :func:`on_page` gives it those of the page that it stands on.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from advprop_core.report.colours import branch_colour
from advprop_core.report.style import Spec
from advprop_core.types import InputKind
from app.language.text import N_, _

COLUMN_TITLES: Mapping[str, str] = {
    "clean": N_("Clean"),
    "adversarial": N_("Perturbed"),
}
KIND_TITLES: Mapping[str, str] = {"clean": N_("clean"), "adversarial": N_("perturbed")}
"""The same within a sentence or beside a branch."""
_NARROWEST, _LETTER = 260, 8  # px: an axis on a phone, a letter of a label
INK, FAINT, MUTED = "#1F2933", "#9AA5B1", "#5B6770"
# One hue, readable without colour vision: little is pale on a light ground and dark on a dark one.
STRIP_SCALE = ["#F1F4F7", "#8E9BB8", "#2B2F55"]
TO_DARK = {
    INK: "#E6EAEE", FAINT: "#6B7785", MUTED: "#A8B3BD",
    **dict(zip(STRIP_SCALE, ("#1D232A", "#6B7BA6", "#E3E8F5"), strict=True)),
}  # fmt: skip
"""Every colour that a figure has on a light page alone, to what it is on a dark one."""
TO_LIGHT = {dark: light for light, dark in TO_DARK.items()}
DASHES: dict[InputKind, str] = {"clean": "solid", "adversarial": "dot"}
SHARES = {"tickvals": [0, 0.5, 1], "ticktext": ["0 %", "50 %", "100 %"], "zeroline": False}
LEGEND = {"orientation": "h", "x": 0}
"""Entries in a row, from the left."""
FITTED = {"automargin": True, "fixedrange": True}
"""An axis that has room for its names, and does not move."""
SETTLED = {"font": {"size": 13}, "dragmode": False, "hovermode": "closest"}
"""The layout of a figure that stays as it is."""


def figure(
    traces: Iterable[Spec], height: int, margin: Sequence[int], *, x: Spec, y: Spec, **layout: Any
) -> Spec:
    """A figure of a height in pixels, with a margin at the left, right, top and bottom.

    ``x`` and ``y`` are its axes.
    """
    margins = dict(zip("lrtb", margin, strict=True))
    shown = {"height": height, "margin": margins, "xaxis": x, "yaxis": y}
    return {"data": [*traces], "layout": shown | layout}


def on_page(spec: Spec, *, dark: bool) -> Spec:
    """A figure of a page or a report, on the page's ground and in its inks.

    Streamlit's theme would write axes and legend in a grey that is too faint.
    """
    layout = {key: value for key, value in spec["layout"].items() if key != "template"}
    layout["font"] = {"color": INK, "size": layout.get("font", {}).get("size", 12)}
    layout["legend"] = {**layout.get("legend", {}), "font": {"color": INK}}
    for name in layout:
        if re.fullmatch(r"[xy]axis\d*", name):
            tickfont = {"color": INK, **layout[name].get("tickfont", {})}
            title = {**layout[name].get("title", {}), "font": {"color": INK}}
            layout[name] = layout[name] | {"tickfont": tickfont, "title": title}
    inked = {"data": spec["data"], "layout": layout}
    return _darkened(inked) if dark else inked


def _darkened(value: Any) -> Any:
    if isinstance(value, str):
        return TO_DARK.get(value, value)
    if isinstance(value, dict):
        return {key: _darkened(item) for key, item in value.items()}
    return [*map(_darkened, value)] if isinstance(value, list | tuple) else value


def upright(x: float, yref: str = "y domain", **line: Any) -> Spec:
    """A line across a figure at a place of its x axis."""
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "xref": "x", "yref": yref,
            "line": line}  # fmt: skip


def marked(name: str, colour: str) -> str:
    """A name with its colour beside it, for coloured letters are hard to read."""
    return f'<span style="color:{colour}">■</span> {name}'


def branch_title(branch: str) -> str:
    """A branch's name with its colour."""
    return marked(f"<b>{branch}</b>", branch_colour(branch))


def series(title: str) -> Spec:
    """What a trace is called: on the page translated, in a file of numbers English as here."""
    return {"name": _(title), "meta": {"series": title}}


def bar_marker(colour: str | Sequence[str], kind: InputKind) -> Spec:
    """Bars of clean pictures are plain, those of perturbed ones hatched."""
    shape = "" if kind == "clean" else "/"
    pattern = {"shape": shape, "fillmode": "replace", "size": 6, "solidity": 0.35}
    return {"color": colour, "line": {"color": colour, "width": 1}, "pattern": pattern}


def panel_title(text: str) -> Spec:
    """A small title at the upper left of a figure."""
    return {"text": text, "font": {"size": 14, "color": INK}, "x": 0, "y": 0.98}


def row_axis(labels: Sequence[str]) -> Spec:
    """An axis of rows with names, the first on top."""
    return {
        "tickvals": [*range(len(labels))],
        "ticktext": [*labels],
        "range": [len(labels) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }


def stage_axis(stages: Sequence[str], first: int = 0) -> Spec:
    """An axis of layers from ``first`` on that names each stage in the middle of its layers.

    A name whose neighbour is so near that they would overlap on a phone has no room: it is left
    out, and hovering still says it.
    """
    positions: dict[str, list[int]] = {}
    for position, stage in enumerate(stages, first):
        positions.setdefault(stage, []).append(position)
    middles = {stage: (within[0] + within[-1]) / 2 for stage, within in positions.items()}

    def are_apart(stage: str, other: str) -> bool:
        room = _NARROWEST * abs(middles[stage] - middles[other]) / len(stages)
        return room > _LETTER * (len(stage) + len(other)) / 2

    named: list[str] = []  # stages with most layers first, for their names have most room
    for stage in sorted(positions, key=lambda stage: -len(positions[stage])):
        if all(are_apart(stage, other) for other in named):
            named.append(stage)
    ordered = [stage for stage in positions if stage in named]
    return {
        "tickvals": [middles[stage] for stage in ordered],
        "ticktext": ordered,
        "showgrid": False,
        "fixedrange": True,
    }
