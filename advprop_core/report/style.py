"""What the figures of a report have in common: their frame, colours, marks and whiskers."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from advprop_core.language import _
from advprop_core.report.colours import branch_colour

Spec = dict[str, Any]
"""A figure's data and layout, as plotly is told them."""

# One more than dashes: the seventh source has a dash of the first again, but another symbol.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
LEGEND = {"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0}
LOCALES = {"en-US": {"format": {"currency": ["", " %"]}}}
"""Of plotly's configuration: a share is written ``93.1 %`` by the format ``$.1%``.

The format ``.1%`` would write ``93.1%``. Its sign is fixed in plotly, but ``$`` puts a currency in
its place. Every figure needs this, on pages as in reports.
"""
_FILLS = {"main": "", "aux": "-open"}
_INK = "#1F2933"
_CHECKPOINTS = (".safetensors", ".pth", ".pt", ".bin", ".tar")


def frame(
    data: Sequence[Spec], *, height: int, title: str = "", top: int = 40, **layout: Any
) -> Spec:
    """A figure on the report's ground.

    Args:
        data: Its traces.
        height: In pixels.
        title: At its top left.
        top: Room above the axes, in pixels.
        **layout: What else plotly is told; the title of an axis may be a text.
    """
    axes = {key: value | {"title": {"text": value.get("title", "")}}
            for key, value in layout.items() if key.endswith("axis")}  # fmt: skip
    shared = {
        "template": "plotly_white",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": _INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False,
        "height": height,
        "margin": {"l": 10, "r": 10, "t": top, "b": 10},
        "title": {"text": title, "font": {"size": 13}, "x": 0.02, "y": 1 - 20 / height},
    }
    return {"data": [*data], "layout": shared | layout | axes}


def line(
    branch: str, index: int, name: str, x: Sequence[Any], y: Sequence[float], **more: Any
) -> Spec:
    """A branch's line; ``index`` is the place of its model or source, which decides the dash."""
    drawn: Spec = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [*x],
        "y": [*y],
        "line": {"color": branch_colour(branch), "dash": DASHES[index % len(DASHES)], "width": 2},
        "marker": marker(branch, index),
    }
    return drawn | more


def marker(branch: str, index: int) -> Spec:
    """A branch's colour, a model's symbol."""
    return {"color": branch_colour(branch), "symbol": symbol(branch, index), "size": 9}


def symbol(branch: str, index: int) -> str:
    """The model's own, filled otherwise for each branch: not everyone tells colours apart."""
    return SYMBOLS[index % len(SYMBOLS)] + _FILLS.get(branch, "-open-dot")


def short_names(models: Sequence[str]) -> dict[str, str]:
    """Models to labels: a file's folder and stem, with more folders where two would be alike."""
    parts = {}
    for model in models:
        path = PurePath(model)
        is_file = path.suffix in _CHECKPOINTS
        parts[model] = (*path.parts[:-1], path.stem) if is_file else (model,)
    labels = dict(zip(models, models, strict=True))
    for model, path_parts in parts.items():
        for count in range(2, len(path_parts) + 2):
            if [others[-count:] for others in parts.values()].count(path_parts[-count:]) == 1:
                labels[model] = "/".join(path_parts[-count:])
                break
    return labels


def plain(text: str) -> str:
    """A text without tags, for a label."""
    return escape(str(text), quote=False)  # plotly reads tags in labels


def branch_title(row: Mapping[str, Any]) -> str:
    """``imagenette-advprop, aux``, for a label."""
    return f"{plain(row['model'])}, {row['branch']}"


def interval_on_hover(column: int, number: str = ":$.1%") -> str:
    """Both ends of an interval, from this column of a trace's ``customdata`` on."""
    low, high = (f"%{{customdata[{end}]{number}}}" for end in (column, column + 1))
    return _("{low} to {high}", low=low, high=high)


def whiskers(pairs: Sequence[tuple[float, float, float]], colour: str = _INK) -> Spec:
    """From a value to both ends of its interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, _, high in pairs],
        "arrayminus": [value - low for value, low, _ in pairs],
        "color": colour,
        "thickness": 1.2,
        "width": 3,
    }


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> Spec:
    """The area between two lines over the same places, there and back."""
    red, green, blue = bytes.fromhex(colour[1:])
    return {
        "type": "scatter",
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},0.14)",
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
    }
