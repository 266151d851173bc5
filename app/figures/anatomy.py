"""The dial as figures: one network between two others, on both pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from advprop_core.report.colours import Sign, branch_colour, colour_span, overlay
from advprop_core.text import percent
from advprop_core.types import INPUT_KINDS, Comparison, InputKind, Prediction
from app.figures.pictures import data_uri
from app.figures.style import COLUMN_TITLES, INK, coloured

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Blended, Curve, Way

DASHES: dict[InputKind, str] = {"clean": "solid", "adversarial": "dot"}
FAINT = {False: "#9AA5B1", True: "#6B7785"}
_CLASSES = 4
_LONGEST_NAME = 20
_MAPS_HEIGHT = 150
_BARS_HEIGHT = 235
_CURVE_HEIGHT = 230


def colour_between(first: str, second: str, t: float) -> str:
    """The colour at t of the straight line between two, as ``#RRGGBB``."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (first, second)]
    return "#" + "".join(
        f"{round((1 - t) * start + t * end):02X}" for start, end in zip(*ends, strict=True)
    )


def maps(
    comparison: Comparison, blend: Blended, second: str, kind: InputKind, sign: Sign, opacity: float
) -> go.Figure:
    """The picture, then main, the blend and the second branch on it.

    The maps of both pictures share one colour scale.
    """
    colours = _colours(comparison, blend, second)
    titles = [coloured(_title(who, blend), colour) for who, colour in colours.items()]
    figure = make_subplots(
        rows=1, cols=4, horizontal_spacing=0.02, subplot_titles=[COLUMN_TITLES[kind], *titles]
    )
    span = colour_span([_map(comparison, blend, w, k) for w in colours for k in INPUT_KINDS], sign)
    photo = (comparison.clean if kind == "clean" else comparison.adversarial).numpy()
    drawn = [
        overlay(photo, _map(comparison, blend, who, kind), sign, span, opacity) for who in colours
    ]
    for column, values in enumerate([photo, *drawn], 1):
        figure.add_trace(go.Image(source=data_uri(values), hoverinfo="skip"), row=1, col=column)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain")
    figure.update_layout(height=_MAPS_HEIGHT, margin={"l": 0, "r": 0, "t": 28, "b": 2})
    return figure


def bars(
    comparison: Comparison,
    blend: Blended,
    second: str,
    kind: InputKind,
    names: Sequence[str],
    *,
    dark: bool = False,
) -> go.Figure:
    """What main, the blend and the second branch say of one picture, class by class."""
    chosen = _classes(comparison, blend, second)
    labels = [f"{'✓ ' if i == comparison.true_class else ''}{_short(names[i])}" for i in chosen]
    figure = go.Figure()
    for who, colour in _colours(comparison, blend, second).items():
        shares = _prediction(comparison, blend, who, kind).probabilities[chosen].tolist()
        figure.add_trace(
            go.Bar(
                name=_title(who, blend),
                x=shares,
                y=list(range(len(chosen))),
                orientation="h",
                marker={"color": colour},
                text=[percent(share) for share in shares],
                textposition="outside",
                textfont={"color": INK[dark], "size": 11},
                constraintext="none",
                cliponaxis=False,
                hovertemplate="%{text}",
            )
        )
    figure.update_xaxes(range=[0, 1.14], visible=False)
    figure.update_yaxes(
        tickvals=list(range(len(chosen))),
        ticktext=labels,
        tickfont={"color": INK[dark], "size": 13},
        range=[len(chosen) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        automargin=True,
    )
    figure.update_layout(
        height=_BARS_HEIGHT,
        margin={"l": 0, "r": 0, "t": 4, "b": 30},
        barmode="group",
        bargap=0.28,
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0, "traceorder": "normal"},
    )
    return figure


def curve(
    lines: Sequence[Curve], blend: Blended, class_index: int, *, dark: bool = False
) -> go.Figure:
    """The probability of one class all along the way, with a mark at the present place.

    Args:
        lines: What is said at each place; a second one, without estimating statistics, is faint.
        blend: The network at the present place.
        class_index: The class.
        dark: Whether the ground is.
    """
    way = lines[0].way
    ends = _end_colours(way, dark)
    now = colour_between(branch_colour("main"), branch_colour(way.second), blend.t)
    figure = go.Figure()
    figure.add_vline(x=blend.t, line={"color": FAINT[dark], "width": 1})
    for line in lines[1:]:
        for kind, shares in line.shares.items():
            figure.add_trace(_naive_line(line.places, shares[:, class_index].tolist(), kind, dark))
    for kind, shares in lines[0].shares.items():
        values = shares[:, class_index].tolist()
        figure.add_trace(
            go.Scatter(
                x=list(lines[0].places),
                y=values,
                name=COLUMN_TITLES[kind].lower(),
                line={"color": INK[dark], "width": 2, "dash": DASHES[kind]},
                mode="lines",
                hovertemplate="%{x:.0%} of the way: %{y:.1%}",
            )
        )
        figure.add_trace(_dots([0, 1], [values[0], values[-1]], list(ends), 9))
        if blend.way == way:
            here = float(blend.predictions[kind].probabilities[class_index])
            figure.add_trace(_dots([blend.t], [here], [now], 15, INK[dark]))
    lay_out_way(figure, way, dark)
    return figure


