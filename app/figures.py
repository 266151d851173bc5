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
from app.messages import percent

BRANCH_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
COLUMN_TITLES = {"clean": "Clean", "adversarial": "Perturbed"}
MAGNITUDE = "Cividis"
SIGNED = [[0.0, "#0072B2"], [0.5, "#F7F7F7"], [1.0, "#D55E00"]]
_ROW_HEIGHT = 168
_MAP_HEIGHT = 330
_NO_TOOLBAR = {"displayModeBar": False}
CONFIG = _NO_TOOLBAR


def branch_colour(index: int) -> str:
    """The colour of the branch at this place: main, aux, aux2 …"""
    return BRANCH_COLOURS[index % len(BRANCH_COLOURS)]


def predictions(result: Comparison, names: Sequence[str], top: int = 5) -> go.Figure:
    """Top classes of every branch on both inputs as bars; the true class has a tick."""
    branches = result.branches
    figure = _grid(branches, vertical_spacing=0.14)
    for row, branch in enumerate(branches, 1):
        for column, kind in enumerate(INPUT_KINDS, 1):
            best = result.predictions[kind, branch].top(top)
            labels = [
                f"{names[i]} {percent(p)}{'  ✓' if i == result.true_class else ''}"
                for i, p in best
            ]
            bars = go.Bar(
                x=[p for _, p in best],
                y=list(range(len(best))),
                orientation="h",
                marker_color=branch_colour(row - 1),
                opacity=0.55,
                hovertext=labels,
                hoverinfo="text",
            )
            words = go.Scatter(
                x=[0.015] * len(best),
                y=list(range(len(best))),
                text=labels,
                mode="text",
                textposition="middle right",
                hoverinfo="skip",
                cliponaxis=False,
            )
            figure.add_trace(bars, row=row, col=column)
            figure.add_trace(words, row=row, col=column)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], showgrid=True)
    figure.update_yaxes(autorange="reversed", showticklabels=False, showgrid=False, zeroline=False)
    figure.update_layout(
        height=_ROW_HEIGHT * len(branches) + 60,
        margin={"l": 4, "r": 8, "t": 44, "b": 24},
        showlegend=False,
        bargap=0.18,
    )
    return figure


def maps(result: Comparison, sign: str, title: str, opacity: float) -> go.Figure:
    """Every map over its input, all on one colour scale, with its colour bar."""
    branches = result.branches
    figure = _grid(branches, vertical_spacing=0.07)
    for row, branch in enumerate(branches, 1):
        for column, kind in enumerate(INPUT_KINDS, 1):
            photo = result.clean if kind == "clean" else result.adversarial
            values = result.maps[kind, branch].values.numpy()
            figure.add_trace(go.Image(source=data_uri(photo.numpy())), row=row, col=column)
            figure.add_trace(
                go.Heatmap(
                    z=np.round(values, 6),
                    coloraxis="coloraxis",
                    opacity=opacity,
                    zsmooth="best",
                    hovertemplate="score %{z:.3g}<extra></extra>",
                ),
                row=row,
                col=column,
            )
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain", autorange="reversed")
    low, high = colour_range([m.values.numpy() for m in result.maps.values()], sign)
    figure.update_layout(
        coloraxis={
            "colorscale": MAGNITUDE if sign == "magnitude" else SIGNED,
            "cmin": low,
            "cmax": high,
            "colorbar": {
                "orientation": "h",
                "title": {"text": f"{title} score", "side": "bottom"},
                "thickness": 10,
                "y": -0.02,
                "yanchor": "top",
                "len": 0.9,
                "tickformat": ".2g",
                "nticks": 5,
            },
        },
        height=_MAP_HEIGHT * len(branches) + 110,
        margin={"l": 4, "r": 8, "t": 44, "b": 70},
    )
    return figure


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


def to_png(values: np.ndarray, side: int = 448) -> bytes:
    """(3, H, W) in [0, 1] as a PNG, enlarged by whole pixels so that nothing is smoothed away."""
    image = Image.fromarray((values.transpose(1, 2, 0) * 255).round().astype(np.uint8))
    factor = max(1, side // image.width)
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(values: np.ndarray) -> str:
    """(3, H, W) in [0, 1] as a PNG address a figure can hold, in its own size."""
    return "data:image/png;base64," + base64.b64encode(to_png(values, 0)).decode()


def _grid(branches: Sequence[str], vertical_spacing: float) -> go.Figure:
    return make_subplots(
        rows=len(branches),
        cols=2,
        horizontal_spacing=0.05,
        vertical_spacing=vertical_spacing,
        subplot_titles=[
            f"<b>{branch}</b> · {COLUMN_TITLES[kind]}" for branch in branches for kind in INPUT_KINDS
        ],
    )
