"""Results to plotly figures; pure, no Streamlit.

Colour means branch; the column means input. Rows are branches, main first.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.subplots import make_subplots

from advprop_core.types import INPUT_KINDS, Comparison
from advprop_core.words import percent

BRANCH_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
COLUMN_TITLES = {"clean": "Clean", "adversarial": "Perturbed"}
CONFIG = {"displayModeBar": False}
INK = {False: "#1F2933", True: "#E6EAEE"}
_ROW_HEIGHT = 225
_FRAME = {"l": 2, "r": 2, "t": 30, "b": 66}
# Cividis, and blue through white to orange: both readable without colour vision. What is near
# zero is see-through, so that the photo stays visible where there is little to say.
_MAGNITUDE = ((0, 32, 77), (60, 77, 110), (122, 123, 120), (188, 174, 108), (255, 234, 70))
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_SIGNED = ((0, 114, 178), (128, 185, 217), (247, 247, 247), (234, 175, 128), (213, 94, 0))


def branch_colour(index: int) -> str:
    """The colour of the branch at this place: main first, then aux."""
    return BRANCH_COLOURS[index % len(BRANCH_COLOURS)]


def predictions(
    result: Comparison, names: Sequence[str], *, dark: bool = False, top: int = 5
) -> go.Figure:
    """Top classes of every branch on both inputs as bars; the true class has a tick."""
    branches = result.branches
    figure = _grid(branches, gap=0.1)
    for row, branch in enumerate(branches, 1):
        for column, kind in enumerate(INPUT_KINDS, 1):
            best = result.predictions[kind, branch].top(top)
            labels = [
                f"{'✓ ' if i == result.true_class else ''}{names[i]} {percent(p)}" for i, p in best
            ]
            for trace in _bars([p for _, p in best], labels, branch_colour(row - 1), INK[dark]):
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
    """Bars with their words on top, which fit however short the bar is."""
    places = list(range(len(shares)))
    bars = go.Bar(
        x=shares,
        y=places,
        orientation="h",
        marker_color=colour,
        opacity=0.5,
        hovertext=labels,
        hoverinfo="text",
    )
    words = go.Scatter(
        x=[0.02] * len(shares),
        y=places,
        text=labels,
        mode="text",
        textposition="middle right",
        textfont={"color": ink, "size": 13},
        hoverinfo="skip",
    )
    return bars, words


def maps(result: Comparison, sign: str, title: str, opacity: float) -> go.Figure:
    """Every map over its input in grey, all on one colour scale, with its colour bar."""
    branches = result.branches
    figure = _grid(branches, gap=0.03)
    for row, branch in enumerate(branches, 1):
        for column, kind in enumerate(INPUT_KINDS, 1):
            photo = result.clean if kind == "clean" else result.adversarial
            figure.add_trace(go.Image(source=data_uri(grey(photo.numpy()))), row=row, col=column)
            heat = go.Heatmap(
                z=result.maps[kind, branch].values.numpy(),
                coloraxis="coloraxis",
                opacity=opacity,
                zsmooth="best",
                hovertemplate="%{z:.3g}<extra></extra>",
            )
            figure.add_trace(heat, row=row, col=column)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain", autorange="reversed")
    low, high = colour_range([m.values.numpy() for m in result.maps.values()], sign)
    figure.update_layout(
        coloraxis={
            "colorscale": colour_scale(sign),
            "cmin": low,
            "cmax": high,
            "colorbar": {
                "orientation": "h",
                "title": {"text": f"{title} score", "side": "bottom"},
                "thickness": 10,
                "y": -0.01,
                "yanchor": "top",
                "tickvals": [low, (low + high) / 2, high],
                "tickformat": ".2g",
            },
        },
        height=_ROW_HEIGHT * len(branches) + 100,
        margin=_FRAME,
    )
    return figure


def grey(values: np.ndarray) -> np.ndarray:
    """(3, H, W) without its colours, so that every colour in a picture is the map's."""
    luma = np.tensordot(_LUMA, values.astype(np.float64), 1)
    return np.repeat(luma[None], 3, axis=0)


def colour_scale(sign: str) -> list[list[object]]:
    """A perceptual scale whose colours fade where the value is near zero."""
    colours = _MAGNITUDE if sign == "magnitude" else _SIGNED
    places = np.linspace(0, 1, len(colours))
    distance = places if sign == "magnitude" else np.abs(2 * places - 1)
    return [
        [float(place), f"rgba({r},{g},{b},{float(far):.2f})"]
        for place, far, (r, g, b) in zip(places, distance, colours, strict=True)
    ]


def colour_range(values: Sequence[np.ndarray], sign: str) -> tuple[float, float]:
    """One range for all maps: to the 99.5th percentile of all values together.

    Signed maps get a range symmetric around 0.
    """
    together = np.abs(np.concatenate([v.ravel() for v in values]))
    high = float(np.percentile(together, 99.5)) or float(together.max()) or 1.0
    return (0.0, high) if sign == "magnitude" else (-high, high)


def amplification(linf: float) -> int:
    """A round factor that makes a perturbation of this size visible around mid-grey."""
    if linf <= 0:
        return 1
    return int(2 ** max(0, np.floor(np.log2(0.5 / linf))))


def perturbation_picture(result: Comparison, factor: int) -> np.ndarray:
    """The perturbation times a factor around mid-grey, (3, H, W) in [0, 1]."""
    change = (result.adversarial - result.clean).numpy()
    return np.clip(0.5 + factor * change, 0, 1)


def to_png(values: np.ndarray, side: int = 448, *, smooth: bool = True) -> bytes:
    """(3, H, W) in [0, 1] as a PNG, enlarged by a whole factor, smoothly or pixel by pixel."""
    image = Image.fromarray((values.transpose(1, 2, 0) * 255).round().astype(np.uint8))
    factor = max(1, side // image.width)
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(values: np.ndarray) -> str:
    """(3, H, W) in [0, 1] as a PNG address a figure can hold, in its own size."""
    return "data:image/png;base64," + base64.b64encode(to_png(values, 0)).decode()


def _grid(branches: Sequence[str], gap: float) -> go.Figure:
    return make_subplots(
        rows=len(branches),
        cols=2,
        horizontal_spacing=gap,
        vertical_spacing=0.1,
        subplot_titles=[
            f'<span style="color:{branch_colour(row)}"><b>{branch}</b></span> · {title}'
            for row, branch in enumerate(branches)
            for title in COLUMN_TITLES.values()
        ],
    )
