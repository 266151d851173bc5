"""What each branch says, as bars: rows are branches, main first; the column means input."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from advprop_core.report.colours import branch_colour
from advprop_core.text import percent
from advprop_core.types import INPUT_KINDS, Comparison
from app.figures.style import COLUMN_TITLES, INK, branch_title

_ROW_HEIGHT = 225
_FRAME = {"l": 2, "r": 2, "t": 30, "b": 66}
# Of a row of the bars, 1 high: words above, bar below.
_WORDS_RISE, _BAR_DROP, _BAR_WIDTH = 0.12, 0.3, 0.22


def predictions(
    result: Comparison, names: Sequence[str], *, dark: bool = False, top: int = 5
) -> go.Figure:
    """Top classes of every branch on both inputs as bars; the true class has a tick."""
    branches = result.branches
    figure = make_subplots(
        rows=len(branches),
        cols=2,
        horizontal_spacing=0.1,
        vertical_spacing=0.1,
        subplot_titles=[
            f"{branch_title(branch)} · {title}"
            for branch in branches
            for title in COLUMN_TITLES.values()
        ],
    )
    for row, branch in enumerate(branches, 1):
        for column, kind in enumerate(INPUT_KINDS, 1):
            best = result.predictions[kind, branch].top(top)
            labels = [
                f"{'✓ ' if i == result.true_class else ''}{names[i]} {percent(p)}" for i, p in best
            ]
            for trace in _bars([p for _, p in best], labels, branch_colour(branch), INK[dark]):
                figure.add_trace(trace, row=row, col=column)
    figure.update_xaxes(
        range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], showticklabels=False, zeroline=False
    )
    figure.update_xaxes(showticklabels=True, row=len(branches))
    figure.update_yaxes(autorange="reversed", showticklabels=False, showgrid=False, zeroline=False)
    figure.update_layout(
        height=_ROW_HEIGHT * len(branches) + 100, margin=_FRAME, showlegend=False, bargap=0.2
    )
    return figure


def _bars(
    shares: Sequence[float], labels: Sequence[str], colour: str, ink: str
) -> tuple[go.Bar, go.Scatter]:
    """Thin bars, each under its words: no word crosses the end of a bar."""
    rows = list(range(len(shares)))
    bars = go.Bar(
        x=shares,
        y=[row + _BAR_DROP for row in rows],
        width=_BAR_WIDTH,
        orientation="h",
        marker_color=colour,
        marker_cornerradius=3,
        hovertext=labels,
        hoverinfo="text",
    )
    words = go.Scatter(
        x=[0] * len(shares),
        y=[row - _WORDS_RISE for row in rows],
        text=labels,
        mode="text",
        textposition="middle right",
        textfont={"color": ink, "size": 13},
        hoverinfo="skip",
    )
    return bars, words
