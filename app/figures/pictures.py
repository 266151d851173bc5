"""Pictures as PNGs and, with maps over them, in figures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from advprop_core.pictures.decoding import encode_png
from advprop_core.report.colours import Array, Sign, colour_span, grey
from advprop_core.report.drawing import to_image
from app.figures.style import colour_scale, hide_axes


def to_png(values: Array, side: int = 448) -> bytes:
    """(3, H, W) in [0, 1] as a PNG, enlarged by a whole factor, so that its pixels can be seen."""
    image = to_image(values)
    if (factor := side // image.width) > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.NEAREST)
    return encode_png(image)


def data_uri(values: Array) -> str:
    """(3, H, W) in [0, 1] as a PNG address a figure can hold, in its own size."""
    return "data:image/png;base64," + base64.b64encode(to_png(values, 0)).decode()


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
