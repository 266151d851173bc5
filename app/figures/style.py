"""What all figures have in common; colour means branch."""

from collections.abc import Mapping, Sequence
from typing import Any

from advprop_core.report.colours import branch_colour
from advprop_core.report.style import whiskers
from advprop_core.types import InputKind
from app.language.text import N_, _

COLUMN_TITLES: Mapping[str, str] = {
    "clean": N_("Clean"),
    "adversarial": N_("Perturbed"),
}
KIND_TITLES: Mapping[str, str] = {"clean": N_("clean"), "adversarial": N_("perturbed")}
"""The same within a sentence or beside a branch."""
_NARROWEST, _LETTER = 260, 8  # px: an axis on a phone, a letter of a label
INK = {False: "#1F2933", True: "#E6EAEE"}
FAINT = {False: "#9AA5B1", True: "#6B7785"}
MUTED = {False: "#5B6770", True: "#A8B3BD"}
# One hue, readable without colour vision: little is pale on a light ground and dark on a dark one.
STRIP_SCALES = {
    False: [(0.0, "#F1F4F7"), (0.5, "#8E9BB8"), (1.0, "#2B2F55")],
    True: [(0.0, "#1D232A"), (0.5, "#6B7BA6"), (1.0, "#E3E8F5")],
}
_STRIPS = zip(STRIP_SCALES[True], STRIP_SCALES[False], strict=True)
TO_LIGHT: Mapping[str, str] = {
    **{colours[True]: colours[False] for colours in (INK, FAINT, MUTED)},
    **{on_dark: on_light for (_, on_dark), (_, on_light) in _STRIPS},
}
"""Every colour that a figure has on a dark page alone, to what it is on a light one."""
DASHES: dict[InputKind, str] = {"clean": "solid", "adversarial": "dot"}
SHARES = {"tickvals": [0, 0.5, 1], "ticktext": ["0 %", "50 %", "100 %"], "zeroline": False}


def branch_title(branch: str) -> str:
    """A branch's name with its colour beside it."""
    # In a mark: coloured letters are hard to read.
    return f'<span style="color:{branch_colour(branch)}">■</span> <b>{branch}</b>'


def series(title: str) -> dict[str, Any]:
    """What a trace is called: on the page translated, in a file of numbers English as here."""
    return {"name": _(title), "meta": {"series": title}}


def name_in_full(figure: Any, labels: Mapping[str, str]) -> None:
    """Note what labels are short for: a file has more room than a page."""
    noted = (figure.layout.meta or {}).get("labels", {})
    figure.layout.meta = {"labels": {**noted, **labels}}


def bar_marker(colour: str | Sequence[str], kind: InputKind) -> dict[str, Any]:
    """Bars of clean pictures are plain, those of perturbed ones hatched."""
    shape = "" if kind == "clean" else "/"
    pattern = {"shape": shape, "fillmode": "replace", "size": 6, "solidity": 0.35}
    return {"color": colour, "line": {"color": colour, "width": 1}, "pattern": pattern}


def error_bars(shares: Sequence[tuple[float, float, float]], dark: bool) -> dict[str, Any]:
    """In the page's ink, from each share to both ends of its interval."""
    return whiskers(shares) | {"color": INK[dark]}


def legend(dark: bool, **place: Any) -> dict[str, Any]:
    """Entries in a row, from the left."""
    return {"orientation": "h", "x": 0, "font": {"color": INK[dark]}, **place}


def panel_title(text: str, dark: bool) -> dict[str, Any]:
    """A small title at the upper left of a figure."""
    return {"text": text, "font": {"size": 14, "color": INK[dark]}, "x": 0, "y": 0.98}


def row_axis(labels: Sequence[str]) -> dict[str, Any]:
    """An axis of rows with names, the first on top."""
    return {
        "tickvals": [*range(len(labels))],
        "ticktext": [*labels],
        "range": [len(labels) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }


def stage_axis(stages: Sequence[str], first: int = 0) -> dict[str, Any]:
    """An axis of layers from ``first`` on that names each stage in the middle of its layers.

    A name whose neighbour is so near that they would overlap on a phone has no room: it is left
    out, and hovering still says it.
    """
    positions: dict[str, list[int]] = {}
    for position, stage in enumerate(stages, first):
        positions.setdefault(stage, []).append(position)
    middles = {stage: (within[0] + within[-1]) / 2 for stage, within in positions.items()}
    named: list[str] = []
    for stage in sorted(positions, key=lambda stage: -len(positions[stage])):
        if all(_apart(middles, stage, other, len(stages)) for other in named):
            named.append(stage)
    ordered = [stage for stage in positions if stage in named]
    return {
        "tickvals": [middles[stage] for stage in ordered],
        "ticktext": ordered,
        "showgrid": False,
        "fixedrange": True,
    }


def _apart(middles: Mapping[str, float], stage: str, other: str, count: int) -> bool:
    """Whether both names have room on the narrowest axis."""
    room = _NARROWEST * abs(middles[stage] - middles[other]) / count
    return room > _LETTER * (len(stage) + len(other)) / 2


def settle(figure: Any, height: int, dark: bool) -> None:
    """A figure that stays as it is, with room for the names on its axes."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 8, "b": 10},
        font={"color": INK[dark], "size": 13},
        dragmode=False,
        hovermode="closest",
    )
    figure.update_xaxes(automargin=True, fixedrange=True)
    figure.update_yaxes(automargin=True, fixedrange=True)
    ink_axes(figure, dark)


def ink_axes(figure: Any, dark: bool) -> None:
    """Streamlit's theme would write them in a grey that is too faint."""
    inked = {"tickfont": {"color": INK[dark]}, "title": {"font": {"color": INK[dark]}}}
    figure.update_xaxes(**inked)
    figure.update_yaxes(**inked)
    figure.update_layout(legend_font_color=INK[dark])
