"""Pictures and maps in rows and columns, and the colour axis that several maps share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from advprop_core.report.colours import Array, Sign, colour_span, grey
from app.figures.pictures import data_uri
from app.figures.style import colour_scale, hide_axes


def picture_grid(
    rows: Sequence[Sequence[Array]], height: int, margin: dict[str, int], **subplots: Any
) -> go.Figure:
    """Pictures (3, H, W) in rows of equal length; ``subplots`` holds spacings and titles."""
    figure = make_subplots(rows=len(rows), cols=len(rows[0]), **subplots)
    for row, pictures in enumerate(rows, 1):
        for column, values in enumerate(pictures, 1):
            image = go.Image(source=data_uri(values), hoverinfo="skip")
            figure.add_trace(image, row=row, col=column)
    hide_axes(figure)
    figure.update_layout(height=height, margin=margin)
    return figure


def add_map(
    figure: go.Figure,
    photo: Array,
    values: Array,
    axis: str,
    opacity: float,
    *,
    row: int,
    column: int,
) -> None:
    """Draw a map (H, W) over a photo (3, H, W) in grey, so that every colour is the map's."""
    cell = {"row": row, "col": column}
    figure.add_trace(go.Image(source=data_uri(grey(photo))), **cell)
    heat = go.Heatmap(
        z=values,
        coloraxis=axis,
        opacity=opacity,
        zsmooth="best",
        hovertemplate="%{z:.3g}<extra></extra>",
    )
    figure.add_trace(heat, **cell)


def colour_axis(
    values: Sequence[Array], sign: Sign, title: str, **bar: object
) -> dict[str, object]:
    """One scale for all of the maps, with its bar below the figure."""
    low, high = colour_span(values, sign)
    return {
        "colorscale": colour_scale(sign),
        "cmin": low,
        "cmax": high,
        "colorbar": {
            "orientation": "h",
            "title": {"text": title, "side": "bottom"},
            "thickness": 10,
            "y": -0.01,
            "yanchor": "top",
            "tickvals": [low, (low + high) / 2, high],
            "tickformat": ".2g",
            **bar,
        },
    }
