"""Norm layers as figures: how far two branches are apart in each, and in each of its channels."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from advprop_core.anatomy.distance import LayerDistance, Measure
from advprop_core.report.style import Spec
from app.figures.anatomy import colour_between
from app.figures.style import FAINT, INK, figure, stage_axis, upright
from app.language.text import _, ngettext

# Depth, from shallow to deep: between the colours that mean branches.
_SHALLOW, _DEEP = "#B79AD6", "#3F7F4C"
_PROFILE_HEIGHT = 300
_CHANNELS_HEIGHT = 230


def stage_colours(stages: Sequence[str]) -> dict[str, str]:
    """A colour for each stage, shallow to deep."""
    names = list(dict.fromkeys(stages))
    last = max(len(names) - 1, 1)
    return {name: colour_between(_SHALLOW, _DEEP, i / last) for i, name in enumerate(names)}


def profile(distances: Sequence[LayerDistance], measure: Measure, chosen: str, unit: str) -> Spec:
    """How much the mean channel of each layer differs, in execution order, coloured by stage.

    A bar's ``customdata`` is the name of its layer.
    """
    stages = [distance.stage for distance in distances]
    colours = stage_colours(stages)
    sizes = [distance.summary(measure) for distance in distances]
    hover = [
        f"<b>{distance.layer}</b><br>"
        + (
            _(
                "mean {mean:.3g}, median {median:.3g}, largest {largest:.3g}{unit}",
                mean=size.mean,
                median=size.median,
                largest=size.largest,
                unit=unit,
            )
            if size
            else _("not in this layer")
        )
        for distance, size in zip(distances, sizes, strict=True)
    ]
    edge = [3.0 if distance.layer == chosen else 0.0 for distance in distances]
    bars = {
        "type": "bar",
        "x": [*range(len(distances))],
        "y": [size.mean if size else None for size in sizes],
        "customdata": [distance.layer for distance in distances],
        "marker": {
            "color": [colours[stage] for stage in stages],
            "line": {"color": INK, "width": edge},
        },
        "hovertext": hover,
        "hoverinfo": "text",
        # A click chooses a layer; it is the edge that says which, not paler neighbours.
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    return figure(
        [bars],
        _PROFILE_HEIGHT,
        (0, 0, 8, 30),
        x={"tickfont": {"size": 13}, "zeroline": False, **stage_axis(stages)},
        y={
            "rangemode": "tozero",
            "nticks": 5,
            "zeroline": False,
            "ticksuffix": unit,
            "fixedrange": True,
        },
        shapes=[
            upright(layer + 0.5, color=FAINT, width=1, dash="dot")
            for layer, (before, after) in enumerate(pairwise(stages))
            if before != after
        ],
        bargap=0.2,
        showlegend=False,
        dragmode=False,
        clickmode="event+select",
    )


def channels(distance: LayerDistance, measure: Measure, marked: Sequence[int], unit: str) -> Spec:
    """Every channel's change, from the largest rise to the largest fall; some by their number."""
    values = distance.changes[measure].numpy()
    order = np.argsort(-values, kind="stable").tolist()
    rank = {channel: index for index, channel in enumerate(order)}
    bars = {
        "type": "bar",
        "x": [*range(len(order))],
        "y": values[order].tolist(),
        "marker": {
            "color": [INK if channel in marked else FAINT for channel in order],
            "line": {"width": 0},
        },
        "hovertext": [
            _(
                "channel {number}: {change:+.3g}{unit}",
                number=number,
                change=values[number],
                unit=unit,
            )
            for number in order
        ],
        "hoverinfo": "text",
    }
    by_rank = sorted(marked, key=rank.__getitem__)
    rising = [channel for channel in by_rank if values[channel] > 0]
    falling = [channel for channel in by_rank if values[channel] <= 0]
    return figure(
        [bars],
        _CHANNELS_HEIGHT,
        (0, 0, 14, 14),
        x={"visible": False},
        y={"nticks": 5, "ticksuffix": unit, "zeroline": True, "zerolinecolor": FAINT},
        annotations=[
            _name_channels(numbers, rank, values) for numbers in (rising, falling) if numbers
        ],
        bargap=0.1,
        showlegend=False,
    )


def _name_channels(numbers: Sequence[int], rank: Mapping[int, int], values: np.ndarray) -> Spec:
    """The numbers of neighbouring bars beside them, in their order."""
    rises = values[numbers[0]] > 0
    end = numbers[-1] if rises else numbers[0]
    return {
        "x": rank[end] + (1 if rises else -1),
        "y": float(values[end]),
        "text": ngettext("channel {numbers}", "channels {numbers}", len(numbers)).format(
            numbers=_(", ").join(map(str, numbers))
        ),
        "showarrow": False,
        "xanchor": "left" if rises else "right",
        "yanchor": "bottom" if rises else "top",
    }
