"""One map over its photo, and the colour axis that several share."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from advprop_core.report.colours import Array, Sign, colour_span, grey
from app.figures.pictures import data_uri
from app.figures.style import colour_scale


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