def lay_out_way(figure: go.Figure, way: Way, dark: bool) -> None:
    """Axes of a figure whose x is the way from main to a branch, and whose y is a share."""
    figure.update_xaxes(
        range=[0, 1],
        tickvals=[0.25, 0.5, 0.75],
        ticktext=["25 %", "50 %", "75 %"],
        showgrid=False,
        zeroline=False,
    )
    _name_ends(figure, way, _end_colours(way, dark))
    figure.update_yaxes(
        range=[-0.04, 1.06], tickvals=[0, 0.5, 1], showticklabels=False, zeroline=False
    )
    for share in (0, 0.5, 1):  # beside the ends, where lines begin and the slider's handle is
        figure.add_annotation(
            x=0.125,
            y=share,
            text=f"{share * 100:.0f} %",
            yanchor="bottom",
            showarrow=False,
            font={"color": FAINT[dark], "size": 12},
        )
    figure.update_layout(
        height=_CURVE_HEIGHT,
        margin={"l": 6, "r": 6, "t": 26, "b": 24},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )


def _naive_line(
    places: Sequence[float], values: Sequence[float], kind: InputKind, dark: bool
) -> go.Scatter:
    return go.Scatter(
        x=list(places),
        y=list(values),
        name="not estimated",
        legendgroup="naive",
        showlegend=kind == "clean",
        line={"color": FAINT[dark], "width": 1.5, "dash": DASHES[kind]},
        mode="lines",
        hovertemplate="%{x:.0%} of the way, statistics not estimated: %{y:.1%}",
    )


def _end_colours(way: Way, dark: bool) -> tuple[str, str]:
    return branch_colour("main"), branch_colour(way.second) if way.whole else FAINT[dark]


def end_title(way: Way) -> str:
    """What stands at the end of the way."""
    return way.second if way.whole else f"towards {way.second}"


def _name_ends(figure: go.Figure, way: Way, colours: tuple[str, str]) -> None:
    names = {"left": "main", "right": end_title(way)}
    for (side, name), colour in zip(names.items(), colours, strict=True):
        figure.add_annotation(
            x=0 if side == "left" else 1,
            y=0,
            xref="paper",
            yref="paper",
            xanchor=side,
            yanchor="top",
            yshift=-4,
            text=f"<b>{name}</b>",
            font={"color": colour},
            showarrow=False,
        )


def _dots(
    x: Sequence[float], y: Sequence[float], colours: Sequence[str], size: int, edge: str = ""
) -> go.Scatter:
    line = {"color": edge, "width": 2} if edge else {"width": 0}
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"color": colours, "size": size, "line": line},
        showlegend=False,
        cliponaxis=False,
        hoverinfo="skip",
    )


def _colours(comparison: Comparison, blend: Blended, second: str) -> dict[str, str]:
    """Who is shown, in the order of the way, and in which colour."""
    first, last = branch_colour("main"), branch_colour(second)
    return {"main": first, "blend": colour_between(first, last, blend.t), second: last}


def _map(comparison: Comparison, blend: Blended, who: str, kind: InputKind) -> np.ndarray:
    drawn = blend.maps[kind] if who == "blend" else comparison.maps[kind, who]
    return drawn.values.numpy()


def _prediction(comparison: Comparison, blend: Blended, who: str, kind: InputKind) -> Prediction:
    return blend.predictions[kind] if who == "blend" else comparison.predictions[kind, who]


def _classes(comparison: Comparison, blend: Blended, second: str) -> list[int]:
    """Classes worth showing, the same for both pictures and, as a rule, all along the way."""
    ends = [
        _prediction(comparison, blend, who, kind).probabilities
        for who in ("main", second)
        for kind in INPUT_KINDS
    ]
    ranked = [int(i) for i in np.argsort(-np.max([e.numpy() for e in ends], axis=0), kind="stable")]
    must = [blend.predictions[kind].class_index for kind in INPUT_KINDS]
    if comparison.true_class is not None:
        must.append(comparison.true_class)
    chosen = [i for i in ranked if i in must]
    chosen += [i for i in ranked if i not in must][: max(0, _CLASSES - len(chosen))]
    return sorted(chosen, key=ranked.index)


def _title(who: str, blend: Blended) -> str:
    return percent(blend.t) if who == "blend" else who


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
