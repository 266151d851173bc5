"""Accuracies of mixed branches, as figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from advprop_core.report.colours import branch_colour
from advprop_core.text import percent, percent_in_tenths
from advprop_core.types import INPUT_KINDS, InputKind
from app.figures.anatomy import NOT_ESTIMATED, lay_out_way
from app.figures.style import (
    DASHES,
    FAINT,
    INK,
    SHARES,
    bar_marker,
    error_bars,
    ink_axes,
    legend,
    panel_title,
    series,
)
from app.language.text import N_, Sentence, _

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Way
    from advprop_core.anatomy.halves import MixtureAccuracy

KIND_TITLES: dict[InputKind, str] = {"clean": N_("clean"), "adversarial": N_("attacked")}
_BARS_HEIGHT = 280


def bars(
    rows: Sequence[tuple[str, MixtureAccuracy]], branch: str, *, dark: bool = False
) -> go.Figure:
    """Clean and robust accuracy of networks with the γ and β of one branch.

    Each row says in English what the statistics are.
    """
    titles, accuracies = zip(*rows, strict=True)
    figure = go.Figure()
    panel = Sentence("γ and β of {branch}, mean and variance …", branch=branch)
    for kind in INPUT_KINDS:
        figure.add_trace(
            go.Bar(
                name=_(KIND_TITLES[kind]),
                meta={"series": KIND_TITLES[kind], "panel": panel, "y": list(titles)},
                y=[_(title) for title in titles],
                x=[accuracy.share(kind) for accuracy in accuracies],
                orientation="h",
                error_x=error_bars([(a.share(kind), *a.interval(kind)) for a in accuracies], dark),
                marker=bar_marker(branch_colour(branch), kind),
                hovertext=[_hover(accuracy, kind) for accuracy in accuracies],
                hoverinfo="text",
            )
        )
    figure.update_xaxes(range=[0, 1.02], fixedrange=True, **SHARES)
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, fixedrange=True)
    ink_axes(figure, dark)
    figure.update_layout(
        height=_BARS_HEIGHT,
        title=panel_title(_(panel), dark),
        margin={"l": 0, "r": 22, "t": 34, "b": 46},
        bargap=0.3,
        bargroupgap=0.06,
        legend=legend(dark, y=-0.16, yanchor="top", traceorder="normal"),
    )
    return figure


def line(
    estimated: Mapping[float, MixtureAccuracy],
    naive: Mapping[float, MixtureAccuracy],
    way: Way,
    t: float | None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Clean and robust accuracy along a whole way, with a line at the present place.

    Place to accuracy: with statistics that were estimated again and, faint, without.
    """
    figure = go.Figure()
    if t is not None:
        figure.add_vline(x=t, line={"color": FAINT[dark], "width": 1})
    for kind in INPUT_KINDS:
        figure.add_trace(_accuracies(naive, kind, NOT_ESTIMATED, FAINT[dark], kind == "clean"))
    for kind in INPUT_KINDS:
        trace = _accuracies(estimated, kind, KIND_TITLES[kind], INK[dark], True)
        ordered = [estimated[share] for share in sorted(estimated)]
        trace.error_y = error_bars([(a.share(kind), *a.interval(kind)) for a in ordered], dark)
        figure.add_trace(trace)
    lay_out_way(figure, way, dark)
    return figure


def _accuracies(
    by_place: Mapping[float, MixtureAccuracy],
    kind: InputKind,
    title: str,
    colour: str,
    listed: bool,
) -> go.Scatter:
    places = sorted(by_place)
    return go.Scatter(
        x=places,
        y=[by_place[place].share(kind) for place in places],
        **series(title),
        legendgroup=title,
        showlegend=listed,
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": DASHES[kind]},
        cliponaxis=False,
        hovertext=[
            _("{title}, {place}: {hovered}").format(
                title=_(title), place=percent(place), hovered=_hover(by_place[place], kind)
            )
            for place in places
        ],
        hoverinfo="text",
    )


def _hover(accuracy: MixtureAccuracy, kind: InputKind) -> str:
    low, high = map(percent_in_tenths, accuracy.interval(kind))
    share = percent_in_tenths(accuracy.share(kind))
    return _("{share} right {kind} ({low} to {high})").format(
        share=share, kind=_(KIND_TITLES[kind]), low=low, high=high
    )
