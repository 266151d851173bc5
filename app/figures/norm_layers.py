"""Norm layers as figures: how far two branches are apart in each, and in each of its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from app.figures.anatomy import colour_between
from app.figures.style import FAINT, INK, ink_axes, stage_axis
from app.language.text import _, ngettext

if TYPE_CHECKING:
    from advprop_core.anatomy.distance import LayerDistance, Measure

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
            _("mean {mean:.3g}, median {median:.3g}, largest {largest:.3g}{unit}").format(
                mean=size.mean, median=size.median, largest=size.largest, unit=unit
            )
            if size
            else _("not in this layer")
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
    stages = [distance.stage for distance in distances]
    figure.update_xaxes(tickfont_size=13, zeroline=False, **stage_axis(stages))
    for layer, (before, after) in enumerate(pairwise(stages)):
        if before != after:
            border = {"color": FAINT[dark], "width": 1, "dash": "dot"}
            figure.add_vline(x=layer + 0.5, line=border)
    figure.update_yaxes(
        rangemode="tozero", nticks=5, zeroline=False, ticksuffix=unit, fixedrange=True
    )
    ink_axes(figure, dark)
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
            hovertext=[
                _("channel {number}: {change:+.3g}{unit}").format(
                    number=number, change=values[number], unit=unit
                )
                for number in order
            ],
            hoverinfo="text",
        )
    )
    for side in (True, False):
        here = [channel for channel in marked if (values[channel] > 0) == side]
        if here:
            _name_channels(figure, sorted(here, key=rank.__getitem__), rank, values, INK[dark])
    figure.update_xaxes(visible=False)
    figure.update_yaxes(nticks=5, ticksuffix=unit, zeroline=True, zerolinecolor=FAINT[dark])
    ink_axes(figure, dark)
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
        text=ngettext("channel {numbers}", "channels {numbers}", len(numbers)).format(
            numbers=_(", ").join(map(str, numbers))
        ),
        showarrow=False,
        xanchor="left" if rises else "right",
        yanchor="bottom" if rises else "top",
        font={"color": colour, "size": 12},
    )
