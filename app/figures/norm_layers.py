"""Norm layers as figures: how far two branches are apart in each, and in each of its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from advprop_core.report.colours import colour_span, overlay
from advprop_core.types import Comparison, InputKind
from app.figures.anatomy import FAINT, colour_between
from app.figures.pictures import data_uri
from app.figures.style import INK, branch_title, colour_scale

if TYPE_CHECKING:
    from advprop_core.anatomy.distance import LayerDistance, Measure
    from advprop_core.anatomy.excitement import Excitement

# Depth, from shallow to deep: between the colours that mean branches.
_SHALLOW, _DEEP = "#B79AD6", "#3F7F4C"
_PROFILE_HEIGHT = 300
_CHANNELS_HEIGHT = 230


def stage_colours(stages: Sequence[str]) -> dict[str, str]:
    """A colour for each stage, shallow to deep."""
    names = list(dict.fromkeys(stages))
    last = max(len(names) - 1, 1)
    return {name: colour_between(_SHALLOW, _DEEP, i / last) for i, name in enumerate(names)}


def profile(
    distances: Sequence[LayerDistance],
    measure: Measure,
    chosen: str,
    unit: str,
    *,
    dark: bool = False,
) -> go.Figure:
    """How much the mean channel of each layer differs, in execution order, coloured by stage.

    A bar's ``customdata`` is the name of its layer.
    """
    colours = stage_colours([distance.stage for distance in distances])
    sizes = [distance.summary(measure) for distance in distances]
    hover = [
        f"<b>{distance.layer}</b><br>"
        + (
            f"mean {size.mean:.3g}, median {size.median:.3g}, largest {size.largest:.3g}{unit}"
            if size
            else "not in this layer"
        )
        for distance, size in zip(distances, sizes, strict=True)
    ]
    edge = [3.0 if distance.layer == chosen else 0.0 for distance in distances]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(distances))),
            y=[size.mean if size else None for size in sizes],
            customdata=[distance.layer for distance in distances],
            marker={
                "color": [colours[distance.stage] for distance in distances],
                "line": {"color": INK[dark], "width": edge},
            },
            hovertext=hover,
            hoverinfo="text",
            # A click chooses a layer; it is the edge that says which, not paler neighbours.
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
    _name_stages(figure, distances, dark)
    figure.update_yaxes(rangemode="tozero", nticks=5, zeroline=False, ticksuffix=unit)
    figure.update_layout(
        height=_PROFILE_HEIGHT,
        margin={"l": 0, "r": 0, "t": 8, "b": 30},
        bargap=0.2,
        showlegend=False,
        dragmode=False,
        clickmode="event+select",
    )
    return figure


def channels(
    distance: LayerDistance, measure: Measure, marked: Sequence[int], unit: str, *, dark: bool
) -> go.Figure:
    """Every channel's change, from the largest rise to the largest fall; some by their number."""
    values = distance.changes[measure].numpy()
    order = np.argsort(-values, kind="stable")
    rank = {int(channel): index for index, channel in enumerate(order)}
    figure = go.Figure(
        go.Bar(
            x=list(range(len(order))),
            y=values[order].tolist(),
            marker={
                "color": [INK[dark] if int(c) in marked else FAINT[dark] for c in order],
                "line": {"width": 0},
            },
            hovertext=[f"channel {c}: {values[c]:+.3g}{unit}" for c in order],
            hoverinfo="text",
        )
    )
    for side in (True, False):
        here = [channel for channel in marked if (values[channel] > 0) == side]
        if here:
            _name_channels(figure, sorted(here, key=rank.__getitem__), rank, values, INK[dark])
    figure.update_xaxes(visible=False)
    figure.update_yaxes(nticks=5, ticksuffix=unit, zeroline=True, zerolinecolor=FAINT[dark])
    figure.update_layout(
        height=_CHANNELS_HEIGHT,
        margin={"l": 0, "r": 0, "t": 14, "b": 14},
        bargap=0.1,
        showlegend=False,
    )
    return figure


def _name_channels(
    figure: go.Figure,
    numbers: Sequence[int],
    rank: Mapping[int, int],
    values: np.ndarray,
    colour: str,
) -> None:
    """The numbers of neighbouring bars beside them, in their order."""
    rises = values[numbers[0]] > 0
    end = numbers[-1] if rises else numbers[0]
    figure.add_annotation(
        x=rank[end] + (1 if rises else -1),
        y=float(values[end]),
        text=f"{'channels' if len(numbers) > 1 else 'channel'} {', '.join(map(str, numbers))}",
        showarrow=False,
        xanchor="left" if rises else "right",
        yanchor="bottom" if rises else "top",
        font={"color": colour, "size": 12},
    )


def excited(
    comparison: Comparison,
    maps: Mapping[tuple[InputKind, str], Excitement],
    kind: InputKind,
    opacity: float,
) -> go.Figure:
    """What the layer gives in some channels, through both branches; one scale for all pictures."""
    rows = [(branch, excitement) for (k, branch), excitement in maps.items() if k == kind]
    numbers = rows[0][1].channels
    figure = make_subplots(
        rows=len(rows),
        cols=len(numbers),
        horizontal_spacing=0.015,
        vertical_spacing=0.03,
        column_titles=[str(number) for number in numbers],
        row_titles=[branch_title(branch) for branch, _ in rows],
    )
    span = colour_span([excitement.outputs.numpy() for excitement in maps.values()], "signed")
    photo = (comparison.clean if kind == "clean" else comparison.adversarial).numpy()
    for row, (_, excitement) in enumerate(rows, 1):
        for column, values in enumerate(excitement.outputs.numpy(), 1):
            drawn = overlay(photo, values, "signed", span, opacity)
            figure.add_trace(
                go.Image(source=data_uri(drawn), hoverinfo="skip"), row=row, col=column
            )
    figure.add_trace(_scale_bearer(), row=1, col=1)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain")
    figure.update_layout(
        height=330,
        margin={"l": 0, "r": 22, "t": 24, "b": 52},
        coloraxis=_signed_axis(span),
        showlegend=False,
    )
    return figure


def _name_stages(figure: go.Figure, distances: Sequence[LayerDistance], dark: bool) -> None:
    """The name of each stage below its bars, and a thin line between two stages."""
    columns: dict[str, list[int]] = {}
    for column, distance in enumerate(distances):
        columns.setdefault(distance.stage, []).append(column)
    figure.update_xaxes(
        tickvals=[(within[0] + within[-1]) / 2 for within in columns.values()],
        ticktext=list(columns),
        tickfont={"size": 13},
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(fixedrange=True)
    for start in [within[0] for within in columns.values()][1:]:
        figure.add_vline(x=start - 0.5, line={"color": FAINT[dark], "width": 1, "dash": "dot"})


def _scale_bearer() -> go.Scatter:
    """Nothing to see: a colour bar needs a trace that has numbers."""
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={"color": [0], "coloraxis": "coloraxis"},
        hoverinfo="skip",
    )


def _signed_axis(span: tuple[float, float]) -> dict[str, object]:
    return {
        "colorscale": colour_scale("signed"),
        "cmin": span[0],
        "cmax": span[1],
        "colorbar": {
            "orientation": "h",
            "thickness": 8,
            "len": 0.6,
            "y": -0.02,
            "yanchor": "top",
            "tickvals": [span[0], 0, span[1]],
            "tickformat": ".2g",
            "title": {"text": "output of the layer", "side": "bottom", "font": {"size": 12}},
        },
    }
