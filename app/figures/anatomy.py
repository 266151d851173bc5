"""The dial as figures: one network between two others, on both pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from advprop_core.report.colours import Array, branch_colour
from advprop_core.text import percent, shorten
from advprop_core.types import INPUT_KINDS, Comparison, InputKind, Prediction
from app.figures.style import (
    DASHES,
    FAINT,
    INK,
    KIND_TITLES,
    legend,
    name_in_full,
    row_axis,
    series,
)
from app.language.text import N_, _

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Blended, Curve, Way

NOT_ESTIMATED = N_("not estimated")
_HOVERED = {"place": "%{x:$.0%}", "share": "%{y:$.1%}"}  # as plotly fills them in
_CLASSES = 4
_LONGEST_NAME = 20
_BARS_HEIGHT = 235
_CURVE_HEIGHT = 230


class Network(NamedTuple):
    """One of the three that are shown."""

    title: str
    colour: str
    predictions: Mapping[InputKind, Prediction]
    maps: Mapping[InputKind, Array]


def colour_between(first: str, second: str, t: float) -> str:
    """The colour at t of the straight line between two, as ``#RRGGBB``."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (first, second)]
    return "#" + "".join(
        f"{round((1 - t) * start + t * end):02X}" for start, end in zip(*ends, strict=True)
    )


def bars(
    comparison: Comparison,
    blend: Blended,
    kind: InputKind,
    names: Sequence[str],
    *,
    dark: bool = False,
) -> go.Figure:
    """What main, the blend and the second branch say of one picture, class by class."""
    networks = networks_of(comparison, blend)
    chosen = _classes(comparison, networks)
    marks = ["✓ " if i == comparison.true_class else "" for i in chosen]
    full = [f"{mark}{names[i]}" for mark, i in zip(marks, chosen, strict=True)]
    labels = [
        f"{mark}{shorten(names[i], _LONGEST_NAME)}" for mark, i in zip(marks, chosen, strict=True)
    ]
    figure = go.Figure()
    name_in_full(figure, dict(zip(labels, full, strict=True)))
    for network in networks:
        shares = network.predictions[kind].probabilities[chosen].tolist()
        figure.add_trace(
            go.Bar(
                name=network.title,
                x=shares,
                y=list(range(len(chosen))),
                orientation="h",
                marker={"color": network.colour},
                text=[percent(share) for share in shares],
                textposition="outside",
                textfont={"color": INK[dark], "size": 11},
                constraintext="none",
                cliponaxis=False,
                hovertemplate="%{text}",
            )
        )
    figure.update_xaxes(range=[0, 1.14], visible=False)
    figure.update_yaxes(tickfont={"color": INK[dark], "size": 13}, **row_axis(labels))
    figure.update_layout(
        height=_BARS_HEIGHT,
        margin={"l": 0, "r": 0, "t": 4, "b": 30},
        barmode="group",
        bargap=0.28,
        legend=legend(dark, y=-0.02, yanchor="top", traceorder="normal"),
    )
    return figure


def curve(
    lines: Sequence[Curve], blend: Blended, class_index: int, *, dark: bool = False
) -> go.Figure:
    """The probability of one class all along the way, with a mark at the present place.

    A second line, without estimating statistics, is faint.
    """
    way = lines[0].way
    now = colour_between(branch_colour("main"), branch_colour(way.second), blend.t)
    figure = go.Figure()
    figure.add_vline(x=blend.t, line={"color": FAINT[dark], "width": 1})
    for line in lines[1:]:
        for kind in line.shares:
            figure.add_trace(
                _probabilities(
                    line,
                    kind,
                    class_index,
                    **series(NOT_ESTIMATED),
                    legendgroup="naive",
                    showlegend=kind == "clean",
                    line={"color": FAINT[dark], "width": 1.5, "dash": DASHES[kind]},
                    hovertemplate=_("{place} of the way, statistics not estimated: {share}").format(
                        **_HOVERED
                    ),
                )
            )
    for kind in lines[0].shares:
        trace = _probabilities(
            lines[0],
            kind,
            class_index,
            **series(KIND_TITLES[kind]),
            line={"color": INK[dark], "width": 2, "dash": DASHES[kind]},
            hovertemplate=_("{place} of the way: {share}").format(**_HOVERED),
        )
        figure.add_trace(trace)
        figure.add_trace(_dots([0, 1], [trace.y[0], trace.y[-1]], _end_colours(way, dark), 9))
        if blend.way == way:
            here = float(blend.predictions[kind].probabilities[class_index])
            figure.add_trace(_dots([blend.t], [here], [now], 15, INK[dark]))
    lay_out_way(figure, way, dark)
    return figure


