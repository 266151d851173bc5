"""Figures of the Robustness page: the report's on the page's ground, and two of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from advprop_core.evaluation.studies import Gain
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import Spec, whiskers
from advprop_core.report.words import points
from app.figures.style import INK

# Blue, where the first is right more often, through white to orange, where the second is.
_DIFFERENCE = ("#0072B2", "#80B9D9", "#F7F7F7", "#EAAF80", "#D55E00")


def difference(gains: Mapping[tuple[str, int], float], *, dark: bool = False) -> go.Figure:
    """How much more often one branch is right than another: (corruption, severity) to share."""
    kinds = list(dict.fromkeys(kind for kind, _ in gains))
    levels = sorted({level for _, level in gains})
    table = [[gains.get((kind, level)) for level in levels] for kind in kinds]
    widest = max(map(abs, gains.values())) or 0.01
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=[str(level) for level in levels],
            y=[kind.replace("_", " ") for kind in kinds],
            zmin=-widest,
            zmax=widest,
            colorscale=[(n / 4, colour) for n, colour in enumerate(_DIFFERENCE)],
            xgap=2,
            ygap=2,
            showscale=False,
            text=[["" if gain is None else points(gain) for gain in line] for line in table],
            texttemplate="%{text}",
            hovertemplate="%{y}, severity %{x}: %{text} points<extra></extra>",
        )
    )
    _settle(figure, 24 * len(kinds) + 90, dark, "Gain in right answers, points")
    figure.update_layout(width=260 + 90 * len(levels))
    fixed = {"showgrid": False, "zeroline": False}
    figure.update_xaxes(title_text="severity", type="category", **fixed)
    figure.update_yaxes(autorange="reversed", **fixed)
    return figure


def gains(
    gains: Sequence[Gain], titles: Mapping[str, str], title: str, *, dark: bool = False
) -> go.Figure:
    """What runs gain on one measure, with intervals and a line where nothing is gained.

    Every gain has points; ``titles`` is run to what people read, ``title`` the measure's.
    """
    figure = go.Figure()
    for row, gain in enumerate(gains):
        low, high = gain.interval or (0.0, 0.0)
        middle = 100 * (gain.points or 0)
        figure.add_trace(
            go.Scatter(
                x=[middle],
                y=[row],
                mode="markers",
                marker={"color": branch_colour(gain.branch), "size": 10},
                error_x=whiskers([(middle, 100 * low, 100 * high)])
                | {"color": branch_colour(gain.branch), "thickness": 2},
                name=f"{escape(titles[gain.run])}, {gain.branch}",
                customdata=[(gain.share, 100 * low, 100 * high)],
                hovertemplate="%{x:+.1f} points (%{customdata[1]:+.1f} to %{customdata[2]:+.1f})"
                "<br>%{customdata[0]:.1%} right<extra>%{fullData.name}</extra>",
            )
        )
    _settle(figure, 36 * len(gains) + 100, dark, escape(title))
    figure.update_layout(showlegend=False)
    figure.add_vline(0, line={"color": INK[dark], "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="Gain, points", zeroline=False, showgrid=True)
    figure.update_yaxes(
        tickvals=[*range(len(gains))],
        ticktext=[f"{escape(titles[gain.run])},<br>{gain.branch}" for gain in gains],
        range=[len(gains) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure


def of_report(spec: Spec, dark: bool) -> go.Figure:
    """A figure of the report on this page's ground."""
    layout = {key: value for key, value in spec["layout"].items() if key != "template"}
    layout["font"] = {"color": INK[dark], "size": 13}
    return go.Figure({"data": [_in_ink(trace, dark) for trace in spec["data"]], "layout": layout})


def _in_ink(trace: Spec, dark: bool) -> Spec:
    """Whiskers that have the report's ink, and no branch's colour, take the page's."""
    inked = {
        axis: trace[axis] | {"color": INK[dark]}
        for axis in ("error_x", "error_y")
        if trace.get(axis, {}).get("color") == INK[False]
    }
    return trace | inked


def _settle(figure: go.Figure, height: int, dark: bool, title: str) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        font={"color": INK[dark], "size": 13},
        title={"text": title, "font": {"size": 14}, "x": 0, "y": 1 - 16 / height},
        dragmode=False,
        hovermode="closest",
    )
    figure.update_xaxes(automargin=True, fixedrange=True)
    figure.update_yaxes(automargin=True, fixedrange=True)
