"""One map over its photo, and the colour axis that several share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.pictures import data_uri, grey
from app.figures.style import colour_range, colour_scale


def add_map(
    figure: go.Figure,
    photo: np.ndarray,
    values: np.ndarray,
    axis: str,
    opacity: float,
    *,
    row: int,
    column: int,
) -> None:
    """Draw a map (H, W) over a photo (3, H, W) in grey, so that every colour is the map's."""
    place = {"row": row, "col": column}
    figure.add_trace(go.Image(source=data_uri(grey(photo))), **place)
    heat = go.Heatmap(
        z=values,
        coloraxis=axis,
        opacity=opacity,
        zsmooth="best",
        hovertemplate="%{z:.3g}<extra></extra>",
    )
    figure.add_trace(heat, **place)


def colour_axis(
    values: Sequence[np.ndarray], sign: str, title: str, **place: object
) -> dict[str, object]:
    """One scale for all of the maps, with its bar below the figure."""
    low, high = colour_range(values, sign)
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
            **place,
        },
    }