def lay_out_way(figure: go.Figure, way: Way, dark: bool) -> None:
    """Axes of a figure whose x is the way from main to a branch, and whose y is a share."""
    figure.update_xaxes(
        range=[0, 1],
        tickvals=[0.25, 0.5, 0.75],
        ticktext=["25 %", "50 %", "75 %"],
        tickfont={"color": INK[dark]},
        showgrid=False,
        zeroline=False,
    )
    towards = way.second if way.whole else _("towards {branch}").format(branch=way.second)
    names = "main", towards
    for x, name, colour in zip((0, 1), names, _end_colours(way, dark), strict=True):
        figure.add_annotation(
            x=x,
            y=0,
            xref="paper",
            yref="paper",
            xanchor="right" if x else "left",
            yanchor="top",
            yshift=-4,
            text=f'<span style="color:{colour}">■</span> <b>{name}</b>',
            font={"color": INK[dark]},  # coloured letters are hard to read
            showarrow=False,
        )
    figure.update_yaxes(
        range=[-0.04, 1.06], tickvals=[0, 0.5, 1], showticklabels=False, zeroline=False
    )
    for share in (0, 0.5, 1):  # beside the ends, where lines begin and the slider's handle is
        figure.add_annotation(
            x=0.125,
            y=share,
            text=f"{share * 100:.0f} %",
            yanchor="bottom",
            showarrow=False,
            font={"color": INK[dark], "size": 12},
        )
    figure.update_layout(
        height=_CURVE_HEIGHT,
        margin={"l": 6, "r": 6, "t": 26, "b": 24},
        legend=legend(dark, y=1.02, yanchor="bottom", x=1, xanchor="right"),
    )


def _probabilities(curve: Curve, kind: InputKind, class_index: int, **options: Any) -> go.Scatter:
    shares = curve.shares[kind][:, class_index].tolist()
    return go.Scatter(x=list(curve.places), y=shares, mode="lines", **options)


def _end_colours(way: Way, dark: bool) -> list[str]:
    return [branch_colour("main"), branch_colour(way.second) if way.whole else FAINT[dark]]


def _dots(
    x: Sequence[float], y: Sequence[float], colours: Sequence[str], size: int, edge: str = ""
) -> go.Scatter:
    line = {"color": edge, "width": 2} if edge else {"width": 0}
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"color": colours, "size": size, "line": line},
        showlegend=False,
        cliponaxis=False,
        hoverinfo="skip",
    )


def networks_of(comparison: Comparison, blend: Blended) -> list[Network]:
    """Main, the blend and the second branch: the order of the way."""
    first, last = branch_colour("main"), branch_colour(blend.way.second)

    def branch(name: str, colour: str) -> Network:
        return Network(
            name,
            colour,
            {kind: comparison.predictions[kind, name] for kind in INPUT_KINDS},
            {k: drawn.values.numpy() for (k, b), drawn in comparison.maps.items() if b == name},
        )

    between = Network(
        percent(blend.t),
        colour_between(first, last, blend.t),
        blend.predictions,
        {kind: drawn.values.numpy() for kind, drawn in blend.maps.items()},
    )
    return [branch("main", first), between, branch(blend.way.second, last)]


def _classes(comparison: Comparison, networks: Sequence[Network]) -> list[int]:
    """Classes worth showing, the same for both pictures and, as a rule, all along the way."""
    main, blend, second = (network.predictions for network in networks)
    ends = [p.probabilities.numpy() for end in (main, second) for p in end.values()]
    ranked = [int(i) for i in np.argsort(-np.max(ends, axis=0), kind="stable")]
    must = [prediction.class_index for prediction in blend.values()]
    if comparison.true_class is not None:
        must.append(comparison.true_class)
    chosen = [i for i in ranked if i in must]
    chosen += [i for i in ranked if i not in must][: max(0, _CLASSES - len(chosen))]
    return sorted(chosen, key=ranked.index)
